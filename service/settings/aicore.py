"""The runtime's URL and the service's credentials there, from the first source that has any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

from service.domain.runtime import RuntimeKind
from service.settings import addresses, parsers
from service.settings.bindings import Bindings
from service.settings.json_objects import read_text
from service.settings.setting_faults import SettingFault, Unreadable
from service.settings.sources import PARTS, RESOURCE_GROUP, ConfigurationFile, Source, sources

_ELSEWHERE = "is missing, and neither AICORE_SERVICE_KEY nor a configuration file nor VCAP_SERVICES has it"
_NEITHER = "is missing, and so is a certificate with its key, which would suffice"


class Connection(TypedDict, total=False):
    """Fields of ``RuntimeSettings``."""

    base_url: str
    client_id: str | None
    client_secret: str | None
    token_url: str | None
    certificate: str | None
    private_key: str | None


class AICore:
    """Reads the ``AICORE_*`` settings; faults are added to ``faults``."""

    def __init__(self, environment: Mapping[str, str], bindings: Bindings, faults: list[SettingFault]) -> None:
        self._environment = environment
        self._bindings = bindings
        self._file = ConfigurationFile(environment)
        self._faults = faults

    def connection(self, *, as_client: bool) -> Connection:
        """The base URL and, where the service is a client of the runtime, its credentials. Incomplete after a fault."""
        try:
            source = self._source()
        except Unreadable as unreadable:
            self._faults.append(unreadable.fault)
            return {}
        if source is None and not self._bindings.sound("aicore"):
            return {}
        taking = _Taking(source or Source({}, PARTS), self._faults)
        connection = Connection(
            base_url=taking.need("base_url", addresses.runtime_url, _ELSEWHERE if not source else "")
        )
        return connection | taking.client() if as_client else connection

    def is_there(self) -> bool:
        """Whether any setting names the runtime, even an invalid one."""
        try:
            return self._source() is not None or not self._bindings.sound("aicore")
        except Unreadable:
            return True

    def _source(self) -> Source | None:
        found = sources(self._environment, self._file, self._bindings)
        return next((one for one in found if one.parts), None)

    def resource_group(self, kind: RuntimeKind) -> str | None:
        """The default resource group of a runtime of that kind, if one is given."""
        variable = RESOURCE_GROUP
        try:
            text = self._environment.get(variable) or self._file.resource_group()
            return None if text is None else parsers.resource_group(text, kind)
        except Unreadable as unreadable:
            self._faults.append(unreadable.fault)
        except ValueError as error:
            self._faults.append(SettingFault(variable, str(error)))
        return None


class _Taking:
    """Reads parts of a source."""

    def __init__(self, source: Source, faults: list[SettingFault]) -> None:
        self._source = source
        self._faults = faults

    def client(self) -> Connection:
        """Client credentials: a secret where there is one, otherwise a certificate."""
        client = Connection(client_id=self.need("client_id", parsers.word))
        if self._has("client_secret") or not self._has("cert_str", "cert_file_path", "key_str", "key_file_path"):
            client["client_secret"] = self.need("client_secret", parsers.unpadded, _NEITHER)
            client["token_url"] = self.need("auth_url", addresses.token_url)
            return client
        client["certificate"] = self._pem("cert")
        client["private_key"] = self._pem("key")
        client["token_url"] = self.need("cert_url" if self._has("cert_url") else "auth_url", addresses.token_url)
        return client

    def need(self, part: str, parse: Callable[[str], str], missing: str = "") -> str:
        """A required part; empty after a fault."""
        text = self._source.parts.get(part)
        if text is None:
            self._blame(part, missing or "is missing")
            return ""
        try:
            return parse(text)
        except ValueError as error:
            self._blame(part, str(error))
            return ""

    def _pem(self, what: str) -> str:
        if self._has(f"{what}_str") or not self._has(f"{what}_file_path"):
            return self.need(f"{what}_str", _pem)
        return self.need(f"{what}_file_path", lambda path: _pem(read_text(path)))

    def _has(self, *parts: str) -> bool:
        return any(part in self._source.parts for part in parts)

    def _blame(self, part: str, detail: str) -> None:
        self._faults.append(self._source.fault(part, detail))


def _pem(text: str) -> str:
    """PEM, whose line ends may be written ``\\n`` as environment variables carry it."""
    text = text.replace("\\n", "\n")
    if "-----BEGIN " not in text or not text.isascii():
        raise ValueError("must be in PEM format: -----BEGIN …")
    return text
