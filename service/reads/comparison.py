"""Several runs as they were read for a comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from service.domain import points
from service.domain.comparison import Compared, narrowed
from service.domain.errors import ServiceError
from service.domain.metrics import MetricResource, Unreadable
from service.domain.reading import Provenance
from service.domain.runs import RunDetails
from service.domain.selection.filters import EVERYTHING, Filter, selected
from service.domain.series.census import Census
from service.domain.series.model import Projection
from service.reads.results import Read


@dataclass(frozen=True, slots=True)
class ReadComparison:
    """The runs in the order asked for; ``missing`` are those that could not be read."""

    found: dict[str, tuple[Read[RunDetails], Read[MetricResource]]]
    missing: dict[str, ServiceError]

    @property
    def entries(self) -> list[tuple[str, bytes]]:
        """The keys and digests of all that it is made of."""
        return [(each.key, each.digest) for pair in self.found.values() for each in pair]

    @property
    def size(self) -> int:
        """Bytes of all that it is made of, unpacked."""
        return sum(each.size for pair in self.found.values() for each in pair)

    @property
    def provenance(self) -> Provenance:
        """That of the entry that is the first to be stale."""
        return min((each.provenance for pair in self.found.values() for each in pair), key=lambda each: each.ttl)

    def compared(
        self,
        at_most: int,
        metrics: Collection[str] = (),
        room: Callable[[], Census | None] = lambda: None,
        *,
        wanted: Filter = EVERYTHING,
        projection: Projection | None = None,
    ) -> list[Compared]:
        """The runs with their series, of ``metrics`` or of all, of ``at_most`` points each (0: all).

        They are of the points that are ``wanted``, and for a drawing with that ``projection``.

        Raises ``ContentGone``, and what a census raises: ``room`` has one for each run.
        """
        from service.domain.series import progress  # noqa: PLC0415 - brings numpy

        def compared(details: RunDetails, resource: MetricResource) -> Compared:
            chunks = selected(resource.metrics, wanted)
            series = progress.series(chunks, at_most or None, metrics, room(), projection)
            return Compared(details, series, _unreadable(details, resource))

        return [compared(details.content(), resource.content()) for details, resource in self.found.values()]

    def summarized(
        self, names: Collection[str] = (), labels: Collection[str] = (), joined: str | None = None
    ) -> list[Compared]:
        """The runs with what their metrics came to, those of ``names`` and ``labels`` or all of them, and the whole
        series of the metric ``joined``. Raises ``ContentGone``.
        """
        from service.domain.series import aggregates, progress  # noqa: PLC0415 - brings numpy

        def summarized(details: RunDetails, resource: MetricResource) -> Compared:
            series = [] if joined is None else progress.series(resource.metrics, None, [joined])
            summaries = narrowed(aggregates.summarize(resource.metrics), names, labels)
            return Compared(details, series, _unreadable(details, resource), summaries)

        return [summarized(details.content(), resource.content()) for details, resource in self.found.values()]

    def metric_names(self) -> set[str]:
        """The names of the metrics of all runs. Raises ``ContentGone``."""
        chunks = [chunk for _, resource in self.found.values() for chunk in resource.content().metrics]
        return {name for chunk in chunks for name in points.names(chunk)}


def _unreadable(details: RunDetails, resource: MetricResource) -> Unreadable:
    return Unreadable(timestamps=details.run.unreadable) + resource.unreadable
