"""The sources of the runtime's credentials, by SAP's conventions, in the order of SAP's own clients.

1. ``AICORE_SERVICE_KEY``: a service key, JSON, bare or wrapped in ``credentials``.
2. ``AICORE_CLIENT_ID`` and the other variables of ``PARTS``.
3. A configuration file: the one that ``AICORE_CONFIG`` names, else ``config.json`` or ``config_<AICORE_PROFILE>.json``
   in ``AICORE_HOME`` (``~/.aicore``). It holds such variables, or is a service key itself.
4. ``VCAP_SERVICES``: the credentials of the first ``aicore`` binding.

All parts come from the first source that has any; later ones are not read. The resource group is looked up separately,
in the environment and then in the file: service keys have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from service.settings.bindings import VARIABLE as VCAP
from service.settings.bindings import Bindings
from service.settings.json_objects import Document, is_there, parse_object, read_text, text_at
from service.settings.setting_faults import SettingFault, Unreadable

PARTS = {
    part: f"AICORE_{part.upper()}"
    for part in (
        "client_id",
        "client_secret",
        "auth_url",
        "base_url",
        "cert_url",
        "cert_file_path",
        "key_file_path",
        "cert_str",
        "key_str",
    )
}
"""The parts of a source, and their variables."""

SERVICE_KEY = "AICORE_SERVICE_KEY"
RESOURCE_GROUP = "AICORE_RESOURCE_GROUP"
PLACES = ("AICORE_CONFIG", "AICORE_HOME", "AICORE_PROFILE")

_DEFAULT_PROFILE = ("", "default")
_IN_KEY = {
    "client_id": "clientid",
    "client_secret": "clientsecret",
    "auth_url": "url",
    "base_url": "serviceurls.AI_API_URL",
    "cert_url": "certurl",
    "cert_str": "certificate",
    "key_str": "key",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The parts of one source. A fault names ``variable`` or, where that is ``None``, the part's own."""

    parts: Mapping[str, str] = field(repr=False)
    names: Mapping[str, str]
    variable: str | None = None
    place: str = ""

    def fault(self, part: str, detail: str) -> SettingFault:
        name = self.names.get(part, PARTS[part])
        if self.variable is None:
            return SettingFault(name, detail)
        return SettingFault(self.variable, f"{self.place}{name} {detail}")


def sources(environment: Mapping[str, str], file: ConfigurationFile, bindings: Bindings) -> Iterator[Source]:
    """All sources in order of precedence, each read when needed. Raises ``Unreadable`` for a broken one."""
    if environment.get(SERVICE_KEY):
        yield _service_key(_parsed(SERVICE_KEY, environment[SERVICE_KEY]), SERVICE_KEY)
    yield _variables(environment)
    yield from file.sources()
    for place, found in bindings.credentials("aicore")[:1]:
        yield _service_key(found, VCAP, f"{place}.")


class ConfigurationFile:
    """The optional configuration file of SAP's clients, read once, when it is needed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def sources(self) -> Iterator[Source]:
        variable, place = self._variable, "its file's "
        key = self._document.get(SERVICE_KEY)
        if key:
            found = key if isinstance(key, dict) else _parsed(variable, str(key), f"{place}{SERVICE_KEY} ")
            yield _service_key(found, variable, f"{place}{SERVICE_KEY}.")
        yield _variables(self._document, variable, place)
        yield _service_key(self._document, variable, place)

    def resource_group(self) -> str | None:
        """Raises ``Unreadable`` as ``sources`` does."""
        return _text(self._document, (RESOURCE_GROUP,), SettingFault(self._variable, f"its file's {RESOURCE_GROUP}"))

    @property
    def _variable(self) -> str:
        named = self._environment.get("AICORE_CONFIG")
        profile = self._environment.get("AICORE_PROFILE", "") not in _DEFAULT_PROFILE
        return "AICORE_CONFIG" if named else "AICORE_PROFILE" if profile else "AICORE_HOME"

    @cached_property
    def _document(self) -> Document:
        try:
            path = self._path()
            if path is None or (self._variable == "AICORE_HOME" and not is_there(path)):
                return {}
            text = read_text(path)
        except ValueError as error:
            raise Unreadable(SettingFault(self._variable, str(error))) from None
        return _parsed(self._variable, text, "leads to a file that ")

    def _path(self) -> Path | None:
        named, home, profile = (self._environment.get(name, "") for name in PLACES)
        if named:
            return Path(named)
        if "/" in profile or "\\" in profile:
            raise ValueError("must be the name of a profile, not a path")
        if not home and not self._environment.get("HOME"):
            return None
        directory = Path(home) if home else Path(self._environment["HOME"]) / ".aicore"
        return directory / ("config.json" if profile in _DEFAULT_PROFILE else f"config_{profile}.json")


def _variables(document: Document, variable: str | None = None, place: str = "") -> Source:
    parts = {
        part: _text(document, (name,), SettingFault(variable or name, f"{place}{name}")) for part, name in PARTS.items()
    }
    return Source(_present(parts), PARTS, variable, place)


def _service_key(key: Document, variable: str, place: str = "") -> Source:
    """A service key, also in the form of ``cf service-key`` from version 8 on, within ``credentials``."""
    if "credentials" in key:
        key, place = key["credentials"], f"{place}credentials."
        if not isinstance(key, Mapping):
            raise Unreadable(SettingFault(variable, f"{place.removesuffix('.')} must be an object"))
    parts = {
        part: _text(key, tuple(path.split(".")), SettingFault(variable, place + path)) for part, path in _IN_KEY.items()
    }
    return Source(_present(parts), _IN_KEY, variable, place)


def _present(parts: Mapping[str, str | None]) -> dict[str, str]:
    return {part: text for part, text in parts.items() if text is not None}


def _text(document: Document, path: tuple[str, ...], about: SettingFault) -> str | None:
    try:
        return text_at(document, path)
    except ValueError as error:
        raise Unreadable(SettingFault(about.variable, f"{about.detail} {error}")) from None


def _parsed(variable: str, text: str, place: str = "") -> Mapping[str, Any]:
    try:
        return parse_object(text)
    except ValueError as error:
        raise Unreadable(SettingFault(variable, place + str(error))) from None
