"""JSON (RFC 8259) about which no two readers disagree: no member twice, nothing that JSON cannot hold, bounded depth.

One pass of the standard library's scanner, which never goes back in the text, and one walk over what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn


def read(
    text: str, *, deepest: int, parse_int: Callable[[str], Any] = int, parse_float: Callable[[str], Any] = float
) -> Any:
    """What ``text`` says; numbers are what ``parse_int`` and ``parse_float`` make of their digits.

    Raises ``ValueError`` for what is no JSON, a member twice at any level, ``NaN`` and the infinities, and for more
    than ``deepest`` arrays and objects within each other.
    """
    try:
        found = json.loads(
            text, parse_int=parse_int, parse_float=parse_float, parse_constant=_refuse, object_pairs_hook=_once_each
        )
    except RecursionError:
        raise ValueError("too deep") from None
    if _deeper(found, deepest):
        raise ValueError("too deep")
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _deeper(value: Any, than: int) -> bool:
    """Whether more than so many arrays and objects are within each other; each is looked at once."""
    level = _containers([value])
    for _ in range(than):
        level = _containers(inner for outer in level for inner in _inner(outer))
    return bool(level)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, (dict, list))]


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
