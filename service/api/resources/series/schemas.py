"""The schemas of requests and answers about series; see ``schemas``."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import Schema, ValidationError, fields, validate

from service.api.openapi.fields import nothing, step_metadata, value_metadata, zoned_metadata
from service.api.openapi.schemas import NameValue, Warning
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery

_LEFT_OUT = "NaN and `null` are left out, and it is `null` where no value is left."
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
