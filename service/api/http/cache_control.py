"""The request's ``Cache-Control`` field (RFC 9111, 5.2.1)."""

from __future__ import annotations

import math
import re

from service.domain.freshness import RequestDirectives

_ELEMENT = re.compile(r'(?:"[^"]*"|[^,"])+')
_SECONDS = re.compile(r"[0-9]+")
_LONGEST = 2**31
"""RFC 9111, 1.2.2: a number of seconds too large to represent is taken as this one."""


def parse_directives(cache_control: str | None, pragma: str | None = None) -> RequestDirectives:
    """Read a ``Cache-Control`` field value, or ``Pragma`` where there is none (RFC 9111, 5.4). Never raises.

    Unknown directives are ignored. Of a directive given twice the most restrictive value counts, and a number that
    cannot be read counts as the most restrictive one (RFC 9111, 4.2.1).
    """
    if cache_control is None:
        return RequestDirectives(no_cache="no-cache" in _arguments(pragma or ""))
    given = _arguments(cache_control)
    return RequestDirectives(
        no_cache="no-cache" in given,
        no_store="no-store" in given,
        max_age=min((_seconds(value, unreadable=0) for value in given.get("max-age", ())), default=None),
        max_stale=min((_staleness(value) for value in given.get("max-stale", ())), default=None),
        min_fresh=max((_seconds(value, unreadable=_LONGEST) for value in given.get("min-fresh", ())), default=None),
        only_if_cached="only-if-cached" in given,
    )


def _arguments(field: str) -> dict[str, list[str | None]]:
    """The arguments under each directive's lower-case name; ``None`` for one without an argument."""
    given: dict[str, list[str | None]] = {}
    for element in _ELEMENT.findall(field):
        name, equals, argument = element.partition("=")
        given.setdefault(name.strip().lower(), []).append(_unquoted(argument) if equals else None)
    return given


def _unquoted(argument: str) -> str:
    """RFC 9111, 5.2: an argument may come as a token or as a quoted string."""
    argument = argument.strip()
    if len(argument) >= 2 and argument[0] == argument[-1] == '"':
        return argument[1:-1].strip()
    return argument


def _seconds(argument: str | None, *, unreadable: int) -> int:
    if argument is None or not _SECONDS.fullmatch(argument):
        return unreadable
    return _LONGEST if len(argument.lstrip("0")) > 10 else min(int(argument), _LONGEST)


def _staleness(argument: str | None) -> float:
    return math.inf if argument is None else _seconds(argument, unreadable=0)
