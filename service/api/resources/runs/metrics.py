"""Aggregated metrics for a list of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from service.domain.errors import Fault, InvalidParameter, RunNotFound, ServiceError
from service.domain.expectations import AggregateValue, MetricAggregate
from service.domain.freshness import Provenance, Snapshot, combined
from service.domain.metric_summaries import MetricSummaries
from service.domain.runs import Run
from service.domain.runtime import RequestContext
from service.domain.selection.run_filters import Metrics
from service.domain.series.summary import RunSummary
from service.reads.queries import Queries
from service.reads.results import Read

MOST_RUNS = 1000
"""The most runs whose metrics are read for one answer."""


class RunMetrics:
    """The metrics of several runs, as far as they can be read. Raises the error where none can."""

    def __init__(self, found: Mapping[str, Read[RunSummary] | ServiceError]) -> None:
        self._read = {run_id: one for run_id, one in found.items() if not isinstance(one, ServiceError)}
        errors = {run_id: one for run_id, one in found.items() if isinstance(one, ServiceError)}
        first = next(iter(errors.values()), None)
        if first is not None and not self._read and not isinstance(first, RunNotFound):
            raise first
        self.unread = [run_id for run_id, error in errors.items() if not isinstance(error, RunNotFound)]
        named = [
            f"{run_id} {type(one).__name__ if isinstance(one, ServiceError) else one.digest.hex()}\n"
            for run_id, one in found.items()
        ]
        self.digest = blake2b("".join(named).encode(), digest_size=16).digest()

    @classmethod
    def read(cls, runs: Sequence[Run], queries: Queries, context: RequestContext) -> RunMetrics:
        """Read the metrics; stored ones of runs that ended long ago count as fresh."""
        if not runs:
            return cls({})
        ended_at = {run.run_id: ended for run in runs if (ended := run.ended_at) is not None}
        return cls(queries.metrics.summaries([run.run_id for run in runs], context, ended_at))

    @property
    def weight(self) -> int:
        """Bytes of stored content that are read."""
        return sum(one.size for one in self._read.values())

    def provenance(self, of_list: Provenance) -> Provenance:
        """The provenance of all that was read, the list of runs included."""
        return combined((of_list, *(one.provenance for one in self._read.values())), partial=bool(self.unread))

    def snapshot(self, of_list: Snapshot) -> Snapshot:
        """The snapshot of the list and the metrics of its runs together."""
        return Snapshot(blake2b(of_list.digest + self.digest, digest_size=16).digest(), of_list.size)

    def values(self, aggregates: Iterable[MetricAggregate]) -> Metrics:
        """Raises ``ContentGone``."""
        found: dict[MetricAggregate, dict[str, AggregateValue]] = {aggregate: {} for aggregate in aggregates}
        if found:
            for run_id, one in self._read.items():
                summaries = MetricSummaries(one.content().summaries)
                for aggregate, by_run in found.items():
                    value = aggregate.value(summaries)
                    if value is not None:
                        by_run[run_id] = value
        return found


def check_number(runs: int, *, sorting: bool) -> None:
    """Raise ``InvalidParameter`` where metrics of too many runs would have to be read."""
    if runs <= MOST_RUNS:
        return
    many, most = f"{runs:,}", f"{MOST_RUNS:,}"
    if sorting:
        detail = f"{many} runs match, and at most {most} are sorted by their metrics; narrow them, "
        raise InvalidParameter([Fault("sort", detail + "with status, configurationId, createdSince or search")])
    detail = f"{many} runs match; metrics are read for at most {most}: ask for pages with limit, or filter the runs"
    raise InvalidParameter([Fault("metric", detail)])
