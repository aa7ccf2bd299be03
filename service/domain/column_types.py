"""Column types that hold points without rounding."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.selection.chunks import step

_DIGITS_EXACT = 15
"""Characters up to which every decimal number survives conversion to a double."""
_INT64 = range(-(2**63), 2**63)
_DIGITS_OF_INT64 = 20
_TO_SECONDS = len('"2026-03-29T01:00:13')
_NANOSECOND_YEARS = (b'"1678', b'"2262')
_NOT_FINITE = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})
_NO_TYPE = 10


class ColumnTypes(msgspec.Struct, frozen=True):
    """The types of the columns; ``fraction`` is the most digits of a second, more than 9 where no type has so many."""

    values_are_integers: bool = True
    values_are_doubles: bool = True
    steps_are_integers: bool = True
    fraction: int = 0
    in_nanosecond_years: bool = True

    def __and__(self, other: ColumnTypes) -> ColumnTypes:
        """The types that hold the points of both."""
        return ColumnTypes(
            self.values_are_integers and other.values_are_integers,
            self.values_are_doubles and other.values_are_doubles,
            self.steps_are_integers and other.steps_are_integers,
            max(self.fraction, other.fraction),
            self.in_nanosecond_years and other.in_nanosecond_years,
        )

    @property
    def unit(self) -> str | None:
        """The unit of timestamps; ``None`` for text."""
        if self.fraction <= 6:
            return "us"
        return "ns" if self.fraction <= 9 and self.in_nanosecond_years else None


def types_of(chunks: Iterable[Chunk]) -> ColumnTypes:
    """The types that hold all points of the chunks."""
    found = ColumnTypes()
    for chunk in chunks:
        values, timestamps, steps = points.columns(chunk, ("value", "timestamp", "step"))
        fractions = list(map(_fraction, timestamps))
        found &= ColumnTypes(
            all(map(_is_integer, values)),
            all(map(_is_double, values)),
            all(number is None or number in _INT64 for number in map(step, steps)),
            max(fractions, default=0),
            all(literal == points.NULL or _is_near(literal) for literal in timestamps),
        )
    return found


def _is_integer(literal: bytes) -> bool:
    if literal == points.NULL:
        return True
    if len(literal) > _DIGITS_OF_INT64 or literal == b"-0":
        return False
    return literal.removeprefix(b"-").isdigit() and int(literal) in _INT64


def _is_double(literal: bytes) -> bool:
    if literal == points.NULL or literal in _NOT_FINITE:
        return True
    if len(literal) <= _DIGITS_EXACT and b"e" not in literal and b"E" not in literal:
        return True
    number = float(literal)
    shortest = repr(number)
    if shortest.encode("ascii") == literal:
        return True
    try:
        return math.isfinite(number) and Decimal(shortest) == Decimal(literal.decode("ascii"))
    except InvalidOperation:  # an exponent out of range
        return False


def _fraction(literal: bytes) -> int:
    """Digits of a second, without trailing zeros; 10 where no type holds the timestamp."""
    if literal == points.NULL:
        return 0
    if not literal.endswith(b'Z"'):
        return _NO_TYPE
    return max(0, len(literal[_TO_SECONDS:-2].rstrip(b"0")) - 1)


def _is_near(literal: bytes) -> bool:
    return _NANOSECOND_YEARS[0] <= literal[:5] < _NANOSECOND_YEARS[1]
