"""The schemas of answers about series; see ``schemas``."""

from __future__ import annotations

from marshmallow import Schema, fields

from service.api.openapi.fields import step_metadata, value_metadata, zoned_metadata
from service.api.openapi.schemas import NameValue, Warning

_LEFT_OUT = "NaN and `null` are left out, and it is `null` where no value is left."


class SeriesPoint(Schema):
    """One point of a series."""

    step = fields.Integer(required=True, allow_none=True, metadata=step_metadata())
    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    value = fields.Raw(required=True, allow_none=True, metadata=value_metadata())


class OneSeries(Schema):
    """The points of one metric name and label set. `count` and all that follows are of all points, even where `points`
    is a sample, and include points without a value."""

    name = fields.String(required=True, metadata={"example": "Loss"})
    labels = fields.List(
        fields.Nested(NameValue),
        required=True,
        metadata={
            "description": "In the order of the first point logged; labels in another order are the same series."
        },
    )
    count = fields.Integer(required=True, metadata={"minimum": 1})
    first = fields.Nested(SeriesPoint, required=True)
    last = fields.Nested(
        SeriesPoint,
        required=True,
        metadata={"description": "The latest of the highest step; points without a step or timestamp come last."},
    )
    min = fields.Nested(
        SeriesPoint,
        required=True,
        allow_none=True,
        metadata={"description": f"The first of the lowest values; {_LEFT_OUT}"},
    )
    max = fields.Nested(
        SeriesPoint,
        required=True,
        allow_none=True,
        metadata={"description": f"The first of the highest values; {_LEFT_OUT}"},
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
