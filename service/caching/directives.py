"""What a request asks of a cache (RFC 9111 section 5.2.1), and whether a stored answer satisfies it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from service.caching.freshness import Freshness, State

_ELEMENT = re.compile(r'(?:"[^"]*"|[^,"])+')
_SECONDS = re.compile(r"[0-9]+")
_LONGEST = 2**31
"""RFC 9111, 1.2.2: a number of seconds too large to represent is taken as this one."""


@dataclass(frozen=True, slots=True)
class RequestDirectives:
    """The directives of one request, times in seconds; ``None`` where the request has no such directive.

    ``max_stale`` is infinite for a ``max-stale`` without a value: an answer may be stale by any time.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    max_stale: float | None = None
    min_fresh: int | None = None
    only_if_cached: bool = False


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


def content_with(freshness: Freshness, directives: RequestDirectives, min_refresh: float) -> bool:
    """Whether an answer so young (below ``min_refresh`` seconds) is what a request means that speaks of age.

    ``max-age=0`` is what browsers poll with, and ``Age`` counts whole seconds: a moment old is as good as new to it.
    """
    speaks_of_age = directives.max_age is not None or directives.min_fresh is not None
    return (
        speaks_of_age
        and not directives.no_cache
        and freshness.state is not State.EXPIRED
        and freshness.age < min_refresh
    )


def satisfies(freshness: Freshness, directives: RequestDirectives) -> bool:
    """Whether a stored answer of this freshness may be given without asking the runtime first.

    ``no-store`` says nothing about answers stored before (5.2.1.5), and ``only-if-cached`` changes only what happens
    when this is false (5.2.1.7). An expired answer is never given, whatever the request would accept.
    """
    if directives.no_cache or freshness.state is State.EXPIRED:
        return False
    return _young_enough(freshness, directives) and _fresh_enough(freshness, directives)


def _young_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.1 ``max-age``; with 0 the request asks for a new answer, however young the stored one is."""
    if directives.max_age is None:
        return True
    return directives.max_age > 0 and freshness.age <= directives.max_age


def _fresh_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.2 ``max-stale`` and 5.2.1.3 ``min-fresh``.

    The service's own ``stale-while-revalidate`` (RFC 5861) counts only for a request that says nothing about age.
    """
    if directives.min_fresh is not None and freshness.ttl < directives.min_fresh:
        return False
    if freshness.state is State.FRESH:
        return True
    if directives.max_stale is not None:
        return -freshness.ttl <= directives.max_stale
    silent = directives.max_age is None and directives.min_fresh is None
    return silent and freshness.state is State.STALE_USABLE


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
