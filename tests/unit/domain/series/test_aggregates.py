"""Summaries against the plain reading of the same points."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.domain import points
from service.domain.series.aggregates import summarize
from service.domain.series.summary import Summary
from testing.work import lines
from tests.rows import each_row
from tests.unit.domain.series import logged, reference


def _members(text: bytes | None) -> dict[str, Any] | None:
    if text is None:
        return None
    found: dict[str, Any] = json.loads(text, parse_int=reference.Literal, parse_float=reference.Literal)
    return found


def _expected(group: list[dict[str, Any]]) -> dict[str, Any]:
    ordered = sorted(group, key=reference.order)
    least, greatest = reference.extremes(ordered)
    return {
        "count": len(group),
        "first": _bare(ordered[0]),
        "last": _bare(reference.last(ordered)),
        "min": _bare(least),
        "max": _bare(greatest),
    }


def _bare(point: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if point is None else {key: point[key] for key in ("step", "timestamp", "value")}


@given(st.lists(logged.points(), max_size=30), st.integers(1, 7))
def test_summaries_are_of_each_series_and_of_each_name_with_several(texts: list[bytes], size: int) -> None:
    read = reference.read(texts)
    expected: dict[Any, list[dict[str, Any]]] = {}
    for point in read:
        labels = frozenset((label["name"], label["value"]) for label in point["labels"])
        expected.setdefault((point["name"], labels), []).append(point)
    for name in {point["name"] for point in read}:
        if sum(known == name for known, _ in expected) > 1:
            expected[name, None] = [point for point in read if point["name"] == name]

    found = {_key(one): one for one in summarize(logged.chunks(texts, size))}

    assert found.keys() == expected.keys()
    for key, group in expected.items():
        one = found[key]
        assert {
            "count": one.count,
            "first": _members(one.first),
            "last": _members(one.last),
            "min": _members(one.min),
            "max": _members(one.max),
        } == _expected(group)
        _holds_mean(one, group)


def _key(one: Summary) -> tuple[str, Any]:
    return points.text(one.name), None if one.labels is None else frozenset(map(tuple, points.label_set(one.labels)))


def _holds_mean(one: Summary, group: list[dict[str, Any]]) -> None:
    values = [Decimal(point["value"]) for point in group if point["value"] not in reference.NONE]
    assert one.added == len(values)
    if not values:
        assert (one.mean, one.total) == (b"null", None)
    elif all(value.is_finite() for value in values):
        total = sum(map(Fraction, values), Fraction())
        assert one.total is not None
        assert Fraction(Decimal(one.total.decode())) == total
        mean = Fraction(Decimal(one.mean.decode()))
        assert abs(mean - total / len(values)) <= Fraction(1, 10**16) * abs(total / len(values))
    else:
        assert one.total is None


def test_mean_is_exact_where_double_precision_is_not() -> None:
    (one,) = summarize(logged.chunks([logged.point(value) for value in (0.1, 0.2, 0.3)], 2))
    assert one.mean == b"0.2"


def test_sum_of_too_many_digits_is_not_made() -> None:
    one = of("1e1500", "1e-1500")
    assert one.total is None


@each_row("values", [("1e1500", "1e-1500"), ("1", '"Infinity"'), ("1e99999999999999999999", "1")])
def test_a_sum_that_is_not_exact_takes_as_long_as_there_are_values(values: tuple[str, ...]) -> None:
    work = [lines(lambda count=count: of(*values * count)) for count in (100, 200)]
    assert work[1] < 2.1 * work[0]


def of(*values: str) -> Summary:
    (one,) = summarize(logged.chunks([logged.point(1.5).replace(b"1.5", value.encode()) for value in values], 2))
    return one


@each_row(
    "values, mean",
    [
        (("1e99999999", "1e-99999999"), b"5E+99999998"),
        (("1e99999999", "1e-99999999", "-1e99999999"), b"null"),
        (("1e99999999", "1", "-1e99999999", "5"), b"null"),
        (("1e400", "3e400"), b"2E+400"),
        (("1e400", '"Infinity"'), b'"Infinity"'),
        (('"-Infinity"', "1e400"), b'"-Infinity"'),
        (('"Infinity"', '"-Infinity"'), b'"NaN"'),
        (("1", "1e9999999999999999999999"), b"null"),
        (("9e999999999999999999", "9e999999999999999999"), b"null"),
        (("1e-9999999999999999999999", "1"), b"null"),
        (("1e99999999", '"NaN"', "1e-99999999"), b"5E+99999998"),
    ],
)
def test_a_mean_is_right_or_none(values: tuple[str, ...], mean: bytes) -> None:
    assert of(*values).mean == mean
    labelled = [
        logged.point(1.5, fold=str(number)).replace(b"1.5", value.encode()) for number, value in enumerate(values)
    ]
    assert summarize(logged.chunks(labelled, 2))[-1].mean == mean, "the same of several series"
