"""The schemas of requests and answers, for reading queries and for the OpenAPI document.

Answers are not dumped through these: they are written once as bytes (``representations``), and tests validate them
against the document that these make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from marshmallow import Schema, ValidationError, fields, post_load, validate

from service.api.http.parameters import PagedParameters, Parameters
from service.api.http.problems import TYPES
from service.domain.metrics import MOST_STEP_DIGITS
from service.domain.runtime import Kind

_ZONED = "RFC 3339, in the answer's time zone; fractional digits as the runtime gave them."


def zoned_metadata() -> dict[str, Any]:
    """What the document says of a timestamp that may be missing."""
    return {"description": f"{_ZONED} `null` where the runtime's is missing or cannot be read.", "format": "date-time"}


def value_metadata() -> dict[str, Any]:
    """What the document says of a metric's value."""
    return {
        "description": (
            "A JSON number, digit for digit the runtime's, or the name of what JSON cannot hold. `null` where the "
            "runtime's is no number."
        ),
        "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}, {"type": "null"}],
    }


def step_metadata() -> dict[str, Any]:
    """What the document says of a step."""
    return {
        "description": (
            f"A whole number of either sign, of at most {MOST_STEP_DIGITS:,} digits. `null` where the runtime has "
            "none, or none that can be read."
        ),
        "example": 1,
    }


def true_or_false(description: str) -> fields.Boolean:
    """A query parameter that is ``true`` or, as by default, ``false``."""
    return fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        error_messages={"invalid": "must be true or false"},
        metadata={"description": description, "default": False},
    )


def nothing() -> None:
    """The ``load_default`` of what may be left out: the document states a value as a default, and a function not."""


_CAPITAL = re.compile("[A-Z]")


class Query(Schema):
    """The query parameters that every resource takes.

    What is loaded is a ``loads``: its members are called as the parameters are, in snake case.
    """

    loads: ClassVar[type[Parameters]] = Parameters

    @post_load
    def _load(self, data: Mapping[str, Any], **_: Any) -> Parameters:
        return self.loads(**self.members({_CAPITAL.sub(_lower, name): _frozen(data[name]) for name in data}))

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """The members of what is loaded, from the parameters."""
        return loaded

    timezone = fields.String(
        validate=validate.Length(min=1, error="must not be empty"),
        metadata={
            "description": (
                "Time zone of all timestamps of the answer: an IANA name or an offset `±hh:mm`, also `±hhmm`. Goes "
                "before the header `Time-Zone`, the token's claim `zoneinfo` and the configured default."
            ),
            "example": "Europe/Berlin",
            "format": "time-zone",
        },
    )
    connection = fields.String(
        validate=validate.Length(min=1, error="must not be empty"),
        metadata={
            "description": "Which runtime, as the header `AI-Connection`, before which it goes; for links.",
        },
    )
    format = fields.String(load_default=nothing)
    """What the answer is to be; each resource documents its own (``components``)."""


def _lower(capital: re.Match[str]) -> str:
    return "_" + capital[0].lower()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_LIMIT = "must be a whole number from 1 to 10000"


def whole_number(detail: str) -> Callable[[str], str]:
    """A check for plain decimal digits: ``int`` would take ``1_000`` and blanks as well."""

    def check(text: str) -> str:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise ValidationError(detail)
        return text

    return check


NO_CURSOR = "is not a cursor that was given for this request"


class PagedQuery(Query):
    """The query parameters of what comes in pages."""

    loads: ClassVar[type[Parameters]] = PagedParameters
    limit = fields.Integer(
        load_default=nothing,
        pre_load=[whole_number(_LIMIT)],
        validate=validate.Range(1, 10_000, error=_LIMIT),
        metadata={"description": "Items of a page; without it all there are."},
    )
    cursor = fields.String(
        load_default=nothing,
        validate=validate.Regexp("^[A-Za-z0-9_-]{24,512}$", error=NO_CURSOR),
        metadata={
            "description": (
                "Where to go on, from `page.next` or the `Link` of the page before. All pages of a sequence are of one "
                "snapshot; when that is no longer stored, the answer is `410`."
            ),
            "format": "cursor",
        },
    )


class PageSchema(Schema):
    """Where a page stands; given with `limit` or `cursor`."""

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


class Metric(Schema):
    """One point that was logged."""

    name = fields.String(required=True, metadata={"example": "loss"})
    value = fields.Raw(required=True, allow_none=True, metadata=value_metadata())
    timestamp = fields.String(required=True, allow_none=True, metadata=zoned_metadata())
    step = fields.Integer(required=True, allow_none=True, metadata=step_metadata())
    labels = fields.List(fields.Nested(NameValue), required=True)


class Warning(Schema):
    """Something that is not as it should be with the runtime's data."""

    code = fields.String(
        required=True,
        validate=validate.OneOf(
            ["unreadable-timestamp", "unreadable-step", "unreadable-value", "timestamp-at-epoch", "unread-metrics"]
        ),
    )
    count = fields.Integer(
        required=True, metadata={"description": "How many of the run's, on this page or not.", "minimum": 1}
    )
    detail = fields.String(required=True)


