"""What charts cost where those who log choose the input: twice the input is at most twice the work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.charts.captions import apart, fitting, trace_names
from service.domain.errors import InvalidParameter
from service.domain.metrics import Chunk
from service.domain.points import NameValue
from testing.work import calls, lines
from tests.rows import each_row
from tests.unit.charts import compared
from tests.unit.charts.compared import LoggedRun
from tests.unit.charts.drawn import specification
from tests.unit.domain.series.logged import chunks, point

SERIES = 2000


def alike(count: int) -> list[str]:
    return ["x"] * (count // 2) + [f"x ({number})" for number in range(2, count // 2)]


@each_row("names", [lambda count: ["x"] * count, alike, lambda count: [*reversed(alike(count))]])
def test_distinguishing_names(names: Callable[[int], list[str]]) -> None:
    work = [lines(lambda count=count: apart(names(count))) for count in (1000, 2000)]
    assert work[1] < 2.1 * work[0]
    made = apart(names(1000))
    assert len(set(made)) == len(made)


def test_naming_series_that_share_their_beginning() -> None:
    def named(count: int) -> list[str]:
        return apart(trace_names([[NameValue("label", f"{'x' * 60}{number}")] for number in range(count)], "loss"))

    work = [lines(lambda count=count: named(count)) for count in (1000, 2000)]
    assert work[1] < 2.1 * work[0]


def test_a_name_is_made_of_no_more_parts_than_it_has_room_for() -> None:
    parts = iter(f"part{number}" for number in range(1000))
    assert fitting(parts, 20) == "part0, part1, part2"
    assert next(parts) == "part4"
    assert [fitting(few, 3) for few in ([], ["abc"], ["abcd"], ["abc", "d"])] == ["", "abc", "", "abc"]


def of_labels(count: int, metric: str = "loss") -> list[Chunk]:
    timestamp = "2026-01-01T00:00:00Z"
    return chunks([point(1, 1, timestamp, name=metric, l=str(number)) for number in range(count)], SERIES)


def refused(draw: Callable[[], object]) -> None:
    with pytest.raises(InvalidParameter, match="a chart shows up to 24 series of a metric and 40 in all"):
        draw()


@pytest.mark.parametrize("against", ["step", "time"])
def test_a_chart_that_is_refused_reads_no_more_than_it_must(against: str) -> None:
    few, many = of_labels(SERIES), of_labels(4 * SERIES)
    work = [lines(lambda made=made: refused(lambda: specification(made, against))) for made in (few, many)]
    assert work[1] < 1.01 * work[0]


def test_a_comparison_that_is_refused_reads_no_more_than_it_must() -> None:
    def draw(count: int) -> None:
        runs = [LoggedRun(f"run-{number}", of_labels(count)) for number in range(2)]
        refused(lambda: compared.specification(runs, against="step"))

    assert lines(lambda: draw(4 * SERIES)) < 1.01 * lines(lambda: draw(SERIES))


def test_series_that_are_not_asked_for_do_not_count() -> None:
    runs = [LoggedRun(f"run-{number}", [*of_labels(SERIES, "other"), *of_labels(2)]) for number in range(2)]
    assert b'"loss by run, 2 runs"' in compared.specification(runs)


def test_series_without_a_place_do_not_count() -> None:
    texts = [point(1, None, "2026-01-01T00:00:00Z", l=str(number)) for number in range(100)]
    made = specification(chunks([*texts, point(1, 1, l="drawn")], 30))
    assert b"100 without a step, not drawn: x=time shows them" in made


def test_runs_are_named_once_by_what_there_is_room_for() -> None:
    """Two thousand parameters that differ are looked through once, not for each run and panel."""

    def drawn(more: int) -> Callable[[], object]:
        metrics = [f"metric{number}" for number in range(more)]
        runs = [
            LoggedRun(
                f"run{number}",
                [chunk for name in ("loss", *metrics) for chunk in chunks([point(1, 1, name=name)], SERIES)],
                parameters={f"key{place}": f"{number}" for place in range(2000)},
            )
            for number in range(5)
        ]
        return lambda: compared.specification(runs, against="step", more=metrics)

    assert calls(drawn(3)) < 2 * calls(drawn(0))
