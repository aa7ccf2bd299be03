"""Ticks of an axis of time: round by the zone's clock, at the instants that they name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.charts.time_axis import LocalClock
from service.domain.timestamps import ZoneClock
from service.domain.zones import time_zone, zone_names

ENDS = (datetime(1, 1, 3, tzinfo=UTC).timestamp(), datetime(9999, 12, 29, tzinfo=UTC).timestamp())
MOST = 8


@settings(deadline=None)
@given(
    st.sampled_from(sorted(zone_names())),
    st.floats(*ENDS) | st.floats(-2e9, 3e9),
    st.one_of(st.floats(0, 1), st.floats(0, 1e5), st.floats(0, 1e8), st.floats(0, 3e11)),
)
@example("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC).timestamp(), 7200.0)
@example("Australia/Lord_Howe", datetime(2026, 4, 4, 14, tzinfo=UTC).timestamp(), 7200.0)
@example("America/Caracas", datetime(2016, 5, 1, 5, tzinfo=UTC).timestamp(), 14400.0)
def test_ticks_are_few_in_order_and_distinct(zone: str, start: float, span: float) -> None:
    end = min(start + span, ENDS[1])
    clock = LocalClock(ZoneClock(time_zone(zone)), [start, end])
    ticks = clock.ticks(start, end, MOST)
    assert ticks == sorted(set(ticks))
    assert 1 <= len(ticks) <= 2 * MOST + 2
    assert all(start - 0.001 <= tick <= end + 0.001 for tick in ticks)
    labels = [str(label) for label in clock.exact_labels(ticks)]
    assert len(set(labels)) == len(labels)


@settings(deadline=None)
@given(st.sampled_from(sorted(zone_names())), st.floats(-2e9, 3e9), st.floats(60, 1e6))
def test_a_label_says_what_the_clock_shows(zone: str, start: float, span: float) -> None:
    rules = time_zone(zone)
    clock = LocalClock(ZoneClock(rules), [start, start + span])
    for tick, label in zip(ticks := clock.ticks(start, start + span, MOST), clock.exact_labels(ticks), strict=True):
        exact = datetime.fromtimestamp(tick, UTC).astimezone(rules.rules)
        shown = clock.read(tick).replace(tzinfo=None)
        assert abs(shown - exact.replace(tzinfo=None)) <= timedelta(seconds=30)  # offsets have whole minutes
        assert label.text in (shown.isoformat(" ", "microseconds"), shown.date().isoformat()) or (
            label.text in shown.isoformat(" ", "microseconds")
        )


def test_the_hours_of_a_day_that_is_longer() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()
    clock = LocalClock(ZoneClock(time_zone("Europe/Berlin")), [start, start + 8 * 3600])
    ticks = clock.ticks(start, start + 8 * 3600, MOST)
    assert [after - before for before, after in pairwise(ticks)] == [3600.0] * 8
    assert [str(label) for label in clock.exact_labels(ticks)] == [
        "00:00",
        "01:00",
        "02:00 +02:00",
        "02:00 +01:00",
        "03:00",
        "04:00",
        "05:00",
        "06:00",
        "07:00",
    ]
