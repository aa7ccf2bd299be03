"""Runs as JSON in the caller's time zone, with the runtime's strings as they were sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import msgspec

from service.api.http import pagination
from service.api.resources.metric_resource.to_json import warnings
from service.domain.expectations import AggregateValue, MetricAggregate
from service.domain.localizing import localized_literal
from service.domain.metrics import Unreadable
from service.domain.runs import NULL, Run, RunDetails
from service.domain.selection.run_filters import Metrics
from service.domain.timestamps import ZoneClock, zone_clock
from service.domain.zones import TimeZone


class Link(NamedTuple):
    """A link to a resource of a run; ``available`` is ``None`` where it is not known whether the runtime supports
    it."""

    available: bool | None
    href: str


@dataclass(frozen=True)
class Columns:
    """Columns of the runs' metrics: the values of ``aggregates``. Those of ``unread`` runs could not be read."""

    aggregates: Sequence[MetricAggregate] = ()
    metrics: Metrics = field(default_factory=dict)
    unread: int = 0

    def of(self, run: Run) -> list[AggregateValue]:
        """The value of each aggregate."""
        return [by_run.get(run.run_id, _NO_VALUE) for by_run in self._values]

    def members(self, run: Run) -> bytes:
        """The JSON members to append to a run."""
        if not self.aggregates:
            return b""
        values = zip(self._asked, self.of(run), strict=True)
        written = [b'%b,"value":%b,"step":%b}' % (asked, one.value, one.step) for asked, one in values]
        return b',"metrics":[%b]' % b",".join(written)

    @cached_property
    def _values(self) -> list[Mapping[str, AggregateValue]]:
        return [self.metrics.get(aggregate, {}) for aggregate in self.aggregates]

    @cached_property
    def _asked(self) -> list[bytes]:
        return [
            b'{"name":%b,"aggregate":"%b"'
            % (json.dumps(aggregate.metric.text).encode("ascii"), aggregate.aggregate.encode("ascii"))
            for aggregate in self.aggregates
        ]


_NO_VALUE = AggregateValue(NULL)


def run_list(
    stretches: Iterable[Sequence[Run]],
    total: int,
    zone: TimeZone,
    columns: Columns,
    *,
    paged: bool,
    following: str | None,
) -> Iterator[bytes]:
    """A page of the runs, or all of them."""
    clock = zone_clock(zone)
    yield b'{"timezone":"%b","count":%d,"runs":[' % (zone.name.encode("ascii"), total)
    unreadable, between = 0, b""
    for runs in stretches:
        yield between + b",".join(b"{%b%b}" % (members(run, clock), columns.members(run)) for run in runs)
        unreadable += sum(run.unreadable for run in runs)
        between = b","
    page = b"," + pagination.member(total, following) if paged else b""
    yield b"]%b%b}" % (page, warnings(Unreadable(timestamps=unreadable), unread_metrics=columns.unread))


def run_details(found: RunDetails, zone: TimeZone, metric_resource: Link, logs: Link) -> Iterator[bytes]:
    """A run and its related objects."""
    unavailable = b',"unavailable":' + msgspec.json.encode(found.unavailable) if found.unavailable else b""
    yield (
        b'{%b,"timezone":"%b","parameters":%b,"inputArtifacts":%b,"outputArtifacts":%b,"scenario":%b,"executable":%b,'
        b'"statusDetails":%b,"metricResource":%b,"logs":%b%b%b}'
    ) % (
        members(found.run, zone_clock(zone)),
        zone.name.encode("ascii"),
        found.parameters,
        found.input_artifacts,
        found.output_artifacts,
        found.scenario,
        found.executable,
        found.status_details,
        msgspec.json.encode(metric_resource._asdict()),
        msgspec.json.encode(logs._asdict()),
        unavailable,
        warnings(Unreadable(timestamps=found.run.unreadable)),
    )


def members(run: Run, clock: ZoneClock) -> bytes:
    """The members of a run without its related objects, and without braces."""
    times = run.created_at, run.modified_at, run.submission_time, run.start_time, run.completion_time
    return (
        b'"runId":%b,"status":%b,"targetStatus":%b,"statusMessage":%b,"scenarioId":%b,"executableId":%b,'
        b'"configurationId":%b,"configurationName":%b,"createdAt":%b,"modifiedAt":%b,"submissionTime":%b,'
        b'"startTime":%b,"completionTime":%b,"durationSeconds":%b,"executionScheduleId":%b'
    ) % (
        msgspec.json.encode(run.run_id),
        msgspec.json.encode(run.status),
        run.target_status,
        run.status_message,
        run.scenario_id,
        run.executable_id,
        run.configuration_id,
        run.configuration_name,
        *(times if clock.is_utc else [localized_literal(time, clock) for time in times]),
        b"null" if (duration := run.duration) is None else format(duration, "f").encode("ascii"),
        run.execution_schedule_id,
    )
