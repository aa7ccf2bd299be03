"""Aggregates of a run's metrics (``Loss:min``), and expectations of them (``Loss:min<0.1``).

Metrics are written as in ``metric_references``; one whose name is the whole text, with brackets, takes precedence.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from enum import StrEnum

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain import decimals, points
from service.domain.metric_references import MetricReference
from service.domain.metric_summaries import MetricSummaries
from service.domain.series.summary import Summary


class Aggregate(StrEnum):
    """An aggregate of a metric's points, ordered by step, then timestamp, then as in the runtime's answer."""

    FIRST = "first"
    LAST = "last"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    COUNT = "count"


_AGGREGATE = "|".join(Aggregate)
_OPERATORS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_AGGREGATED = re.compile(rf"(?P<metric>.+):(?P<aggregate>{_AGGREGATE})", re.DOTALL)
_EXPECTED = re.compile(
    rf"{_AGGREGATED.pattern} ?(?P<operator>{'|'.join(_OPERATORS)}) ?(?P<number>[^\s<>=!]+)", re.DOTALL
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
PATTERN = (
    rf"^.+:({_AGGREGATE}) ?(<=|>=|==|!=|<|>) ?[+-]?([0-9]{{1,300}}(\.[0-9]{{0,300}})?|\.[0-9]{{1,300}})"
    r"([eE][+-]?[0-9]{1,6})?$"
)
"""The pattern of expectations in the OpenAPI document."""
_LONGEST_NUMBER, _LONGEST_SHOWN = 1000, 50
_LIMITS = f" of up to {_LONGEST_NUMBER:,} characters, whose exponent has up to 6 digits"
_PRODUCTS = Context(prec=10_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
_FORM = "must be a metric and an aggregate such as Loss:min or Loss[dataset=validation]:last; aggregates are " + (
    ", ".join(Aggregate)
)
_EXPECTED_FORM = "must be a metric, an aggregate, a comparison and a number, such as Accuracy:last>=0.9"


class NotUnderstood(ValueError):
    """The text cannot be read; the message says what it must be."""


class MetricAggregate(msgspec.Struct, frozen=True):
    """An aggregate of a metric, written ``Loss:min``."""

    metric: MetricReference
    aggregate: Aggregate

    def __str__(self) -> str:
        return f"{self.metric.text}:{self.aggregate}"

    @classmethod
    def of(cls, text: str) -> MetricAggregate:
        """Raises ``NotUnderstood``."""
        match = _AGGREGATED.fullmatch(text)
        if match is None:
            raise NotUnderstood(_FORM)
        return cls(MetricReference.of(match["metric"]), Aggregate(match["aggregate"]))

    def value(self, summaries: MetricSummaries) -> AggregateValue | None:
        """``None`` where the run has no such metric."""
        found = summaries.of(self.metric)
        return None if found is None else _value(found, self.aggregate)


class AggregateValue(msgspec.Struct, frozen=True, gc=False):
    """``value`` and ``step`` are JSON literals, ``null`` where there is none; only values of one point have a ``step``.

    ``total`` divided by ``added`` is the exact value, where they are given; ``rounded`` is whether ``value`` is a
    rounded one whose further digits are not known.
    """

    value: bytes
    step: bytes = points.NULL
    total: Decimal | None = None
    added: int = 1
    rounded: bool = False

    @property
    def number(self) -> Decimal | None:
        """The value as a decimal; ``None`` where it is not a number."""
        value = points.exact(self.value) if self.value != points.NULL else Decimal("NaN")
        return None if value.is_nan() else value

    @property
    def is_rounded(self) -> bool:
        """Whether ``value`` is not the exact value."""
        value = self.number
        if value is None or self.total is None:
            return self.rounded
        return _PRODUCTS.multiply(value, Decimal(self.added)) != self.total

    def is_too_close_to(self, number: Decimal) -> bool:
        """Whether the comparison depends on further digits of the value, which are not known."""
        value = self.number if self.rounded else None
        return value is not None and value.is_finite() and decimals.ROUNDED.plus(number) == value

    def compares(self, compare: Callable[[Decimal, Decimal], bool], number: Decimal) -> bool:
        """Whether the exact comparison holds; it never does without a value, for NaN, or where digits are missing."""
        value = self.number
        if value is None:
            return False
        if self.is_too_close_to(number):
            return False
        if self.total is None:
            return compare(value, number)
        return compare(self.total, _PRODUCTS.multiply(number, Decimal(self.added)))


class Check(msgspec.Struct, frozen=True):
    """The result of an expectation; ``value`` is a JSON literal, ``null`` where there is none."""

    expect: str
    passed: bool
    value: bytes
    detail: str


class Expectation(msgspec.Struct, frozen=True):
    """An expectation of an aggregate, written ``Accuracy:last>=0.9``."""

    text: str
    metric_aggregate: MetricAggregate
    comparison: str
    number: Decimal

    @classmethod
    def of(cls, text: str) -> Expectation:
        """Raises ``NotUnderstood``."""
        match = _EXPECTED.fullmatch(text.strip())
        if match is None:
            raise NotUnderstood(f"{_EXPECTED_FORM}; aggregates are {', '.join(Aggregate)}")
        aggregate = MetricAggregate(MetricReference.of(match["metric"]), Aggregate(match["aggregate"]))
        return cls(text, aggregate, match["operator"], _number(match["number"]))

    def check(self, summaries: MetricSummaries) -> Check:
        """Check a run's metrics. A metric that was not logged does not pass."""
        found = self.metric_aggregate.value(summaries)
        if found is None:
            return Check(self.text, False, points.NULL, summaries.absence(self.metric_aggregate.metric))
        passed = found.compares(_OPERATORS[self.comparison], self.number)
        return Check(self.text, passed, found.value, self._detail(found, passed))

    def _detail(self, found: AggregateValue, passed: bool) -> str:
        name = f"{self.metric_aggregate.aggregate} of {self.metric_aggregate.metric.text}"
        if found.value == points.NULL:
            return f"{name}: {_absence(self.metric_aggregate.aggregate, found.added)}"
        value = found.value.decode("ascii").strip('"')
        digits = " (to 17 digits)" if found.is_rounded else ""
        at = f" at step {found.step.decode('ascii')}" if found.step != points.NULL else ""
        if value == "NaN":
            return f"{name} is NaN{at}, which passes no check"
        if found.is_too_close_to(self.number):
            return f"{name} is {value} to 17 digits, too close to {self.number} to tell"
        return f"{name} is {value}{digits}{at}, which is {'' if passed else 'not '}{self.comparison} {self.number}"


