"""The formats of a run's series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.api.http.formats import JSON, Writers
from service.api.resources.metric_resource import to_csv
from service.api.resources.metric_resource.formats import TABLES, Points
from service.api.resources.series import to_json
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.chunks import POINTS_A_CHUNK
from service.domain.series.series import Series
from service.domain.zones import TimeZone


class RunSeries(Points, frozen=True):
    """Series to be written; in tables, only their points."""

    run: MetricResource
    series: Sequence[Series]

    @classmethod
    def of(cls, run: MetricResource, series: Sequence[Series], zone: TimeZone) -> RunSeries:
        return cls(_chunks(series), zone, lambda: to_csv.names_in(one.labels for one in series), run, series)

    def json(self) -> Iterator[bytes]:
        return to_json.progress(self.run.run_id, self.series, self.zone, self.run.unreadable)


FORMATS: Writers[RunSeries] = {JSON: RunSeries.json, **TABLES}


def _chunks(series: Sequence[Series]) -> Iterator[Chunk]:
    """The points of the series, one series after the other, in the form of the metric resource."""
    for one in series:
        opening = b'{"name":%b,"labels":%b,' % (one.name, one.labels)
        for start in range(0, len(one.points), POINTS_A_CHUNK):
            part = one.points[start : start + POINTS_A_CHUNK]
            yield Chunk(b",".join(opening + point[1:] for point in part), len(part))
