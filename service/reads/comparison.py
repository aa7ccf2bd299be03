"""Runs that were read for a comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from service.domain import points
from service.domain.comparison import Compared, narrowed
from service.domain.errors import ServiceError
from service.domain.freshness import Provenance, combined
from service.domain.metrics import MetricResource, Unreadable
from service.domain.runs import RunDetails
from service.domain.selection.filters import EVERYTHING, Filter, selected
from service.domain.series import builder
from service.domain.series.series import Projection, Series
from service.domain.series.series_counter import SeriesCounter
from service.domain.series.summary import RunSummary
from service.reads.results import Read


class ReadComparison(msgspec.Struct, frozen=True):
    """The runs in the order of the request, with their metrics; ``missing`` are those that could not be read."""

    found: dict[str, tuple[Read[RunDetails], Read[MetricResource]]]
    summaries: dict[str, Read[RunSummary]]
    missing: dict[str, ServiceError]

    @property
    def entries(self) -> list[tuple[str, bytes]]:
        """Keys and digests of all contents."""
        return [(each.key, each.digest) for pair in self.found.values() for each in pair]

    @property
    def size(self) -> int:
        """Bytes of all contents, unpacked."""
        return sum(each.size for pair in self.found.values() for each in pair)

    @property
    def size_summarized(self) -> int:
        """Bytes of the contents that ``summarized`` reads without series, unpacked."""
        return sum(each.size for each in self.summaries.values())

    @property
    def provenance(self) -> Provenance:
        """The provenance of all contents together."""
        read = (each.provenance for pair in self.found.values() for each in pair)
        return combined(read, partial=bool(self.missing))

    def compared(
        self,
        at_most: int,
        metrics: Collection[str] = (),
        room: Callable[[], SeriesCounter | None] = lambda: None,
        *,
        wanted: Filter = EVERYTHING,
        projection: Projection | None = None,
    ) -> list[Compared]:
        """The runs with their series, of ``metrics`` or of all, of ``at_most`` points each (0: all).

        They are of the points that pass ``wanted``, and for a chart with that ``projection``.

        Raises ``ContentGone``, and what the ``SeriesCounter`` does that ``room`` makes for each run.
        """

        def compared(details: RunDetails, resource: MetricResource) -> Compared:
            chunks = selected(resource.metrics, wanted)
            series = builder.series(chunks, at_most or None, metrics, room(), projection)
            return Compared(details, series, Unreadable(timestamps=details.run.unreadable) + resource.unreadable)

        return [compared(details.content(), resource.content()) for details, resource in self.found.values()]

    def summarized(
        self, names: Collection[str] = (), labels: Collection[str] = (), joined: str | None = None
    ) -> list[Compared]:
        """The runs with summaries of their metrics, those of ``names`` and ``labels`` or all, and the whole series of
        the metric ``joined``. Raises ``ContentGone``.
        """

        def compared(run_id: str) -> Compared:
            details, resource = self.found[run_id][0].content(), self.found[run_id][1]
            summary = self.summaries[run_id].content()
            series = [] if joined is None else _whole_series(resource.content(), joined)
            unreadable = Unreadable(timestamps=details.run.unreadable) + summary.unreadable
            return Compared(details, series, unreadable, narrowed(summary.summaries, names, labels))

        return list(map(compared, self.found))

    def metric_names(self) -> set[str]:
        """The names of the metrics of all runs. Raises ``ContentGone``."""
        chunks = [chunk for _, resource in self.found.values() for chunk in resource.content().metrics]
        return {name for chunk in chunks for name in points.names(chunk)}


def _whole_series(resource: MetricResource, name: str) -> list[Series]:
    return builder.series(resource.metrics, None, [name])
