"""Filters and sort keys of runs."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import compress
from operator import or_
from typing import Any, Literal, get_args

import msgspec

from service.domain.expectations import AggregateValue, MetricAggregate
from service.domain.run_lists import Flags, Rows, RunColumn, RunList
from service.domain.runs import seconds_between

RunField = Literal["createdAt", "modifiedAt", "durationSeconds", "status", "configurationName"]
_NO_METRICS: Mapping[Any, Any] = {}
RUN_FIELDS: tuple[RunField, ...] = get_args(RunField)


class RunFilter(msgspec.Struct, frozen=True):
    """The conditions of a filter, all of which a run must meet. Empty and ``None`` members are no conditions.

    ``statuses``: one of them. ``search``: a part of the run's id or of its configuration's name, ignoring case.
    ``created_since`` and ``created_until`` (as ``instants.instant`` has them) are inclusive; a run without a time of
    creation lies outside of both. The others are ids.
    """

    statuses: tuple[str, ...] = ()
    scenario_id: str | None = None
    executable_id: str | None = None
    configuration_id: str | None = None
    execution_schedule_id: str | None = None
    search: str = ""
    created_since: bytes | None = None
    created_until: bytes | None = None


class RunSortKey(msgspec.Struct, frozen=True):
    """A sort key of runs: a field, or an aggregate of a metric."""

    field: RunField | MetricAggregate
    descending: bool = False


Metrics = Mapping[MetricAggregate, Mapping[str, AggregateValue]]
"""The values of aggregates by run id, of the runs that have the metric."""


def selected(runs: RunList, wanted: RunFilter) -> Rows:
    """The rows of the runs that pass, in their order."""
    rows: Rows = _created(runs, wanted)
    for passes in _tests(runs, wanted):
        flags = passes if len(rows) == runs.count else map(passes.__getitem__, rows)
        rows = array("I", compress(rows, flags))
    return rows


def _created(runs: RunList, wanted: RunFilter) -> range:
    """The rows of the runs created in the interval; the list is sorted by time of creation."""
    since, until = wanted.created_since, wanted.created_until
    return range(runs.count) if since is None and until is None else runs.column("createdAt").between(since, until)


def ordered(runs: RunList, rows: Rows, sort: Sequence[RunSortKey], metrics: Metrics = _NO_METRICS) -> Rows:
    """The rows sorted by the keys, in order of precedence; runs without a value, or with NaN, come last in either
    direction."""
    found = rows
    for key in reversed(sort):
        values: Any = (
            _numbers(runs, rows, key.field, metrics)
            if isinstance(key.field, MetricAggregate)
            else _VALUES[key.field](runs)
        )
        valued = [row for row in found if values[row] is not None]
        without = [row for row in found if values[row] is None]
        valued.sort(key=values.__getitem__, reverse=key.descending)
        found = array("I", [*valued, *without])
    return found


def _numbers(runs: RunList, rows: Rows, aggregate: MetricAggregate, metrics: Metrics) -> Mapping[int, Decimal | None]:
    values = metrics.get(aggregate, {})
    found = (values.get(run.run_id) for run in runs.runs(rows))
    return {row: None if one is None else one.number for row, one in zip(rows, found, strict=True)}


def _tests(runs: RunList, wanted: RunFilter) -> list[Flags]:
    """The matching rows of each condition, except the time of creation."""
    tests: list[Flags] = []
    if wanted.statuses:
        tests.append(runs.column("status").matching(frozenset(map(str.encode, wanted.statuses)).__contains__))
    ids: tuple[tuple[str | None, RunColumn], ...] = (
        (wanted.scenario_id, "scenarioId"),
        (wanted.executable_id, "executableId"),
        (wanted.configuration_id, "configurationId"),
        (wanted.execution_schedule_id, "executionScheduleId"),
    )
    for text, name in ids:
        if text is not None:
            tests.append(runs.column(name).equal_to(text.encode("utf-8", "surrogatepass")))
    if wanted.search:
        names: tuple[RunColumn, ...] = ("runId", "configurationName")
        found = [runs.column(name).containing(wanted.search) for name in names]
        tests.append(list(map(or_, *found)))
    return tests


def _by_name(text: bytes) -> tuple[str, str]:
    name = text.decode("utf-8", "surrogatepass")
    return name.casefold(), name


def _durations(runs: RunList) -> list[Decimal | None]:
    started, completed = (runs.column(name).mapped(bytes) for name in ("startTime", "completionTime"))
    return list(map(seconds_between, started, completed))


_VALUES: Mapping[RunField, Callable[[RunList], Sequence[Any]]] = {
    "createdAt": lambda runs: runs.column("createdAt").mapped(bytes),
    "modifiedAt": lambda runs: runs.column("modifiedAt").mapped(bytes),
    "durationSeconds": _durations,
    "status": lambda runs: runs.column("status").mapped(bytes.decode),
    "configurationName": lambda runs: runs.column("configurationName").mapped(_by_name),
}
"""The value of each row for a sort key; ``None`` where there is none."""
