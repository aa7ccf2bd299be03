"""Query parameters of event streams: which points, and after which event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import fields, validate

from service.api.http.parameters import Parameters
from service.api.openapi.fields import nothing
from service.api.openapi.schemas import Query
from service.api.resources.metric_resource.query import NAMES
from service.domain.selection.filters import Filter


@dataclass(frozen=True, kw_only=True)
class EventsParameters(Parameters):
    """See ``EventsQuery``."""

    wanted: Filter
    after: str | None = None


class EventsQuery(Query):
    """Which points are sent, and after which event."""

    loads: ClassVar[type[Parameters]] = EventsParameters
    name = fields.List(fields.String(), load_default=tuple, metadata={"description": NAMES})
    label = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={"description": "`name` or `name:value` of a label; repeatable, all must match."},
    )
    after = fields.String(
        load_default=nothing,
        validate=validate.Regexp(r"[A-Za-z0-9_-]{1,512}\Z", error="must be the id of an event"),
        metadata={
            "description": "The id of the last event received, for clients that cannot send `Last-Event-ID`, or an "
            "`Event-ID` of the metric resource. Where that cannot be resumed, the stream starts with `changed`."
        },
    )

    def members(self, loaded: dict[str, Any]) -> dict[str, Any]:
        """The loaded members, with the filter in place of its parts."""
        loaded["wanted"] = Filter(loaded.pop("name"), labels=loaded.pop("label"))
        return loaded
