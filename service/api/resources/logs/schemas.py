"""The schemas of requests and answers about logs; see ``schemas``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.openapi.fields import check_order, instant_field, whole_number, zoned_metadata
from service.api.openapi.schemas import Query
from service.domain.logs import MOST_LINES, USUAL_LINES, LogQuery

_LIMIT = f"must be a whole number from 1 to {MOST_LINES}"
_ORDERS = ("desc", "asc")


@dataclass(frozen=True, kw_only=True)
class LogsParameters(Parameters):
    """See ``LogsQuery``."""

    wanted: LogQuery


class LogsQuery(Query):
    """Which lines, and in what order."""

    loads = LogsParameters
    since = instant_field("The earliest timestamp; without it, the run's start. Lines without one are left out.")
    until = instant_field("The latest timestamp. Lines without one are left out.")
    order = fields.String(
        load_default="desc",
        validate=validate.OneOf(_ORDERS, error="must be desc or asc"),
        metadata={"description": "`desc`: the newest line first. `asc`: the oldest first."},
    )
    limit = fields.Integer(
        load_default=USUAL_LINES,
        pre_load=[whole_number(_LIMIT)],
        validate=validate.Range(1, MOST_LINES, error=_LIMIT),
        metadata={"description": "The most lines of the answer. For more, go on with `until` or `since`."},
    )
    search = fields.String(load_default=str, metadata={"description": "A part of the message, whatever the case."})

    @validates_schema(skip_on_field_errors=False)
    def _range(self, data: Mapping[str, Any], **_: Any) -> None:
        check_order(data, ("since", "until"))

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """With what is asked for in place of its parts."""
        parts = {name: loaded.pop(name) for name in ("since", "until", "limit", "search")}
        loaded["wanted"] = LogQuery(newest_first=loaded.pop("order") == "desc", **parts)
        return loaded


class LogLineSchema(Schema):
    """A line that a run wrote."""

    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    message = fields.String(required=True, allow_none=True)
    container = fields.String(required=True, allow_none=True, metadata={"example": "main"})
    pod = fields.String(required=True, allow_none=True)
    stream = fields.String(required=True, allow_none=True, metadata={"example": "stdout"})


class LogWarningSchema(Schema):
    """Something that is not as it should be with a log, or with what could be read of it."""

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