class MetricResourceSchema(Schema):
    """Everything that was tracked for one run, in the runtime's order."""

    runId = fields.String(required=True)
    timezone = fields.String(required=True)
    createdAt = fields.String(required=True, allow_none=True, metadata={"description": _ZONED, "format": "date-time"})
    modifiedAt = fields.String(required=True, allow_none=True, metadata={"description": _ZONED, "format": "date-time"})
    metrics = fields.List(fields.Nested(Metric), required=True)
    tags = fields.List(fields.Nested(NameValue), required=True)
    customInfo = fields.List(fields.Nested(NameValue), required=True)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
    page = fields.Nested(PageSchema, metadata={"description": "With filters, `limit` or `cursor`."})


class RunTagsSchema(Schema):
    """A run's tags."""

    runId = fields.String(required=True)
    tags = fields.List(fields.Nested(NameValue), required=True)


@dataclass(frozen=True, kw_only=True)
class NamedParameters(Parameters):
    """See ``NamedQuery``."""

    search: str


class NamedQuery(Query):
    """Which tags, or custom info."""

    loads: ClassVar[type[Parameters]] = NamedParameters
    search = fields.String(load_default=str, metadata={"description": "A part of the name, whatever the case."})


@dataclass(frozen=True, kw_only=True)
class CustomInfoParameters(NamedParameters):
    """See ``CustomInfoQuery``."""

    parse: bool


class CustomInfoQuery(NamedQuery):
    """Which of it, and whether values are parsed."""

    loads = CustomInfoParameters
    parse = true_or_false("With `true`, a value that is JSON is given as JSON too.")


class CustomInfoItem(NameValue):
    """A piece of custom info."""

    parsed = fields.Raw(
        metadata={
            "description": "With `parse=true`: the value as JSON, where it is that, at most 1 MiB, and not deeper "
            "than 64; absent otherwise."
        }
    )


class RunCustomInfoSchema(Schema):
    """A run's custom info; values are often JSON in a string."""

    runId = fields.String(required=True)
    customInfo = fields.List(fields.Nested(CustomInfoItem), required=True)


class RuntimeSchema(Schema):
    """The AI runtime."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(get_args(Kind)),
        metadata={"description": "What it speaks: the AI API, or that of an MLflow server."},
    )
    identifier = fields.String(required=True, allow_none=True, metadata={"example": "aicore"})
    apiVersion = fields.String(required=True, allow_none=True, metadata={"example": "2.21.0"})


class MetricResourceCapability(Schema):
    """The runtime's metrics extension."""

    available = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "`null` where the runtime does not say."}
    )
    version = fields.String(required=True, allow_none=True, metadata={"example": "1.0.0"})
    extendedResults = fields.Boolean(required=True)


class LogsCapability(Schema):
    """Whether the runtime gives the logs of its runs."""

    available = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "`null` where the runtime does not say."}
    )


class ConnectionItem(Schema):
    """A runtime that callers can name."""

    name = fields.String(required=True, metadata={"example": "default"})
    kind = fields.String(required=True, validate=validate.OneOf(get_args(Kind)))
    description = fields.String(required=True)
    default = fields.Boolean(
        required=True, metadata={"description": "Whether it is the one of requests that name none."}
    )


class ConnectionListSchema(Schema):
    """The runtimes that the caller's tenant may use."""

    connections = fields.List(fields.Nested(ConnectionItem), required=True)


class CapabilitiesSchema(Schema):
    """What the runtime can do."""

    connection = fields.String(required=True, metadata={"description": "The runtime's name, as `/connections` has it."})
    runtime = fields.Nested(RuntimeSchema, required=True)
    metricResource = fields.Nested(MetricResourceCapability, required=True)
    logs = fields.Nested(LogsCapability, required=True)


class ResourceGroupSchema(Schema):
    """A resource group."""

    id = fields.String(required=True, metadata={"example": "default"})


class ResourceGroupListSchema(Schema):
    """The resource groups that the caller may use."""

    resourceGroups = fields.List(fields.Nested(ResourceGroupSchema), required=True)
    complete = fields.Boolean(
        required=True, metadata={"description": "`false` where the runtime does not say which there are."}
    )


class LivenessSchema(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=validate.OneOf(["alive"]))


RUNTIME_STATES = ["reachable", "unreachable", "unusable", "unknown"]


class ReadinessSchema(Schema):
    """Whether requests can be served, and how the parts do."""

    status = fields.String(required=True, validate=validate.OneOf(["ready", "not ready"]))
    keys = fields.Dict(
        keys=fields.String(),
        values=fields.Boolean(),
        required=True,
        metadata={"description": "For each trusted issuer whether its keys are loaded."},
    )
    cache = fields.String(required=True, validate=validate.OneOf(["redis", "in-process", "unavailable"]))
    runtime = fields.String(
        required=True,
        validate=validate.OneOf(RUNTIME_STATES),
        metadata={"description": "How the runtime of the default connection does."},
    )
    connections = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(RUNTIME_STATES)),
        required=True,
        metadata={"description": "For each connection how its runtime does."},
    )


class ProblemFault(Schema):
    """One thing wrong with one parameter."""

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
            "description": "What the problem is with, relative to the request's URL; empty for that URL itself.",
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
        metadata={"description": "With status 403: the scope that is missing; several with blanks between."}
    )
    roles = fields.List(fields.String(), metadata={"description": "With status 403: known roles that grant it."})
    roleCollections = fields.List(
        fields.String(), metadata={"description": "With status 403: known role collections that grant it."}
    )
