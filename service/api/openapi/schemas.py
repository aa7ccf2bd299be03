"""The schemas of requests and answers, for reading queries and for the OpenAPI document.

Answers are not serialised by these: each resource writes bytes (``to_json``), and tests validate them against the
document that is generated from these. This module has the schemas that several resources share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields, post_load, validate

from service.api.http.parameters import PagedParameters, Parameters
from service.api.http.problems import TYPES
from service.api.openapi.fields import nothing, whole_number

_CAPITAL = re.compile("[A-Z]")


class Query(Schema):
    """The query parameters that every resource takes.

    They are loaded as a ``loads``, whose members have the names of the parameters, in snake case.
    """

    loads: ClassVar[type[Parameters]] = Parameters

    @post_load
    def _load(self, data: Mapping[str, Any], **_: Any) -> Parameters:
        return self.loads(**self.members({_CAPITAL.sub(_lower, name): _frozen(data[name]) for name in data}))

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """The members of the loaded query, from the parameters."""
        return loaded

    timezone = fields.String(
        validate=validate.Length(min=1, error="must not be empty"),
        metadata={
            "description": (
                "Time zone of all timestamps of the answer: an IANA name or an offset `±hh:mm`, also `±hhmm`. Takes "
                "precedence over the header `Time-Zone`, the token's claim `zoneinfo` and the configured default."
            ),
            "example": "Europe/Berlin",
            "format": "time-zone",
        },
    )
    connection = fields.String(
        validate=validate.Length(min=1, error="must not be empty"),
        metadata={
            "description": "Which runtime, like the header `AI-Connection`, over which it takes precedence; for links.",
        },
    )
    format = fields.String(load_default=nothing)
    """The answer's format; each resource documents its own values (``components``)."""


def _lower(capital: re.Match[str]) -> str:
    return "_" + capital[0].lower()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_LIMIT = "must be a whole number from 1 to 10000"


NO_CURSOR = "is not a cursor that was issued for this request"


class PagedQuery(Query):
    """The query parameters of resources with pages."""

    loads: ClassVar[type[Parameters]] = PagedParameters
    limit = fields.Integer(
        load_default=nothing,
        pre_load=[whole_number(_LIMIT)],
        validate=validate.Range(1, 10_000, error=_LIMIT),
        metadata={"description": "Items of a page; without it, all items."},
    )
    cursor = fields.String(
        load_default=nothing,
        validate=validate.Regexp("^[A-Za-z0-9_-]{24,512}$", error=NO_CURSOR),
        metadata={
            "description": (
                "The start of the page, from `page.next` or the `Link` of the previous page. All pages of a sequence "
                "are of one snapshot; when that is no longer stored, the answer is `410`."
            ),
            "format": "cursor",
        },
    )


class PageSchema(Schema):
    """The position of a page; present with `limit` or `cursor`."""

    total = fields.Integer(required=True, metadata={"description": "Items on all pages together.", "minimum": 0})
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The next page, relative to the request's URL; `null` on the last.",
            "format": "uri-reference",
        },
    )


class NameValue(Schema):
    """A label, a tag or a piece of custom info."""

    name = fields.String(required=True, metadata={"example": "metrics.ai.sap.com/Artifact.name"})
    value = fields.String(required=True, metadata={"example": "text-model"})


class Warning(Schema):
    """A defect of the runtime's data."""

    code = fields.String(
        required=True,
        validate=validate.OneOf(
            ["unreadable-timestamp", "unreadable-step", "unreadable-value", "timestamp-at-epoch", "unread-metrics"]
        ),
    )
    count = fields.Integer(
        required=True,
        metadata={
            "description": "How many values of the run are affected, whatever is selected, on all pages.",
            "minimum": 1,
        },
    )
    detail = fields.String(required=True)


class ProblemFault(Schema):
    """A fault of one parameter."""

    parameter = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemOfPartSchema(Schema):
    """Why a part of an answer is missing (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "example": "urn:metric-resource:run-not-found",
            "description": "One of " + ", ".join(f"`{type_}`" for type_ in TYPES) + ".",
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(
        required=True,
        metadata={
            "format": "uri-reference",
            "description": "What has the problem, relative to the request's URL; empty for that URL itself.",
        },
    )


class MissingRun(Schema):
    """A run that could not be read."""

    runId = fields.String(required=True)
    problem = fields.Nested(ProblemOfPartSchema, required=True)


class ProblemSchema(ProblemOfPartSchema):
    """An error (RFC 9457)."""

    requestId = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemFault), metadata={"description": "With status 400."})
    scope = fields.String(
        metadata={"description": "With status 403: the missing scope; several are separated by blanks."}
    )
    roles = fields.List(fields.String(), metadata={"description": "With status 403: known roles that grant it."})
    roleCollections = fields.List(
        fields.String(), metadata={"description": "With status 403: known role collections that grant it."}
    )
