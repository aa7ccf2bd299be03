"""Query parameters of logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.openapi.fields import check_order, instant_field, whole_number
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
        metadata={"description": "The most lines of the answer. For more, continue with `until` or `since`."},
    )
    search = fields.String(load_default=str, metadata={"description": "A part of the message; case is ignored."})

    @validates_schema(skip_on_field_errors=False)
    def _range(self, data: Mapping[str, Any], **_: Any) -> None:
        check_order(data, ("since", "until"))

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """The loaded members, with the log query in place of its parts."""
        parts = {name: loaded.pop(name) for name in ("since", "until", "limit", "search")}
        loaded["wanted"] = LogQuery(newest_first=loaded.pop("order") == "desc", **parts)
        return loaded
