"""Strict JSON (RFC 8259): no duplicate members, no NaN or infinities, bounded depth.

One pass of the standard library's scanner, which never goes back in the text, and one walk over its result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn


def read(
    text: str, *, deepest: int, parse_int: Callable[[str], Any] = int, parse_float: Callable[[str], Any] = float
) -> Any:
    """The value of ``text``; numbers are the results of ``parse_int`` and ``parse_float``.

    Raises ``ValueError`` for invalid JSON, duplicate members at any level, ``NaN`` and the infinities, and for more
    than ``deepest`` levels of arrays and objects.
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
    """Whether there are more than ``than`` levels of arrays and objects; each is visited once."""
    level = _containers([value])
    for _ in range(than):
        level = _containers(inner for outer in level for inner in _inner(outer))
    return bool(level)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, (dict, list))]


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
