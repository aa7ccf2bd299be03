"""Two summaries joined are the summary of the points of both."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from service.domain.series.aggregates import summarize
from service.domain.series.joined_summary import joined
from service.domain.series.summary import Summary
from tests.rows import each_row
from tests.unit.domain.series import logged, reference


def summary(texts: list[bytes]) -> Summary:
    (one,) = summarize(logged.chunks(texts, 3))
    return one


@st.composite
def of_one_metric(draw: st.DrawFn) -> list[bytes]:
    texts = draw(st.lists(logged.points(), min_size=1, max_size=8))
    members = ("step", "timestamp", "value")
    return [
        (
            '{"name":"loss","labels":[],' + ",".join(f'"{name}":{literal(point[name])}' for name in members) + "}"
        ).encode()
        for point in reference.read(texts)
    ]


def literal(member: object) -> str:
    if member is None:
        return "null"
    return member if isinstance(member, reference.Literal) else f'"{member}"'


@given(of_one_metric(), of_one_metric())
def test_as_if_they_were_one(some: list[bytes], others: list[bytes]) -> None:
    found, expected = joined(summary(some), summary(others)), summary([*some, *others])
    assert (found.count, found.added) == (expected.count, expected.added)
    assert [reference.order(each) for each in reference.read([found.first, found.last])] == [
        reference.order(each) for each in reference.read([expected.first, expected.last])
    ]
    for mine, theirs in ((found.min, expected.min), (found.max, expected.max)):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            first, second = (Decimal(str(each["value"])) for each in reference.read([mine, theirs]))
            assert first == second
    if expected.total is not None and found.total is not None:
        assert Decimal(found.total.decode()) == Decimal(expected.total.decode())
        assert found.mean == expected.mean
    else:
        assert found.mean in {expected.mean, b"null"}


@each_row(
    "some, others, mean",
    [
        (["0.1"], ["0.2", "0.3"], b"0.2"),
        (["0.1"], ['"NaN"'], b"0.1"),
        (['"NaN"'], ["null"], b"null"),
        (["1"], ['"Infinity"'], b'"Infinity"'),
        (['"-Infinity"'], ['"Infinity"'], b'"NaN"'),
        (["1e1500", "1e-1500"], ["1"], b"null"),
    ],
)
def test_means(some: list[str], others: list[str], mean: bytes) -> None:
    texts = [[logged.point(77.5).replace(b"77.5", value.encode()) for value in each] for each in (some, others)]
    found = joined(*map(summary, texts))
    assert found.mean == mean
    assert found.added == sum(value not in {'"NaN"', "null"} for value in (*some, *others))


def test_of_equal_places_the_last_is_of_the_second() -> None:
    found = joined(summary([logged.point(1, 5)]), summary([logged.point(2, 5), logged.point(3, 4)]))
    assert [Fraction(each["value"]) for each in reference.read([found.first, found.last])] == [3, 2]
