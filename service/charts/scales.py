"""Scales of numbers: their bounds, their ticks, and exact labels of the ticks.

Vega's own labels have as many digits as the span needs, and a constant has no span: 0.97 alone would be labelled ``1``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from service.domain.series.reasons import LARGEST

_LEAST_SPAN = 1e-300
"""The shortest span; shorter ones are widened, since Vega divides by the span."""
_NICE = (1, 2, 5, 10)
_ROOM = 10
"""A label of more characters is written in E notation where that is shorter."""
_MOST_DECIMALS = 20
_NO_FIXED = 1e21
"""d3's bounds of the fixed notation: digits after the point, and JavaScript's greatest number."""
_CLOSE = 0.7
"""Beside a value that is a tick itself, ticks closer than so many steps are left out."""
_DISTINCT = 4
"""Ticks are at least so many neighbouring ``float``s apart."""


def has_place(number: float) -> bool:
    """Whether an axis can show the number."""
    return abs(number) < LARGEST


class Scale(msgspec.Struct, frozen=True):
    """A scale; ``format`` is the d3 format in which every tick's label is exact.

    ``values`` are the ticks that stand for values: for the only one, or for two as close as numbers can be.
    """

    domain: tuple[float, float]
    ticks: Sequence[float]
    format: str
    values: Sequence[float] = ()


def linear(values: Iterable[float], most: int, *, zero: bool = False, whole: bool = False, nice: bool = True) -> Scale:
    """A scale over ``values``, all of them less than ``LARGEST``, with about ``most`` ticks.

    With ``zero`` it begins at zero, with ``whole`` its ticks are whole numbers, and with ``nice`` it begins and ends at
    ticks. A single value is a tick itself.
    """
    known = [*values]
    if not known:
        return Scale((0.0, 1.0), (), "")
    low, high = min(known), max(known)
    if low == high:
        return _from_zero(low, most) if zero and low else _constant(low, zero=zero)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    step = _step(low, high, most)
    step = max(step, Decimal(1)) if whole else step
    if float(step) < _DISTINCT * math.ulp(max(-low, high)) or high - low < _LEAST_SPAN:
        beyond = max(high - low, _LEAST_SPAN)
        return _of_values((low - beyond, high + beyond), [low, high])
    outer, inner = (ROUND_FLOOR, ROUND_CEILING) if nice else (ROUND_CEILING, ROUND_FLOOR)
    ticks = _multiples(step, int(_ratio(low, step, outer)), int(_ratio(high, step, inner)))
    return _scale((min(low, *ticks), max(high, *ticks)) if ticks else (low, high), ticks or [low, high])


def logarithmic(values: Iterable[float], most: int, *, nice: bool = True) -> Scale:
    """A scale by ratios over ``values``, all of them greater than 0 and less than ``LARGEST``.

    Its ticks are powers of ten, with 2 and 5 times these where they fit, and equal steps in a span of less than a
    factor of three.
    """
    known = [*values]
    if not known:
        return Scale((1.0, 10.0), (), "")
    low, high = min(known), max(known)
    if low == high:
        return _of_values((max(low / 2, math.ulp(0.0)), min(low * 2, LARGEST)), [low])
    if high / 3 < low:
        return linear(known, most, nice=nice)
    digits = (1, 2, 5)
    first, last = Decimal(repr(low)).adjusted(), Decimal(repr(high)).adjusted()
    finest = [float(Decimal(digit).scaleb(power)) for power in range(first, last + 2) for digit in digits]
    within = [tick for tick in finest if low <= tick <= high]
    if nice:
        outer = (
            max((tick for tick in finest if 0 < tick <= low), default=low),
            min(tick for tick in finest if tick >= high),
        )
        within = [tick for tick in finest if outer[0] <= tick <= outer[1]]
    else:
        outer = (low, high)
    if len(within) > most:
        powers = [float(Decimal(1).scaleb(power)) for power in range(first, last + 2)]
        powers = [power for power in powers if outer[0] <= power <= outer[1]]
        within = powers[:: max(1, -(-len(powers) // most))]
    made = _scale(outer, within or [low, high])
    # All ticks in E notation or none: a mixture would hide that their distances are equal.
    return replace(made, format=made.format.replace("~g", "~e")) if made.format.endswith("~g") else made


def _constant(value: float, *, zero: bool) -> Scale:
    if zero:
        return _scale((0.0, 1.0), [0.0])
    padding = max(abs(value) / 2, _LEAST_SPAN) if value else 1.0
    return _of_values((value - padding, value + padding), [value])


def _from_zero(value: float, most: int) -> Scale:
    """A scale from zero to a single value."""
    low, high = min(value, 0.0), max(value, 0.0)
    step = _step(low, high, most)
    if high - low < _LEAST_SPAN:
        return _scale((min(low, -_LEAST_SPAN), max(high, _LEAST_SPAN)), [low, high])
    ticks = _multiples(step, int(_ratio(low, step, ROUND_CEILING)), int(_ratio(high, step, ROUND_FLOOR)))
    apart = [tick for tick in ticks if abs(tick - value) > _CLOSE * float(step)]
    return replace(_scale((low, high), sorted([*apart, value])), values=(value,))


def _step(low: float, high: float, most: int) -> Decimal:
    """The least of 1, 2 and 5 times a power of ten that makes ``most`` ticks at most."""
    least = (Decimal(repr(high)) - Decimal(repr(low))) / most
    power = Decimal(1).scaleb(least.adjusted())
    return next(factor * power for factor in _NICE if factor * power >= least)


def _ratio(number: float, step: Decimal, rounding: str) -> Decimal:
    return (Decimal(repr(number)) / step).to_integral_value(rounding)


def _multiples(step: Decimal, first: int, last: int) -> list[float]:
    return [float(step * number) for number in range(first, last + 1)]


def _scale(domain: tuple[float, float], ticks: Sequence[float]) -> Scale:
    return Scale(domain, ticks, _format([Decimal(repr(tick)).normalize() for tick in ticks]))


def _of_values(domain: tuple[float, float], values: Sequence[float]) -> Scale:
    return replace(_scale(domain, values), values=values)


def _format(ticks: Sequence[Decimal]) -> str:
    decimals = [max(0, -_exponent(tick)) for tick in ticks]
    digits = max(len(tick.as_tuple().digits) for tick in ticks)
    most = max(decimals)
    fixed = max(len(f"{tick:,.{most}f}") for tick in ticks)
    scientific = max(len(f"{tick:.{digits - 1}e}") for tick in ticks)
    beyond = most > _MOST_DECIMALS or any(abs(tick) >= _NO_FIXED for tick in ticks)
    if beyond or (fixed > _ROOM and scientific < fixed):
        return f".{digits}~g"
    return f",.{most}~f" if _uneven(ticks) else f",.{most}f"


def _exponent(tick: Decimal) -> int:
    return int(tick.as_tuple().exponent)


def _uneven(ticks: Sequence[Decimal]) -> bool:
    """Whether the ticks are not equally spaced."""
    return len({after - before for before, after in pairwise(ticks)}) > 1
