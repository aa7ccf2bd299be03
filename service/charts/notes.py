"""Notes below a chart: how it is drawn, and what is left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from service.charts import captions
from service.charts.panels import ChartType, ValueScale
from service.charts.traces import Drawing
from service.charts.x_axis import length
from service.domain.series.series import GAP, Series

_CLOCK_CHANGES = {False: "times that come twice have their offset", True: "times that were skipped are missing"}


def notes(series: Sequence[Series], drawing: Drawing, chart_type: ChartType, parameter: str) -> list[str]:
    """All notes of a chart."""
    against = drawing.options.against
    shown, whole = sum(len(one.points) for one in series), sum(one.count for one in series)
    said = []
    if drawing.options.smooth:
        said.append(f"Smoothed: moving mean with weight {drawing.options.smooth:g}, over all points; faint: as logged")
    if shown < whole:
        said.append(f"{shown:,} of {whole:,} points, chosen so that the picture stays")
    if drawing.unplaced:
        shows = (
            f": {parameter}={against.other} shows {'it' if drawing.unplaced == 1 else 'them'}"
            if drawing.elsewhere
            else ""
        )
        said.append(f"{drawing.unplaced:,} without a {against.lacks}, not drawn{shows}")
    if drawing.beyond:
        said.append(f"{drawing.beyond:,} with a {against.lacks} that no axis can show, not drawn")
    if drawing.without_value:
        said.append(without_value(drawing.without_value))
    if drawing.in_one_place:
        said.append(f"All points have the same {against.lacks}: {parameter}={against.other} shows more")
    said += off_scale(drawing.off_scale)
    said += not_positive(sum(one.course.not_positive for one in series), drawing.options.scale)
    gaps = sum(len(one.course.breaks) for one in series)
    if gaps and (chart_type is ChartType.LINE or drawing.options.smooth):
        longest = length(max(one.course.longest_gap for one in series if one.course.breaks), against)
        where = f"a gap of {longest}" if gaps == 1 else f"{gaps:,} gaps, the longest {longest}"
        said.append(f"The line breaks at {where}: over {GAP} times the median distance of points")
    if changes := drawing.clock_changes():
        how = [_CLOCK_CHANGES[change] for change in sorted(changes)]
        said.append(f"The clocks change in between: {captions.enumerated(how)}")
    return said


def not_positive(count: int, scale: ValueScale) -> list[str]:
    """The note about values that a logarithmic axis leaves out."""
    return (
        [f"{count:,} not greater than 0, left out: the axis is logarithmic"]
        if count and scale is ValueScale.LOG
        else []
    )


def off_scale(texts: Collection[str]) -> list[str]:
    """The notes about values, by their text, that the value axis cannot show."""
    words = sum(text.lstrip("-").isalpha() for text in texts)
    counts = {"not finite (NaN or infinite)": words, "too large to be drawn": len(texts) - words}
    return [f"{count:,} {why}, without a place on the value axis" for why, count in counts.items() if count]


def without_value(count: int) -> str:
    return f"{count:,} without a value, not drawn"
