"""Sums of decimals: exact, or with an error bound."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce

import msgspec

from service.domain import decimals, points

_DIGITS = 2000
_FEW_DIGITS = 40
"""Digits that are written one by one, and not as zeros of an exponent."""
_WIDE = decimal.Context(prec=_DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
_BOUND = decimal.Context(prec=20, rounding=decimal.ROUND_UP, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
_ZERO = Decimal(0)


class Total(msgspec.Struct, gc=False):
    """The sum of ``added`` values, of which NaN stands for an unknown number.

    ``exact`` is ``None`` where a value is not finite, and where the sum has more than 2000 digits; then a rounded sum
    is kept, with its error bound.
    """

    exact: Decimal | None = _ZERO
    added: int = 0
    _rounded: Decimal = _ZERO
    _off: Decimal = _ZERO
    _infinite: frozenset[Decimal] = frozenset()
    _unknown: bool = False

    def add(self, values: Sequence[Decimal]) -> None:
        self.added += len(values)
        if self.exact is not None:
            try:
                total = reduce(decimals.EXACT.add, values, self.exact)
            except decimal.Inexact:
                pass
            else:
                if total.is_finite():
                    self.exact = total
                    return
            self._rounded, self.exact = self.exact, None
        for value in values:
            self._add(value)

    def add_literals(self, literals: Sequence[bytes]) -> None:
        """Add values by their JSON literals, none of them NaN; one beyond the range of decimals is unknown."""
        try:
            values = list(map(Decimal, map(bytes.decode, literals)))
        except decimal.InvalidOperation:
            values = list(map(_decimal, literals))
        self.add(values)

    def join(self, other: Total) -> None:
        """Add the values of ``other``."""
        if other.exact is not None:
            self.add([other.exact])
            self.added += other.added - 1
            return
        self.add([*other._infinite, other._rounded])
        self.added += other.added - len(other._infinite) - 1
        if self.exact is not None:
            self._rounded, self.exact = self.exact, None
        self._off = _BOUND.add(self._off, other._off)
        self._unknown |= other._unknown

    def mean(self) -> bytes:
        """The mean as a JSON literal, to 17 significant digits, a single value exactly; ``null`` where there is none or
        its digits are not certain.

        With infinities it follows IEEE 754: infinite, or NaN where both occur.
        """
        if not self.added or self._unknown:
            return points.NULL
        if self._infinite:
            return b'"NaN"' if len(self._infinite) > 1 else b'"%b"' % str(*self._infinite).encode("ascii")
        if self.exact is not None:
            if self.added > 1:
                return decimals.literal(decimals.ROUNDED.divide(self.exact, Decimal(self.added)))
            has_few = len(self.exact.as_tuple().digits) <= _FEW_DIGITS
            return decimals.literal(self.exact if has_few else decimals.EXACT.normalize(self.exact))
        least, greatest = (
            decimals.ROUNDED.divide(edge, Decimal(self.added))
            for edge in (_WIDE.subtract(self._rounded, self._off), _WIDE.add(self._rounded, self._off))
        )
        certain = least == greatest and least.is_finite()
        return decimals.literal(least) if certain else points.NULL

    def _add(self, value: Decimal) -> None:
        if value.is_infinite():
            self._infinite |= {value}
            return
        total = _WIDE.add(self._rounded, value)
        if total.is_finite():
            self._rounded = total
            self._off = _BOUND.add(self._off, _BOUND.scaleb(total.copy_abs(), 1 - _DIGITS))
        else:
            self._unknown = True


def _decimal(literal: bytes) -> Decimal:
    """A decimal; NaN for a number out of its range."""
    try:
        return Decimal(literal.decode("ascii").strip('"'))
    except decimal.InvalidOperation:
        return Decimal("NaN")
