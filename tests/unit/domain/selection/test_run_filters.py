"""Runs filtered and sorted."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.runs import Run
from service.domain.selection.run_filters import RUN_FIELDS, RunFilter, RunSortKey, ordered, selected


def literal(text: str | None) -> bytes:
    return json.dumps(text).encode()


def run(run_id: str = "run1", status: str = "COMPLETED", **members: str | None) -> Run:
    """A run with these members, as text."""
    return msgspec.structs.replace(Run(run_id, status), **{name: literal(text) for name, text in members.items()})


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-03-29T00:59:59.9Z", "2026-03-29T01:00:01Z", "1.1"),
        ("2026-03-29T00:00:00Z", "2026-03-30T00:00:00.123456789Z", "86400.123456789"),
        ("2026-03-29T00:00:00Z", "2026-03-29T00:00:00.000Z", "0"),
        ("2026-03-29T00:00:01Z", "2026-03-29T00:00:00Z", None),
        (None, "2026-03-29T00:00:00Z", None),
        ("2026-03-29T00:00:00Z", None, None),
    ],
)
def test_a_duration_is_exact(start: str | None, end: str | None, seconds: str | None) -> None:
    assert run(start_time=start, completion_time=end).duration == (None if seconds is None else Decimal(seconds))


RUNS = [
    run("Alpha-1", "DEAD", configuration_name="Wide Net", created_at="2026-03-29T01:00:00Z", scenario_id="s\u00e4"),
    run("beta-22", "RUNNING", created_at="2026-03-29T01:00:00.5Z", execution_schedule_id="nightly"),
    run("gamma-3", "COMPLETED", configuration_name="deep net"),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(), "Abg"),
        (RunFilter(frozenset({"DEAD", "RUNNING"})), "Ab"),
        (RunFilter(search="NET"), "Ag"),
        (RunFilter(search="alpha"), "A"),
        (RunFilter(scenario_id="s\u00e4"), "A"),
        (RunFilter(execution_schedule_id="nightly"), "b"),
        (RunFilter(created_since=b"2026-03-29T01:00:00.4"), "b"),
        (RunFilter(created_until=b"2026-03-29T01:00:00.5"), "Ab"),
        (RunFilter(search="net", created_since=b"2026-03-29T01:00:00"), "A"),
    ],
)
def test_all_that_is_asked_for_must_hold(wanted: RunFilter, found: str) -> None:
    assert "".join(run.run_id[0] for run in selected(RUNS, wanted)) == found


def test_runs_without_a_value_come_last_in_either_direction() -> None:
    for descending, expected in ((False, "gAb"), (True, "Agb")):
        key = RunSortKey("configurationName", descending)
        assert "".join(run.run_id[0] for run in ordered(RUNS, [key])) == expected


@given(
    runs=st.lists(
        st.builds(
            lambda number, status, minutes: run(
                f"run-{number}",
                status,
                start_time="2026-03-29T01:00:00Z",
                completion_time=f"2026-03-29T01:{minutes:02}:00Z",
            ),
            st.integers(0, 99),
            st.sampled_from(["DEAD", "RUNNING"]),
            st.integers(0, 5),
        ),
        max_size=8,
    ),
    keys=st.lists(st.tuples(st.sampled_from(RUN_FIELDS), st.booleans()), max_size=3, unique_by=lambda key: key[0]),
)
def test_sorting_is_stable_and_by_each_key_in_turn(runs: list[Run], keys: list[tuple[str, bool]]) -> None:
    def rank(one: Run) -> tuple[object, ...]:
        minutes = int(one.completion_time[15:17])
        of = {"status": -1 if one.status == "DEAD" else 1, "durationSeconds": minutes}
        return tuple(of.get(field, 0) * (-1 if descending else 1) for field, descending in keys)

    sort = [RunSortKey(field, descending) for field, descending in keys]  # type: ignore[arg-type]
    assert ordered(runs, sort) == sorted(runs, key=rank)
