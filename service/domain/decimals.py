"""Exact decimal arithmetic on logged numbers, with a bounded number of digits."""

from __future__ import annotations

import decimal
from decimal import Decimal

from service.domain import points

EXACT = decimal.Context(prec=2000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[decimal.Inexact])
"""Raises ``decimal.Inexact`` where a result has more digits, so that loggers cannot choose the amount of work."""
ROUNDED = decimal.Context(prec=17, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
"""17 significant digits, which distinguish all double precision numbers."""


def difference(value: Decimal, from_: Decimal) -> Decimal | None:
    """``value`` minus ``from_``, exactly; ``None`` where one is not finite or there are too many digits."""
    if not (value.is_finite() and from_.is_finite()):
        return None
    try:
        return EXACT.subtract(value, from_)
    except decimal.Inexact:
        return None


def ratio(value: Decimal, to: Decimal) -> Decimal | None:
    """``value`` divided by the absolute of ``to``, to 17 significant digits; ``None`` for 0, NaN and infinities."""
    if not to:
        return None
    found = ROUNDED.divide(value, to.copy_abs())
    return found if found.is_finite() else None


def literal(number: Decimal | None) -> bytes:
    """A number in JSON without trailing zeros; ``null`` for ``None``."""
    if number is None:
        return points.NULL
    if not number:
        return b"0"
    _, digits, exponent = number.as_tuple()
    if isinstance(exponent, int) and exponent > 0:
        number = EXACT.normalize(number)
    elif isinstance(exponent, int) and exponent < 0 and digits[-1] == 0:
        number = EXACT.normalize(number)
        if number.as_tuple().exponent > 0:  # type: ignore[operator]
            number = EXACT.quantize(number, Decimal(1))
    return str(number).encode("ascii")
