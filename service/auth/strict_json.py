"""JSON as RFC 8259 and RFC 8725 want it in tokens: UTF-8, no member twice, nothing that readers disagree about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

_DEEPEST = 32


def read_object(encoded: bytes) -> dict[str, Any]:
    """The object that ``encoded`` is.

    Raises ``ValueError`` for anything else: another encoding than UTF-8, lone surrogates, a member twice at any level,
    ``NaN`` and numbers too large for a double, or more than 32 levels.
    """
    try:
        found = json.loads(
            encoded.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    if _depth(found) > _DEEPEST:
        raise ValueError("too deep")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("too large")
    return number


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= _DEEPEST:
        deepest += 1
        level = [inner for outer in level for inner in _inner(outer)]
    return deepest


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
