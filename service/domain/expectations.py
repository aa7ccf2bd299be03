"""Aggregates of a run's metrics (``Loss:min``), and expectations of them (``Loss:min<0.1``).

A metric is written as its name, which means the points of all label sets, or with exactly one label set in brackets:
``Loss[dataset=validation]``, ``Loss[fold=1,dataset=test]`` in any order, ``Loss[]`` for the points without labels.
Names and values of labels that hold a comma, an equals sign, a bracket or a quote are written as JSON strings. A metric
whose name is the whole text, with brackets, takes precedence.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from heapq import nsmallest

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain import decimals, points
from service.domain.points import NameValue
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
_LONGEST_NUMBER = 1000
_WORD = r'(?:"(?:[^"\\]|\\.)*"|[^",=\[\]\\]+)'
_LABEL = re.compile(rf"({_WORD})=({_WORD}|)(,|$)", re.DOTALL)
_PLAIN = re.compile(r'[^\s",=\[\]\\](?:[^",=\[\]\\]*[^\s",=\[\]\\])?')
_PRODUCTS = Context(prec=10_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LISTED, _LONGEST_LISTED = 10, 200
_FORM = "must be a metric and an aggregate such as Loss:min or Loss[dataset=validation]:last; aggregates are " + (
    ", ".join(Aggregate)
)
_EXPECTED_FORM = "must be a metric, an aggregate, a comparison and a number, such as Accuracy:last>=0.9"


class NotUnderstood(ValueError):
    """The text cannot be read; the message says what it must be."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a query: ``text`` as written; ``labels`` is ``None`` for all label sets."""

    text: str
    name: str = field(compare=False)
    labels: frozenset[NameValue] | None = field(compare=False, repr=False)
    """Excluded from ``repr``, which names representations: the order of a set differs between processes."""

    @classmethod
    def of(cls, text: str) -> Metric:
        """Read ``Loss`` or ``Loss[dataset=validation]``; text that is neither is a name."""
        start = text.find("[")
        if start <= 0 or not text.endswith("]"):
            return cls(text, text, None)
        labels = _labels(text[start + 1 : -1])
        return cls(text, text, None) if labels is None else cls(text, text[:start], labels)


@dataclass(frozen=True, slots=True)
class Question:
    """An aggregate of a metric, written ``Loss:min``."""

    metric: Metric
    aggregate: Aggregate

    def __str__(self) -> str:
        return f"{self.metric.text}:{self.aggregate}"

    @classmethod
    def of(cls, text: str) -> Question:
        """Raises ``NotUnderstood``."""
        match = _AGGREGATED.fullmatch(text)
        if match is None:
            raise NotUnderstood(_FORM)
        return cls(Metric.of(match["metric"]), Aggregate(match["aggregate"]))

    def answer(self, summaries: Summaries) -> Answer | None:
        """``None`` where the run has no such metric."""
        found = summaries.of(self.metric)
        return None if found is None else _answer(found, self.aggregate)


class Answer(msgspec.Struct, frozen=True, gc=False):
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


@dataclass(frozen=True, slots=True)
class Check:
    """The result of an expectation; ``value`` is a JSON literal, ``null`` where there is none."""

    expect: str
    passed: bool
    value: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expectation of an aggregate, written ``Accuracy:last>=0.9``."""

    text: str
    question: Question
    comparison: str
    number: Decimal

    @classmethod
    def of(cls, text: str) -> Expectation:
        """Raises ``NotUnderstood``."""
        match = _EXPECTED.fullmatch(text.strip())
        if match is None:
            raise NotUnderstood(f"{_EXPECTED_FORM}; aggregates are {', '.join(Aggregate)}")
        question = Question(Metric.of(match["metric"]), Aggregate(match["aggregate"]))
        return cls(text, question, match["operator"], _number(match["number"]))

    def check(self, summaries: Summaries) -> Check:
        """Check a run's metrics. A metric that was not logged does not pass."""
        answer = self.question.answer(summaries)
        if answer is None:
            return Check(self.text, False, points.NULL, summaries.absence(self.question.metric))
        passed = answer.compares(_OPERATORS[self.comparison], self.number)
        return Check(self.text, passed, answer.value, self._detail(answer, passed))

    def _detail(self, answer: Answer, passed: bool) -> str:
        name = f"{self.question.aggregate} of {self.question.metric.text}"
        if answer.value == points.NULL:
            return f"{name}: no value can be read"
        value = answer.value.decode("ascii").strip('"')
        at = f" at step {answer.step.decode('ascii')}" if answer.step != points.NULL else ""
        if value == "NaN":
            return f"{name} is NaN{at}, which passes no check"
        if answer.is_too_close_to(self.number):
            return f"{name} is {value} to 17 digits, too close to {self.number} to tell"
        return f"{name} is {value}{at}, which is {'' if passed else 'not '}{self.comparison} {self.number}"


