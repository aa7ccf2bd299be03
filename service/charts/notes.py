"""Notes below a chart: how it is drawn, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.charts import captions
from service.charts.panels import ChartType
from service.charts.traces import Drawing
from service.charts.x_axis import length
from service.domain.series.reasons import Reason
from service.domain.series.series import GAP, Series

_CLOCK_CHANGES = {False: "times that come twice have their offset", True: "times that were skipped are missing"}


def notes(series: Sequence[Series], drawing: Drawing, chart_type: ChartType, parameter: str) -> list[str]:
    """All notes of a chart."""
    against = drawing.options.against
    counts, unplaced = drawing.counts, drawing.unplaced
    shown, drawable = sum(len(one.points) for one in series), sum(one.course.drawable for one in series)
    said = _smoothed(series, drawing.options.smooth) if drawing.options.smooth else []
    if shown < drawable:
        said.append(f"{shown:,} of {drawable:,} points, chosen so that the picture stays")
    if unplaced:
        them = "it" if unplaced == 1 else "them"
        shows = f": {parameter}={against.other} shows {them}" if counts[Reason.ELSEWHERE] else ""
        said.append(f"{unplaced:,} without a {against.lacks}, not drawn{shows}")
    if counts[Reason.BEYOND]:
        said.append(f"{counts[Reason.BEYOND]:,} with a {against.lacks} that no axis can show, not drawn")
    if drawing.in_one_place:
        said.append(f"All points have the same {against.lacks}: {parameter}={against.other} shows more")
    said += of_values(counts)
    gaps = sum(len(one.course.breaks) for one in series)
    if gaps and (chart_type is ChartType.LINE or drawing.options.smooth):
        longest = length(max(one.course.longest_gap for one in series if one.course.breaks), against)
        where = f"a gap of {longest}" if gaps == 1 else f"{gaps:,} gaps, the longest {longest}"
        said.append(f"The line breaks at {where}: over {GAP} times the median distance of points")
    if changes := drawing.clock_changes():
        how = [_CLOCK_CHANGES[change] for change in sorted(changes)]
        said.append(f"The clocks change in between: {captions.enumerated(how)}")
    return said


def _smoothed(series: Sequence[Series], smooth: float) -> list[str]:
    if any(mean is not None for one in series for mean in one.course.means):
        return [f"Smoothed: moving mean with weight {smooth:g}, over all points; faint: as logged"]
    return ["Not smoothed: no mean has a place on the value axis"]


_OF_VALUES = {
    Reason.WITHOUT_VALUE: "without a value, not drawn",
    Reason.NOT_FINITE: "not finite (NaN or infinite), without a place on the value axis",
    Reason.TOO_LARGE: "too large to be drawn, without a place on the value axis",
    Reason.NOT_POSITIVE: "not greater than 0, left out: the axis is logarithmic",
    Reason.TOO_SMALL: "too small to be drawn, left out: the axis is logarithmic",
}


def of_values(counts: Mapping[Reason, int]) -> list[str]:
    """The notes about values that are not there, or that the value axis cannot show."""
    return [f"{counts[reason]:,} {why}" for reason, why in _OF_VALUES.items() if counts.get(reason)]