def _absence(aggregate: Aggregate, added: int) -> str:
    """Why a metric that was logged has no such value; ``added`` numbers are in its mean."""
    match aggregate:
        case Aggregate.FIRST | Aggregate.LAST:
            return "no value can be read"
        case Aggregate.MEAN if added:
            return "its values are too large, or too far apart, to be added exactly"
        case _:
            return "no value is a number"


class _Point(msgspec.Struct):
    step: Raw
    value: Raw


_point = json_decoder(_Point).decode


def _value(summary: Summary, aggregate: Aggregate) -> AggregateValue:
    match aggregate:
        case Aggregate.COUNT:
            return AggregateValue(b"%d" % summary.count)
        case Aggregate.MEAN:
            total = None if summary.total is None else Decimal(summary.total.decode("ascii"))
            return AggregateValue(summary.mean, total=total, added=summary.added, rounded=total is None)
        case _:
            text: bytes | None = getattr(summary, aggregate)
            if text is None:
                return AggregateValue(points.NULL)
            point = _point(text)
            return AggregateValue(bytes(point.value), bytes(point.step))


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        shown = repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}…"
        raise NotUnderstood(f"{_EXPECTED_FORM}; {shown} is not a decimal number{_LIMITS}")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise NotUnderstood(_EXPECTED_FORM + _LIMITS) from error
