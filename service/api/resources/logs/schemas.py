"""The schemas of answers about logs; see ``schemas``."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.api.openapi.fields import zoned_metadata


class LogLineSchema(Schema):
    """A line that a run wrote."""

    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    message = fields.String(required=True, allow_none=True)
    container = fields.String(required=True, allow_none=True, metadata={"example": "main"})
    pod = fields.String(required=True, allow_none=True)
    stream = fields.String(required=True, allow_none=True, metadata={"example": "stdout"})


class LogWarningSchema(Schema):
    """A defect of a log, or a limit of what could be read of it."""

    code = fields.String(required=True, validate=validate.OneOf(["unreadable-timestamp", "incomplete-log"]))
    count = fields.Integer(metadata={"description": "How many lines of the answer.", "minimum": 1})
    detail = fields.String(required=True)


class RunLogSchema(Schema):
    """Lines of a run's log."""

    runId = fields.String(required=True)
    timezone = fields.String(required=True)
    logs = fields.List(fields.Nested(LogLineSchema), required=True)
    warnings = fields.List(
        fields.Nested(LogWarningSchema), metadata={"description": "Absent when there is nothing to warn of."}
    )
