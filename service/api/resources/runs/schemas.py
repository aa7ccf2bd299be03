"""The shapes of questions and answers about runs; see ``schemas``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields

from service.api.http.parameters import PagedParameters
from service.api.openapi.schemas import PagedQuery, PageSchema, Warning, nothing, zoned_metadata
from service.domain.runs import RunStatus

_STATUSES = [status.value for status in RunStatus]


def _statuses(texts: list[str]) -> None:
    if not {word for text in texts for word in text.split(",")} <= set(_STATUSES):
        raise ValidationError("must be one or more of " + ", ".join(_STATUSES))


def _text(description: str) -> Any:
    return fields.String(required=True, allow_none=True, metadata={"description": description})


def _moment(description: str) -> Any:
    metadata = zoned_metadata()
    metadata["description"] = f"{description} {metadata['description']}"
    return fields.String(required=True, allow_none=True, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class RunsParameters(PagedParameters):
    """See ``RunsQuery``."""

    status: tuple[str, ...]
    scenario_id: str | None
    executable_id: str | None
    configuration_id: str | None


class RunsQuery(PagedQuery):
    """Which runs."""

    loads = RunsParameters
    status = fields.List(
        fields.String(metadata={"pattern": f"^({'|'.join(_STATUSES)})(,({'|'.join(_STATUSES)}))*$"}),
        load_default=tuple,
        validate=_statuses,
        metadata={"description": "Runs in one of these states; comma-separated or repeated: " + ", ".join(_STATUSES)},
    )
    scenarioId = fields.String(load_default=nothing, metadata={"description": "Runs of this scenario."})
    executableId = fields.String(load_default=nothing, metadata={"description": "Runs of this executable."})
    configurationId = fields.String(load_default=nothing, metadata={"description": "Runs of this configuration."})


class RunSchema(Schema):
    """What is known of a run by itself."""

    runId = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "The runtime's word.", "example": "COMPLETED"})
    targetStatus = _text("Where the run is to get to.")
    statusMessage = _text("What the runtime says of the status.")
    scenarioId = _text("The use case that the run belongs to.")
    executableId = _text("The template that the run is an instance of.")
    configurationId = _text("What the run was started with.")
    configurationName = _text("The configuration's name.")
    createdAt = _moment("When the run was asked for.")
    modifiedAt = _moment("When it last changed.")
    submissionTime = _moment("When it was submitted.")
    startTime = _moment("When it began.")
    completionTime = _moment("When it ended.")


class RunListSchema(Schema):
    """The runs of a resource group, newest first."""

    timezone = fields.String(required=True)
    count = fields.Integer(required=True, metadata={"description": "Runs that match, on all pages together."})
    runs = fields.List(fields.Nested(RunSchema), required=True)
    page = fields.Nested(PageSchema)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})


class ParameterSchema(Schema):
    """A parameter of a run's configuration."""

    key = fields.String(required=True, metadata={"example": "learning_rate"})
    value = _text("Parameters are strings in the AI API.")


class ArtifactSchema(Schema):
    """An artifact that a run was given or has made."""

    key = _text("What the run calls it.")
    id = _text("Its id.")
    name = _text("Its name.")
    kind = _text("`model`, `dataset`, `resultset` or `other`.")
    url = _text("The artifact's URL.")


class NamedSchema(Schema):
    """A scenario."""

    id = _text("Its id.")
    name = _text("Its name.")


class ExecutableSchema(NamedSchema):
    """An executable (run template)."""

    versionId = _text("Its version.")


class RunMetricResourceSchema(Schema):
    """Where the run's metric resource is."""

    available = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether the runtime has the metrics extension; `null` where that is not known now."},
    )
    href = fields.String(
        required=True, metadata={"format": "uri-reference", "description": "Relative to the request's URL."}
    )


class RunDetailsSchema(RunSchema):
    """A run and what surrounds it. Parts that could not be read are named in `unavailable`."""

    timezone = fields.String(required=True)
    parameters = fields.List(fields.Nested(ParameterSchema), required=True, allow_none=True)
    inputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    outputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    scenario = fields.Nested(NamedSchema, required=True, allow_none=True)
    executable = fields.Nested(ExecutableSchema, required=True, allow_none=True)
    statusDetails = fields.Raw(required=True, allow_none=True, metadata={"description": "As the runtime has it."})
    metricResource = fields.Nested(RunMetricResourceSchema, required=True)
    unavailable = fields.List(
        fields.String(), metadata={"description": "Parts that could not be read; absent when all could."}
    )
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