class Summaries:
    """The summaries of one run, by metric, in the order of ``aggregates.summarize``: the last one of a name is that of
    all its label sets. Label sets are read only of metrics that are asked for with labels."""

    def __init__(self, found: Sequence[Summary]) -> None:
        names = [one.name for one in found]
        if b"\\" in b"".join(names):
            names = list(map(_plain_literal, names))
        self._found = found
        self._names = names
        self._last = dict(zip(names, found, strict=True))
        self._by_labels: dict[str, dict[frozenset[NameValue], Summary]] = {}
        self._listed: dict[str | None, str] = {}

    def of(self, metric: Metric) -> Summary | None:
        """The summary of a metric; ``None`` where it was not logged."""
        if metric.labels is None:
            return self._last.get(_unescaped(metric.name))
        whole = self._last.get(_unescaped(metric.text))
        return self._label_sets(metric.name).get(metric.labels) if whole is None else whole

    def absence(self, metric: Metric) -> str:
        """A message for a metric that was not logged, with those that were."""
        if not self._is_logged(metric.name):
            return f"metric {metric.name} was not logged; logged: {self._listing(None)}"
        return f"metric {metric.text} was not logged; label sets of {metric.name}: {self._listing(metric.name)}"

    def _is_logged(self, name: str) -> bool:
        return _unescaped(name) in self._last

    def _listing(self, name: str | None) -> str:
        """Some label sets of a metric, or some names: listed once, however many expectations fail."""
        if name not in self._listed:
            names = [each[1:-1].decode("utf-8", "surrogatepass") for each in self._last]
            self._listed[name] = _some(names if name is None else list(map(_bracketed, self._label_sets(name))))
        return self._listed[name]

    def _label_sets(self, name: str) -> dict[frozenset[NameValue], Summary]:
        if name not in self._by_labels:
            read = ((one.labels, one) for one in self._by_name.get(_unescaped(name), ()))
            self._by_labels[name] = {points.label_set(labels): one for labels, one in read if labels is not None}
        return self._by_labels[name]

    @cached_property
    def _by_name(self) -> dict[bytes, list[Summary]]:
        by_name: dict[bytes, list[Summary]] = {name: [] for name in self._last}
        for name, one in zip(self._names, self._found, strict=True):
            by_name[name].append(one)
        return by_name


def _plain_literal(literal: bytes) -> bytes:
    return literal if b"\\" not in literal else _unescaped(points.text(literal))


def _unescaped(name: str) -> bytes:
    """The JSON of a name that needs no escapes; no other name has the same JSON."""
    return b'"%b"' % name.encode("utf-8", "surrogatepass")


class _Point(msgspec.Struct):
    step: Raw
    value: Raw


_point = json_decoder(_Point).decode


def _answer(summary: Summary, aggregate: Aggregate) -> Answer:
    match aggregate:
        case Aggregate.COUNT:
            return Answer(b"%d" % summary.count)
        case Aggregate.MEAN:
            total = None if summary.total is None else Decimal(summary.total.decode("ascii"))
            return Answer(summary.mean, total=total, added=summary.added, rounded=total is None)
        case _:
            text: bytes | None = getattr(summary, aggregate)
            if text is None:
                return Answer(points.NULL)
            point = _point(text)
            return Answer(bytes(point.value), bytes(point.step))


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise NotUnderstood(f"{_EXPECTED_FORM}; {text[:50]!r} is not a decimal number")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise NotUnderstood(_EXPECTED_FORM) from error


def _labels(text: str) -> frozenset[NameValue] | None:
    """The labels between the brackets; ``None`` where they are not a list of labels."""
    found, at = set(), 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            return None
        try:
            found.add(NameValue(_word(match[1]), _word(match[2])))
        except ValueError:
            return None
        at = match.end()
        if match[3] == "," and at == len(text):
            return None
    return frozenset(found)


def _word(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text.strip()


def _bracketed(labels: frozenset[NameValue]) -> str:
    return "[" + ",".join(f"{_written(each.name)}={_written(each.value)}" for each in sorted(labels)) + "]"


def _written(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _some(names: Collection[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    listed = (
        each if len(each) <= _LONGEST_LISTED else f"{each[:_LONGEST_LISTED]}…" for each in nsmallest(_LISTED, names)
    )
    return ", ".join(listed) + more
