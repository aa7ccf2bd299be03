"""Points stand where their instants are, under the labels of the caller's clock: read from pictures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from service.charts.rendering import SVG, Renderer
from service.charts.style import WIDTH
from tests.integration.charts import pictures
from tests.rows import each_row
from tests.unit.charts.drawn import drawn, rows, specification
from tests.unit.domain.series.logged import chunks, point

CHANGES = [
    ("Europe/Berlin", "2026-10-25T00:00:00", ["02:00 +02:00", "02:30 +02:00", "02:00 +01:00", "02:30 +01:00", "03:00"]),
    ("Europe/Berlin", "2026-03-29T00:00:00", ["01:00", "01:30", "03:00", "03:30", "04:00"]),
    ("Australia/Lord_Howe", "2026-04-04T14:00:00", ["01:00", "01:30 +11:00", "01:30 +10:30", "02:00", "02:30"]),
    ("Australia/Lord_Howe", "2026-10-03T14:30:00", ["01:00", "01:30", "02:30", "03:00"]),
    ("America/St_Johns", "2006-10-29T01:31:00", ["23:30", "00:00", "23:30", "00:00", "00:30"]),
    ("Asia/Kathmandu", "1985-12-31T17:30:00", ["23:00", "23:30", "00:30"]),
    ("Africa/Monrovia", "1972-01-06T23:45:00", ["23:30", "01:00"]),
]


def logged(start: str, count: int = 18, minutes: float = 10) -> list[bytes]:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    times = [(first + timedelta(minutes=minutes * number)).isoformat() for number in range(count)]
    return [point(number + 1, number, time.replace("+00:00", "Z")) for number, time in enumerate(times)]


@each_row("kind", ["line", "scatter"])
@each_row("zone, start, expected", CHANGES[:4])
def test_each_point_has_its_place(renderer: Renderer, kind: str, zone: str, start: str, expected: list[str]) -> None:
    made = specification(chunks(logged(start), 4), "time", kind, zone)
    image = pictures.read(renderer.render(made, SVG))
    across = [place for place, _ in pictures.places(image)]
    steps = [after - before for before, after in pairwise(across)]
    assert len(across) == 18
    assert min(steps) == pytest.approx(max(steps), abs=0.01)
    labels = pictures.labels(image, "X")
    assert [label for label in labels if label in expected] == expected
    assert labels[-1].endswith(f"({zone})")


@each_row("kind", ["column", "bar", "heatmap"])
@each_row("zone, start", [(zone, start) for zone, start, _ in CHANGES])
def test_no_column_is_lost(kind: str, zone: str, start: str) -> None:
    made = drawn(*logged(start), against="time", kind=kind, zone=zone)
    slots = [row["slot"] for row in rows(made)]
    assert [row["value"] for row in rows(made)] == list(range(1, 19))
    assert len(set(slots)) == 18
    for row in rows(made):  # 2026-10-25T02:10:00+02:00 stands at 02:10 +02:00
        clock, _, offset = row["slot"].rpartition(" ") if row["slot"].count(":") > 1 else (row["slot"], "", "")
        assert row["at"].startswith(clock[-5:], len("2026-10-25T"))
        assert row["at"].endswith(offset)


@each_row("kind", ["column", "bar", "heatmap"])
@each_row(
    "times, labels",
    [
        (["00:59:59Z"], ["00:59:59"]),
        (["00:30:59.5Z", "00:59:59.25Z"], ["00:30:59.500", "00:59:59.250"]),
        (["00:01:07Z", "00:02:14Z"], ["00:01:07", "00:02:14"]),
        (["00:30:00Z", "01:00:00Z"], ["00:30", "01:00"]),
        (["00:00:00.000001Z", "00:00:00.000002Z"], ["00:00:00.000001", "00:00:00.000002"]),
        (["00:00:00.000000001Z", "00:00:00.000000002Z"], ["00:00"]),
    ],
)
def test_a_column_is_labelled_as_exactly_as_its_instant(kind: str, times: list[str], labels: list[str]) -> None:
    texts = [point(number, number, f"2026-03-29T{time}") for number, time in enumerate(times)]
    made = drawn(*texts, against="time", kind=kind)
    assert [row["slot"] for row in rows(made)] == labels


def test_columns_of_long_series_go_by_instant_as_well() -> None:
    made = drawn(*logged("2026-10-25T00:00:00", 1800, 0.1), against="time", kind="column", zone="Europe/Berlin")
    assert len({row["slot"] for row in rows(made)}) == 80
    assert [row["value"] for row in rows(made)] == sorted(row["value"] for row in rows(made))


def test_microseconds_have_places_of_their_own(renderer: Renderer) -> None:
    texts = [point(number, number, f"2026-01-01T00:00:00.00{number:04d}Z") for number in range(0, 9000, 500)]
    image = pictures.read(renderer.render(specification(chunks(texts, 100), "time"), SVG))
    across = [place for place, _ in pictures.places(image)]
    assert across == sorted(set(across))


@each_row("milliseconds", [1, 3, 10, 999, 1400])
def test_ticks_within_a_second_are_all_drawn(renderer: Renderer, milliseconds: int) -> None:
    made = specification(chunks(logged("2026-01-01T00:00:12.396", 2, milliseconds / 60_000), 2), "time")
    axis = json.loads(made)["encoding"]["x"]
    values = json.loads(axis["axis"]["values"]["expr"])
    first, last = json.loads(axis["scale"]["domain"]["expr"])
    image = pictures.read(renderer.render(made, SVG))
    assert pictures.ticks(image, "X") == pytest.approx(
        [WIDTH * (value - first) / (last - first) for value in values], abs=1
    )
    said = [datetime.fromisoformat(f"2026-01-01T{label}Z").timestamp() for label in pictures.labels(image, "X")[:-1]]
    assert [round(1000 * instant) for instant in said] == values


@pytest.mark.parametrize("fraction", ["", ".396", ".396901"])
def test_a_single_instant_stands_above_its_label(renderer: Renderer, fraction: str) -> None:
    texts = [point(0.5, 1, f"2026-01-01T00:30:12{fraction}Z")]
    image = pictures.read(renderer.render(specification(chunks(texts, 1), "time"), SVG))
    assert [across for across, _ in pictures.places(image)] == pytest.approx(pictures.ticks(image, "X"), abs=1)


def test_a_single_instant_is_a_label(renderer: Renderer) -> None:
    texts = [point(0.5, 1, "2026-10-25T00:30:12.396901Z")]
    image = pictures.read(renderer.render(specification(chunks(texts, 1), "time", zone="Europe/Berlin"), SVG))
    assert pictures.labels(image, "X") == ["02:30:12.396901 +02:00", "Time on 2026-10-25 (Europe/Berlin)"]
