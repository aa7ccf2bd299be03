"""A run's series → a chart of its metrics against step or time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Raw

from service.charts import captions, specification
from service.charts.notes import notes
from service.charts.panels import Caption, ChartType
from service.charts.traces import Drawing
from service.charts.x_axis import Against, ChartOptions, axis_of, instant, words
from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.errors import Fault, InvalidParameter
from service.domain.series.series import Series
from service.domain.series.series_counter import SeriesCounter
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone

_MOST_FACTS = 12
_MOST_NAMES = 8
_LONGEST = 300
"""Characters of a name, of labels or of a value in a fact."""


class _Valued(msgspec.Struct):
    value: Raw


_decode = json_decoder(_Valued).decode


class Lacking(msgspec.Struct, frozen=True):
    """Notes about requested metrics without points. ``filtered`` is whether points were selected by more than names."""

    names: Sequence[str]
    filtered: bool = False

    def notes(self, there: Collection[str]) -> list[str]:
        """The notes about the metrics that are not ``there``."""
        names = sorted({*self.names} - {*there})
        why = "Without a point that matches" if self.filtered else "Not logged"
        said = [captions.cut(name) for name in names[:_MOST_NAMES]]
        said += [f"{len(names) - _MOST_NAMES:,} more"] if len(names) > _MOST_NAMES else []
        return [f"{why}: {captions.enumerated(said)}"] if names else []


def chart(
    run_id: str,
    series: Sequence[Series],
    options: ChartOptions,
    chart_type: ChartType,
    zone: TimeZone,
    *,
    lacking: Lacking | None = None,
    start: bytes = points.NULL,
) -> bytes:
    """A Vega-Lite v6 specification of one run's ``series``, of the metrics asked for.

    ``start`` is the literal of the run's start time, from which elapsed time is counted. Raises ``InvalidParameter``
    where none of the points can be placed on the axis, or there are too many series.
    """
    against = options.against
    drawing = Drawing(options, ZoneClock(zone))
    since = instant(start)
    if against is Against.ELAPSED and since is None:
        raise InvalidParameter([Fault("x", "this run has no start time to count from; available: x=step and x=time")])
    panels = drawing.panels(series, since)
    if series and not panels:
        fault = drawing.why_empty("x", [f"x={other}" for other in Against if other is not against])
        if fault is not None:
            raise InvalidParameter([fault])
    axis = axis_of(panels, against, zone, "x")
    said = [] if lacking is None else lacking.notes({points.text(one.name) for one in series})
    caption = Caption(
        title=f"{captions.named([panel.metric for panel in panels])} by {words(against)}" if panels else "No points",
        notes=[f"Run {run_id}", *said, *notes(series, drawing, chart_type, "x"), *_of_scatter(series, chart_type)],
        facts=[f"Run {run_id}", *(_fact(one) for one in series[:_MOST_FACTS])],
    )
    return specification.chart(panels, axis, chart_type, caption)


def room_for(against: Against) -> SeriesCounter:
    """A counter that raises ``InvalidParameter`` where the points have more series than a chart can show."""
    return SeriesCounter(lambda counts: specification.check_room(counts, "name"), against.needs)


def _fact(series: Series) -> str:
    """A series in words."""
    first, last = _value(series.first), _value(series.last)
    labels = ", ".join(f"{label.name}={label.value}" for label in points.labels(series.labels))
    name = captions.cut(points.text(series.name), _LONGEST) + (f" ({captions.cut(labels, _LONGEST)})" if labels else "")
    if series.min is None or series.max is None:
        return f"{name}: {series.count:,} points, none of them a number"
    extremes = f"least {_value(series.min)}, greatest {_value(series.max)}"
    return f"{name}: {series.count:,} points, first {first}, last {last}, {extremes}"


def _value(point: bytes) -> str:
    literal = bytes(_decode(point).value)
    return "without a value" if literal == points.NULL else captions.cut(literal.decode("ascii").strip('"'), _LONGEST)


def _of_scatter(series: Sequence[Series], chart_type: ChartType) -> list[str]:
    sampled = chart_type is ChartType.SCATTER and any(one.downsampled for one in series)
    return ["The extremes of each part are among them: dense parts have more points than are drawn"] if sampled else []
