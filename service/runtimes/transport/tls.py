"""TLS: trusted authorities, and client certificates."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from service.runtimes.transport.sockets import BudgetTLSSocket

_PEM = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate (chain) and its unencrypted private key for mutual TLS, each as PEM text or the path of a file.

    PEM text may have its line ends written as ``\\n``, as environment variables carry it.
    """

    certificate: str = field(repr=False)
    private_key: str = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises ``ValueError`` where they cannot be read or do not belong together.

        ``ssl`` reads files only, so PEM text is in a directory of this user's alone, for as long as loading takes.
        """
        with tempfile.TemporaryDirectory(prefix="metric-resource-") as directory:
            try:
                certificate = _file(self.certificate, Path(directory) / "certificate.pem")
                private_key = _file(self.private_key, Path(directory) / "key.pem")
                context.load_cert_chain(certificate, private_key, password=_no_password)
            except OSError as error:
                raise ValueError(f"the client certificate cannot be used: {type(error).__name__}") from None


class Trust(msgspec.Struct, frozen=True):
    """Trusted servers: those of the authorities of a PEM file instead of the system's or, if ``insecure``, all."""

    ca_file: str | None = None
    insecure: bool = False


THE_SYSTEMS = Trust()


def client_context(certificate: ClientCertificate | None, trust: Trust = THE_SYSTEMS) -> ssl.SSLContext:
    """A context that verifies servers against the system's authorities, or certifi's where the system has none.

    OpenSSL's variables ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name other authorities, in place of the system's. Clients
    without a certificate share one context: loading the authorities takes longer than anything else at the start.
    Raises ``ValueError`` where the trust's file has no authorities.
    """
    paths = ssl.get_default_verify_paths()
    if certificate is None:
        return _anonymous_context(paths, trust)
    context = _new_context(paths, trust)
    certificate.load_into(context)
    return context


@lru_cache(maxsize=16)
def _anonymous_context(paths: ssl.DefaultVerifyPaths, trust: Trust) -> ssl.SSLContext:
    return _new_context(paths, trust)


def _new_context(paths: ssl.DefaultVerifyPaths, trust: Trust) -> ssl.SSLContext:
    try:
        file = trust.ca_file or (None if _has_authorities(paths) else DEFAULT_CA_BUNDLE_PATH)
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        raise ValueError(f"the certificates of authorities cannot be read: {type(error).__name__}") from None
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = BudgetTLSSocket
    return context


def _has_authorities(paths: ssl.DefaultVerifyPaths) -> bool:
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))


def _file(pem_or_path: str, place: Path) -> Path:
    if _PEM not in pem_or_path:
        return Path(pem_or_path)
    place.touch(mode=0o600)
    place.write_text(pem_or_path.replace("\\n", "\n"), encoding="ascii")
    return place


def _no_password() -> str:
    """The password of an encrypted key; the default would ask on the terminal."""
    return ""
