"""The encodings that the views share: positions, axes, tooltips, descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Raw

from service.charts import captions, scales, style
from service.charts.panels import Axis, AxisKind, Mark, Panel, Trace, ValueScale
from service.charts.safe_text import in_expression, quoted
from service.charts.scales import Scale
from service.charts.units import unit

Encoding = dict[str, Any]
View = dict[str, Any]
_MOST_TICKS = 6
_LONGEST_NUMBER = 100
"""Characters of a value or place in a chart's data."""
_BETWEEN = 8
"""The least number of pixels between the labels of two categories."""
_LEAST_FIXED, _NO_FIXED = -7, 21
"""Decimal exponents from which on a label is in fixed notation, and from which on it is not."""
_LONGEST_LABEL = 40
"""Characters of a number that is a label in all its digits."""
_FEW = 3
"""Up to so many categories, labels are horizontal, and cut rather than slanting."""


def row(trace: Trace, mark: Mark) -> dict[str, Any]:
    """The row of data of a mark: the logged values, as much of each as can be read, and their series."""
    at, text = (captions.cut(written, _LONGEST_NUMBER) for written in (mark.at, mark.text))
    value = None if mark.value is None else drawn(mark.value)
    known: dict[str, Any] = {"series": trace.name, "at": at, "value": value, "text": text}
    if trace.run:
        known |= {"run": trace.run, "labels": trace.labels}
    return known


def drawn(place: Raw) -> Raw:
    """A place's literal; in double precision, as Vega reads numbers, where it has more digits than that by far."""
    literal = bytes(place)
    if len(literal) <= _LONGEST_NUMBER or literal.startswith(b'"'):
        return place
    return Raw(repr(float(literal)).encode("ascii"))


def names(panel: Panel) -> list[str]:
    return [trace.name for trace in panel.traces]


def title(panel: Panel) -> str:
    """The metric with its unit."""
    found = unit(panel.metric)
    name = captions.cut(panel.metric)
    return name if found is None else f"{name} ({found})"


def scale(panel: Panel, most: int = _MOST_TICKS, *, zero: bool = False, nice: bool = True) -> Scale:
    """The scale of the metric's values; a logarithmic one cannot begin at zero."""
    values = [float(bytes(mark.value)) for mark in panel.marks if mark.value is not None]
    if panel.scale is ValueScale.LOG:  # a mean of values that are left out, too, may be less than all that are drawn
        values += [mark.mean for mark in panel.marks if mark.mean is not None]
        return scales.logarithmic(values, most, nice=nice)
    return scales.linear(values, most, zero=zero, nice=nice)


def value(panel: Panel, *, zero: bool, field: str = "value") -> Encoding:
    """The encoding of the metric's value as a position, from ``zero`` on where asked and possible."""
    found = numbers(scale(panel, zero=zero), scale_type=scale_type(panel), written=values(panel))
    return {"field": field, "type": "quantitative", "title": title(panel), **found}


def values(panel: Panel) -> Iterator[tuple[float, str]]:
    """The values that can be drawn, and how they are written."""
    return ((float(mark.text), mark.text) for mark in panel.marks if mark.value is not None)


def scale_type(panel: Panel) -> Encoding:
    """The type of the scale of values, in Vega-Lite's terms."""
    return {"type": "log"} if panel.scale is ValueScale.LOG else {"zero": False}


def numbers(
    scale: Scale, unit: float = 1.0, scale_type: Encoding | None = None, written: Iterable[tuple[float, str]] = ()
) -> Encoding:
    """An axis of numbers, none of which is cut; ``scale`` counts in units of ``unit``. Numbers may be ``written`` with
    more digits than those of Vega have: a tick that stands for one has them, too."""
    ticks: Encoding = {"values": [tick * unit for tick in scale.ticks], "format": scale.format, "labelLimit": 0}
    digits = _exact(scale.values, written) if scale.values else {}
    if digits:
        labels, places = ",".join(map(quoted, digits.values())), list(digits)
        other = f"format(datum.value,{quoted(ticks.pop('format'))})"
        ticks["labelExpr"] = f"[{labels}][indexof({places},datum.value)]||{other}"
    elif unit != 1.0:
        ticks["labelExpr"] = f"format(datum.value/{unit!r},'{ticks.pop('format')}')"
    domain = [bound * unit for bound in scale.domain]
    return {"scale": {"domain": domain, "nice": False, **(scale_type or {"zero": False})}, "axis": ticks}


def _exact(values: Sequence[float], written: Iterable[tuple[float, str]]) -> dict[float, str]:
    """The labels of these values, in all their digits; none where d3 has them all."""
    texts = {value: text for value, text in written if value in values and len(text) <= _LONGEST_LABEL}
    numbers = {value: Decimal(text) for value, text in texts.items()}
    if len(values) == 1 and all(number == Decimal(repr(value)) for value, number in numbers.items()):
        return {}
    return {value: _label(number) for value, number in numbers.items()}


def _label(number: Decimal) -> str:
    """The number in all its digits, as d3 writes numbers."""
    is_fixed = _LEAST_FIXED <= number.adjusted() < _NO_FIXED
    text = f"{number:,f}" if is_fixed else f"{number:e}"
    return f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else text


def categories(names: Sequence[str]) -> Encoding:
    """An axis of categories: horizontal labels of one line for each part where these fit, otherwise slanting."""
    room = style.WIDTH / len(names)
    if len(names) <= _FEW or fit([part for name in names for part in captions.PARTS.split(name)], len(names)):
        return {"labelAngle": 0, "labelOverlap": False, **lines(room - _BETWEEN)}
    return {"labelAngle": -45, "labelOverlap": False, **lines(160)}


def lines(longest: float) -> Encoding:
    """Labels with a line for each part of a name, none of more than so many pixels."""
    return {"labelLimit": longest, "labelExpr": f"split(datum.label,regexp({quoted(captions.PARTS.pattern)}))"}


def fit(lines: Sequence[str], count: int) -> bool:
    """Whether ``count`` horizontal labels of these lines fit along an axis."""
    return max(map(style.text_width, lines)) + _BETWEEN <= style.WIDTH / count


def tooltip(panel: Panel, axis: Axis) -> list[Encoding]:
    shown = [("at", _place(axis)), ("text", captions.cut(panel.metric))]
    shown += [("series", "Series")] if len(panel.traces) > 1 else []
    return [{"field": field, "type": "nominal", "title": in_expression(title)} for field, title in shown]


def description(panel: Panel, axis: Axis, *, of_each_mark: bool = True) -> Encoding:
    """The description of a mark, or of the line through all marks of a trace, for screen readers.

    Vega-Lite's own would have the rounded digits of its labels, and names in an expression without escapes.
    """
    name = quoted(captions.cut(panel.metric))
    said = [f'{name} + ", " + datum.series' if len(panel.traces) > 1 else name]
    said += [f"{quoted(_place(axis))} + ' ' + datum.at + ': ' + datum.text"] if of_each_mark else []
    return {"expr": " + '; ' + ".join(said)}


def _place(axis: Axis) -> str:
    if axis.unit_name:
        return "Elapsed"
    return "Timestamp" if axis.kind is AxisKind.TIME else captions.cut(axis.title)
