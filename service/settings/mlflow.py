"""The ``MLFLOW_*`` settings, by MLflow's own conventions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict, TypeVar

from service.settings import addresses, parsers
from service.settings.json_objects import read_text
from service.settings.setting_faults import SettingFault

T = TypeVar("T")
URI, USERNAME, PASSWORD, TOKEN = (f"MLFLOW_TRACKING_{name}" for name in ("URI", "USERNAME", "PASSWORD", "TOKEN"))
INSECURE, AUTHORITIES, CERTIFICATE = (
    f"MLFLOW_TRACKING_{name}" for name in ("INSECURE_TLS", "SERVER_CERT_PATH", "CLIENT_CERT_PATH")
)
VARIABLES = (URI, USERNAME, PASSWORD, TOKEN, INSECURE, AUTHORITIES, CERTIFICATE)


class Connection(TypedDict, total=False):
    """Fields of ``RuntimeSettings``."""

    base_url: str
    username: str | None
    password: str | None
    token: str | None
    ca_file: str | None
    insecure_tls: bool
    certificate: str | None
    private_key: str | None


def connection(environment: Mapping[str, str], faults: list[SettingFault], *, as_client: bool) -> Connection:
    """The server's URL and, where the service is a client of it, its credentials. Incomplete after a fault."""
    taking = _Taking(environment, faults)
    found = Connection(base_url=taking.text(URI, tracking_uri) or "")
    if not environment.get(URI):
        faults.append(SettingFault(URI, "is missing; with RUNTIME_KIND=mlflow it must say where the server is"))
    found["ca_file"] = taking.text(AUTHORITIES, parsers.readable_file)
    found["insecure_tls"] = taking.text(INSECURE, parsers.switch) or False
    if found["ca_file"] and found["insecure_tls"]:
        faults.append(SettingFault(INSECURE, f"and {AUTHORITIES} exclude each other"))
    if as_client:
        found["username"] = taking.text(USERNAME, user)
        found["password"] = taking.text(PASSWORD, parsers.unpadded)
        found["token"] = taking.text(TOKEN, token)
        for given, missing in ((USERNAME, PASSWORD), (PASSWORD, USERNAME)):
            if environment.get(given) and not environment.get(missing):
                faults.append(SettingFault(missing, f"is missing, and {given} is there"))
        found["certificate"] = found["private_key"] = taking.text(CERTIFICATE, certificate_with_key)
    return found


def tracking_uri(text: str) -> str:
    """The URL of a tracking server, its static prefix included."""
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be the URL of a tracking server, which begins with https:// or http://")
    return addresses.http_url(text).rstrip("/")


def user(text: str) -> str:
    """A user name for basic authentication, which must not contain a colon (RFC 7617)."""
    if ":" in parsers.utf8(text) or not text.isprintable():
        raise ValueError("must not contain a colon or control characters")
    return text


def token(text: str) -> str:
    """A bearer token that is safe in a header."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII characters without a space")
    return text


def certificate_with_key(path: str) -> str:
    """The path of a PEM file that has both."""
    text = read_text(path)
    if "-----BEGIN CERTIFICATE" not in text or "PRIVATE KEY-----" not in text:
        raise ValueError("must lead to a PEM file with a certificate and its private key")
    return path


class _Taking:
    def __init__(self, environment: Mapping[str, str], faults: list[SettingFault]) -> None:
        self._environment = environment
        self._faults = faults

    def text(self, variable: str, parse: Callable[[str], T]) -> T | None:
        """A variable's value; ``None`` where it is not set, or after a fault."""
        given = self._environment.get(variable)
        try:
            return parse(given) if given else None
        except ValueError as error:
            self._faults.append(SettingFault(variable, str(error)))
            return None
