"""The summary of two series as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.series.exact_sum import Total
from service.domain.series.summary import Summary

_NAN = b'"NaN"'
_INFINITE = frozenset({b'"Infinity"', b'"-Infinity"', _NAN})


class _Point(msgspec.Struct):
    step: Raw
    timestamp: str | None
    value: Raw


_decode = json_decoder(_Point).decode


def joined(one: Summary, other: Summary) -> Summary:
    """The summary of the points of both, with the name and labels of ``one``, whose points come first where the order
    of a series leaves that open."""
    both = (one, other)
    total, mean = _total(both)
    return replace(
        one,
        count=one.count + other.count,
        first=min((each.first for each in both), key=lambda point: _order(point, absent_last=True)),
        last=max((each.last for each in reversed(both)), key=lambda point: _order(point, absent_last=False)),
        min=min((each.min for each in both if each.min is not None), key=_value, default=None),
        max=max((each.max for each in both if each.max is not None), key=_value, default=None),
        mean=mean,
        total=total,
        added=one.added + other.added,
    )


def _total(both: Sequence[Summary]) -> tuple[bytes | None, bytes]:
    """The sum of all values, and their mean."""
    parts = [each for each in both if each.added]
    rounded = {each.mean for each in parts if each.total is None}
    if not rounded:
        sums = [Decimal(each.total.decode("ascii")) for each in parts if each.total is not None]
        total = Total()
        total.add(sums)
        total.added = sum(each.added for each in parts)
        return (str(total.exact).encode("ascii") if parts and total.exact is not None else None), total.mean()
    infinite = rounded & _INFINITE
    if points.NULL in rounded or not infinite:
        return None, points.NULL
    return None, infinite.pop() if len(infinite) == 1 else _NAN


def _order(text: bytes, *, absent_last: bool) -> tuple[Any, ...]:
    """The place of a point by step, then timestamp; those without one come last, or first."""
    point = _decode(text)
    step = None if bytes(point.step) == points.NULL else points.exact(bytes(point.step))
    clock, _, fraction = (point.timestamp or "").removesuffix("Z").partition(".")
    return (
        (step is None) is absent_last,
        step or Decimal(0),
        (point.timestamp is None) is absent_last,
        clock,
        fraction.rstrip("0"),
    )


def _value(text: bytes) -> Decimal:
    return points.exact(bytes(_decode(text).value))
