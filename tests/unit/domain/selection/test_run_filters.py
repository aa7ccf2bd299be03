"""Runs filtered and sorted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.expectations import MetricAggregate
from service.domain.run_lists import RunList
from service.domain.runs import Run
from service.domain.selection.instants import instant
from service.domain.selection.run_filters import RUN_FIELDS, RunFilter, RunSortKey, ordered, selected
from service.reads import run_packing
from tests.rows import each_row


def literal(text: str | None) -> bytes:
    return json.dumps(text).encode()


def run(run_id: str = "run1", status: str = "COMPLETED", **members: str | None) -> Run:
    """A run with these members, as text."""
    return msgspec.structs.replace(Run(run_id, status), **{name: literal(text) for name, text in members.items()})


@each_row(
    "start, end, seconds",
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


def listed(runs: Sequence[Run]) -> RunList:
    return run_packing.unpacked(run_packing.packed(runs))


def found(runs: Sequence[Run], wanted: RunFilter) -> list[Run]:
    """The runs that pass, newest first."""
    stored = listed(runs)
    return stored.runs(selected(stored, wanted))


def sorted_by(runs: Sequence[Run], keys: Sequence[RunSortKey]) -> list[Run]:
    stored = listed(runs)
    return stored.runs(ordered(stored, range(stored.count), keys))


RUNS = [
    run("beta-22", "RUNNING", created_at="2026-03-29T01:00:00.5Z", execution_schedule_id="nightly"),
    run("Alpha-1", "DEAD", configuration_name="Wide Net", created_at="2026-03-29T01:00:00Z", scenario_id="s\u00e4"),
    run("gamma-3", "COMPLETED", configuration_name="deep net"),
]


@each_row(
    "wanted, expected",
    [
        (RunFilter(), "bAg"),
        (RunFilter(("DEAD", "RUNNING")), "bA"),
        (RunFilter(search="NET"), "Ag"),
        (RunFilter(search="alpha"), "A"),
        (RunFilter(scenario_id="s\u00e4"), "A"),
        (RunFilter(scenario_id="s"), ""),
        (RunFilter(execution_schedule_id="nightly"), "b"),
        (RunFilter(execution_schedule_id=""), ""),
        (RunFilter(created_since=b"2026-03-29T01:00:00.4"), "b"),
        (RunFilter(created_until=b"2026-03-29T01:00:00.5"), "bA"),
        (RunFilter(search="net", created_since=b"2026-03-29T01:00:00"), "A"),
    ],
)
def test_all_that_is_asked_for_must_hold(wanted: RunFilter, expected: str) -> None:
    assert "".join(run.run_id[0] for run in found(RUNS, wanted)) == expected


WORDS = ("", "a", "A", "net", "Stra\u00dfe", "STRASSE", "\ud83d", "\u212a", 'with "quotes" \\', "\n")
TIMES = (None, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00.5Z", "2026-03-29T01:00:00.50Z", "1969-12-31T23:59:59.9Z")
TEXTS = st.none() | st.sampled_from(WORDS)
MANY = st.lists(
    st.builds(
        lambda number, status, created, **members: run(f"run-{number}", status, created_at=created, **members),
        st.integers(0, 400),
        st.sampled_from(["DEAD", "RUNNING", "COMPLETED", "LATER"]),
        st.sampled_from(TIMES),
        scenario_id=TEXTS,
        configuration_id=TEXTS,
        configuration_name=TEXTS,
    ),
    max_size=12,
)


def text(literal: bytes) -> str | None:
    value: str | None = json.loads(literal)
    return value


def passes(one: Run, wanted: RunFilter) -> bool:
    """The rule, run by run."""
    part, moment = wanted.search.casefold(), instant(one.created_at)
    timed = wanted.created_since is not None or wanted.created_until is not None
    return (
        (not wanted.statuses or one.status in wanted.statuses)
        and (wanted.scenario_id is None or text(one.scenario_id) == wanted.scenario_id)
        and (wanted.configuration_id is None or text(one.configuration_id) == wanted.configuration_id)
        and (part in one.run_id.casefold() or part in (text(one.configuration_name) or "").casefold())
        and (
            not timed
            or (
                moment is not None
                and (wanted.created_since is None or wanted.created_since <= moment)
                and (wanted.created_until is None or moment <= wanted.created_until)
            )
        )
    )


@given(
    runs=MANY,
    wanted=st.builds(
        RunFilter,
        st.sampled_from([(), ("DEAD",), ("COMPLETED", "DEAD")]),
        scenario_id=TEXTS,
        configuration_id=TEXTS,
        search=st.sampled_from(["", "n", "RUN-1", "strasse", "k", "\ud83d", "\u00df"]),
        created_since=st.sampled_from([instant(literal(time)) for time in TIMES]),
        created_until=st.sampled_from([instant(literal(time)) for time in TIMES]),
    ),
)
def test_columns_say_of_each_run_what_the_run_says(runs: list[Run], wanted: RunFilter) -> None:
    by_id = sorted(runs, key=lambda one: one.run_id)
    newest = sorted(by_id, key=lambda one: instant(one.created_at) or b"", reverse=True)
    assert sorted(found(runs, wanted), key=repr) == sorted((one for one in newest if passes(one, wanted)), key=repr)
    assert [one.run_id for one in found(runs, RunFilter())] == [one.run_id for one in newest]


@each_row("names", [3, 300, 70_000])
def test_a_column_of_any_number_of_texts(names: int) -> None:
    many = max(names, 1000) + 1
    runs = [run(f"run-{n}", configuration_id=f"c{n % names}", configuration_name=f"N{n % names}") for n in range(many)]
    stored = listed(runs)
    same = range(2, many, names)
    assert {one.run_id for one in stored.runs(selected(stored, RunFilter(configuration_id="c2")))} == {
        f"run-{number}" for number in same
    }
    assert not selected(stored, RunFilter(configuration_id="c"))
    assert len(selected(stored, RunFilter(search="n2"))) == len([n for n in range(many) if f"{n % names}"[0] == "2"])


def test_runs_without_a_value_come_last_in_either_direction() -> None:
    for descending, expected in ((False, "gAb"), (True, "Agb")):
        key = RunSortKey("configurationName", descending)
        assert "".join(run.run_id[0] for run in sorted_by(RUNS, [key])) == expected


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
    assert sorted_by(runs, sort) == sorted(found(runs, RunFilter()), key=rank)


@pytest.mark.slow
def test_what_names_a_representation_is_the_same_in_all_processes() -> None:
    """The entity tags of two workers, else a client that comes to the other one is given everything again."""
    asked = "RunFilter(('COMPLETED', 'DEAD')), MetricAggregate.of('Loss[a=1,b=2,c=3]:min')"
    program = (
        "from service.domain.selection.run_filters import RunFilter\n"
        "from service.domain.expectations import MetricAggregate\n"
        f"print(repr(({asked})))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert said == {
        repr((RunFilter(("COMPLETED", "DEAD")), MetricAggregate.of("Loss[a=1,b=2,c=3]:min"))).encode() + b"\n"
    }
