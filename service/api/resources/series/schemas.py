"""The schemas of requests and answers about series and charts; see ``schemas``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.openapi.fields import nothing, step_metadata, value_metadata, zoned_metadata
from service.api.openapi.schemas import NameValue, Warning
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery
from service.charts.against import Against, Drawn
from service.charts.panels import ChartType, ValueScale

_LEFT_OUT = "NaN and `null` are left out, and it is `null` where no value is left."
MOST_SMOOTH = 0.99
_SMOOTH = f"must be a number from 0 to {MOST_SMOOTH}"
_FRACTION = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_POINTS = "must be a whole number from 2 to 10000"


def _digits(text: str) -> str:
    """Plain decimal digits alone: ``int`` would take ``1_000`` as well."""
    if not (text.isascii() and text.isdigit()):
        raise ValidationError(_POINTS)
    return text


@dataclass(frozen=True, kw_only=True)
class SeriesParameters(FilterParameters):
    """See ``SeriesQuery``."""

    points: int | None


_TYPES = [str(each) for each in ChartType]
CHART_TYPE = validate.OneOf(_TYPES, error=f"must be {', '.join(_TYPES[:-1])} or {_TYPES[-1]}")


def _fraction(text: str) -> str:
    """Plain decimal notation alone: ``float`` would take ``1_0`` and ``nan`` as well."""
    if not _FRACTION.fullmatch(text):
        raise ValidationError(_SMOOTH)
    return text


class SeriesQuery(FilterQuery):
    """Which points the series are made of, and how finely they are given."""

    loads = SeriesParameters
    points = fields.Integer(
        load_default=nothing,
        pre_load=[_digits],
        validate=validate.Range(2, 10_000, error=_POINTS),
        error_messages={"invalid": _POINTS},
        metadata={
            "description": (
                "At most so many points a series: the first, the last and the extremes (with 2 or 3, as many of them "
                "as there is room for), and of the others those that make its picture. None is made up."
            ),
        },
    )


@dataclass(frozen=True, kw_only=True)
class DrawnParameters(FilterParameters):
    """See ``DrawnQuery``."""

    scale: str
    smooth: float

    def drawn(self, against: str) -> Drawn:
        """The same, for an axis of what was asked for."""
        return Drawn(Against(against), ValueScale(self.scale), self.smooth)


class DrawnQuery(FilterQuery):
    """How points are drawn, those that match the filters."""

    loads: ClassVar[type[Parameters]] = DrawnParameters
    scale = fields.String(
        load_default="linear",
        validate=validate.OneOf(list(ValueScale), error="must be linear or log"),
        metadata={
            "description": "The axis of values. What a logarithmic one has no place for is left out, and the chart "
            "says how much that is.",
            "default": "linear",
        },
    )
    smooth = fields.Float(
        load_default=0.0,
        pre_load=[_fraction],
        validate=validate.Range(0, MOST_SMOOTH, error=_SMOOTH),
        error_messages={"invalid": _SMOOTH},
        metadata={
            "description": "The share that an exponential moving mean, debiased, keeps from point to point. Lines and "
            "scattered points then have a line through the means, and what was logged is faint behind it; `value` in "
            "the chart's data stays what was logged.",
            "default": 0,
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _smoothed(self, data: Mapping[str, Any], **_: Any) -> None:
        against = data.get("x", data.get("against"))
        if not data["smooth"]:
            return
        if data["type"] not in {None, ChartType.LINE, ChartType.SCATTER}:
            raise ValidationError({"smooth": ["goes with type=line and type=scatter only"]})
        if against not in {*Against}:
            raise ValidationError({"smooth": ["goes with against=step, time and elapsed only"]})


@dataclass(frozen=True, kw_only=True)
class ChartParameters(DrawnParameters):
    """See ``ChartQuery``."""

    x: str
    type: str


class ChartQuery(DrawnQuery):
    """What is drawn, and how."""

    loads = ChartParameters
    x = fields.String(
        load_default="step",
        validate=validate.OneOf(list(Against), error="must be step, time or elapsed"),
        metadata={
            "description": "What the metrics are drawn against; `elapsed` is the time since the run's `startTime`.",
            "default": "step",
        },
    )
    type = fields.String(
        load_default="line",
        validate=CHART_TYPE,
        metadata={"description": "How they are drawn: columns stand, bars lie.", "default": "line"},
    )


class SeriesPoint(Schema):
    """One point of a series."""

    step = fields.Integer(required=True, allow_none=True, metadata=step_metadata())
    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    value = fields.Raw(required=True, allow_none=True, metadata=value_metadata())


class OneSeries(Schema):
    """The points of one metric name and label set. `count` and all that follows is of all points, a sample or not,
    those without a value among them."""

    name = fields.String(required=True, metadata={"example": "Loss"})
    labels = fields.List(
        fields.Nested(NameValue),
        required=True,
        metadata={"description": "In the order of the first point logged; another order is the same series."},
    )
    count = fields.Integer(required=True, metadata={"minimum": 1})
    first = fields.Nested(SeriesPoint, required=True)
    last = fields.Nested(
        SeriesPoint,
        required=True,
        metadata={
            "description": "The latest of the highest step; a point without a step or timestamp only where no other is."
        },
    )
    min = fields.Nested(
        SeriesPoint,
        required=True,
        allow_none=True,
        metadata={"description": f"The first of the least values; {_LEFT_OUT}"},
    )
    max = fields.Nested(
        SeriesPoint,
        required=True,
        allow_none=True,
        metadata={"description": f"The first of the greatest values; {_LEFT_OUT}"},
    )
    mean = fields.Raw(
        required=True,
        allow_none=True,
        metadata={
            "description": (
                "Calculated in double precision, and null where a value is beyond that. Infinite where a value is, NaN "
                "where values of both infinities are; " + _LEFT_OUT
            ),
            "anyOf": value_metadata()["anyOf"],
        },
    )
    points = fields.List(
        fields.Nested(SeriesPoint),
        required=True,
        metadata={
            "description": (
                "By step, then timestamp, then as the runtime gave them; points without a step after those with one, "
                "and without a timestamp after those with one."
            )
        },
    )
    downsampled = fields.Boolean(required=True, metadata={"description": "Whether `points` are fewer than `count`."})


class ProgressSchema(Schema):
    """How each metric of a run progressed, by the first appearance of each series."""

    runId = fields.String(required=True)
    timezone = fields.String(required=True)
    series = fields.List(fields.Nested(OneSeries), required=True)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})


class ChartSchema(Schema):
    """A [Vega-Lite](https://vega.github.io/vega-lite/) v6 specification with its data inline."""

    class Meta:
        """Vega-Lite has many more members."""

        unknown = INCLUDE
        include: ClassVar[dict[str, fields.Field[Any]]] = {
            "$schema": fields.String(
                required=True, metadata={"example": "https://vega.github.io/schema/vega-lite/v6.json"}
            )
        }

    title = fields.Dict(required=True)
    description = fields.String(required=True, metadata={"description": "The chart in words."})
    config = fields.Dict(required=True)
