"""The schemas of answers about a run's metric resource; see ``openapi.schemas``."""

from __future__ import annotations

from marshmallow import Schema, fields

from service.api.openapi.fields import ZONED, step_metadata, value_metadata, zoned_metadata
from service.api.openapi.schemas import NameValue, PageSchema, Warning


class Metric(Schema):
    """One point that was logged."""

    name = fields.String(required=True, metadata={"example": "loss"})
    value = fields.Raw(required=True, allow_none=True, metadata=value_metadata())
    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    step = fields.Integer(required=True, allow_none=True, metadata=step_metadata())
    labels = fields.List(fields.Nested(NameValue), required=True)


class MetricResourceSchema(Schema):
    """Everything that was logged to a run, in the runtime's order."""

    runId = fields.String(required=True)
    timezone = fields.String(required=True)
    createdAt = fields.String(required=True, allow_none=True, metadata={"description": ZONED, "format": "date-time"})
    modifiedAt = fields.String(required=True, allow_none=True, metadata={"description": ZONED, "format": "date-time"})
    metrics = fields.List(fields.Nested(Metric), required=True)
    tags = fields.List(fields.Nested(NameValue), required=True)
    customInfo = fields.List(fields.Nested(NameValue), required=True)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
    page = fields.Nested(PageSchema, metadata={"description": "With filters, `limit` or `cursor`."})


class RunTagsSchema(Schema):
    """A run's tags."""

    runId = fields.String(required=True)
    tags = fields.List(fields.Nested(NameValue), required=True)


class CustomInfoItem(NameValue):
    """A piece of custom info."""

    parsed = fields.Raw(
        metadata={
            "description": "With `parse=true`: the parsed value, where it is JSON of at most 1 MiB and 64 levels; "
            "absent otherwise."
        }
    )


class RunCustomInfoSchema(Schema):
    """A run's custom info; values are often JSON in a string."""

    runId = fields.String(required=True)
    customInfo = fields.List(fields.Nested(CustomInfoItem), required=True)
