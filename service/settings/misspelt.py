"""Finds variables that were probably meant for the service and would silently do nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from service.settings.faults import SettingFault

_PREFIXES = ("JWT_", "CACHE_", "RUNTIME_", "CORS_", "ROLE_", "REQUIRE_", "DEFAULT_")
_CLOSE = 0.65
"""Of what follows the prefix. Platforms set ``CACHE_PORT``, ``RUNTIME_DIRECTORY`` and the like: these are not close."""


def misspelt(environment: Mapping[str, str], known: Collection[str]) -> Iterator[SettingFault]:
    """A fault for each unknown variable that is set and resembles a known one."""
    for name in sorted(environment.keys() - set(known)):
        likeness = _likeness(name, known) if environment[name] and name.isidentifier() else None
        if likeness is not None:
            yield SettingFault(name, f"is unknown; did you mean {likeness}?")


def _likeness(name: str, known: Collection[str]) -> str | None:
    prefix = next(filter(name.startswith, _PREFIXES), None)
    if prefix is None:
        return None
    endings = [other.removeprefix(prefix) for other in known if other.startswith(prefix)]
    close = get_close_matches(name.removeprefix(prefix), endings, 1, _CLOSE)
    return prefix + close[0] if close else None
