"""The schemas of answers about runs; see ``openapi.schemas``."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from service.api.openapi.fields import value_metadata, zoned_metadata
from service.api.openapi.schemas import PageSchema, Warning
from service.domain.expectations import Aggregate


def _text(description: str) -> Any:
    return fields.String(required=True, allow_none=True, metadata={"description": description})


def _moment(description: str) -> Any:
    metadata = zoned_metadata()
    metadata["description"] = f"{description} {metadata['description']}"
    return fields.String(required=True, allow_none=True, metadata=metadata)


def _available(what: str) -> Any:
    description = f"Whether the runtime {what}; `null` where that is not known now."
    return fields.Boolean(required=True, allow_none=True, metadata={"description": description})


def _href() -> Any:
    return fields.String(
        required=True, metadata={"format": "uri-reference", "description": "Relative to the request's URL."}
    )


class RunSchema(Schema):
    """A run (an *execution* of the AI API) without its related objects."""

    runId = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "The runtime's own status.", "example": "COMPLETED"})
    targetStatus = _text("The status that the run is to reach.")
    statusMessage = _text("The runtime's explanation of the status.")
    scenarioId = _text("The use case that the run belongs to.")
    executableId = _text("The template that the run is an instance of.")
    configurationId = _text("The configuration that the run was started with.")
    configurationName = _text("The configuration's name.")
    createdAt = _moment("When the run was created.")
    modifiedAt = _moment("When it last changed.")
    submissionTime = _moment("When it was submitted.")
    startTime = _moment("When it began.")
    completionTime = _moment("When it ended.")
    durationSeconds = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "From `startTime` to `completionTime`; `null` while one is missing.", "example": 1.5},
    )
    executionScheduleId = _text("The execution schedule that made the run.")


class RunMetric(Schema):
    """An aggregate of a run's metric."""

    name = fields.String(required=True, metadata={"description": "As in the query.", "example": "Loss"})
    aggregate = fields.String(required=True, validate=validate.OneOf([*Aggregate]))
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={**value_metadata(), "description": "`null` where the run has no such metric, or it cannot be read."},
    )
    step = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The step of that value; `null` for mean and count."}
    )


class ListedRun(RunSchema):
    """A run in a list."""

    metrics = fields.List(
        fields.Nested(RunMetric), metadata={"description": "Present with `metric`: one for each, in their order."}
    )


class RunListSchema(Schema):
    """The runs of a resource group, newest first."""

    timezone = fields.String(required=True)
    count = fields.Integer(required=True, metadata={"description": "Runs that match, on all pages together."})
    runs = fields.List(fields.Nested(ListedRun), required=True)
    page = fields.Nested(PageSchema)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})


class ParameterSchema(Schema):
    """A parameter of a run's configuration."""

    key = fields.String(required=True, metadata={"example": "learning_rate"})
    value = _text("Parameters are strings.")


class ArtifactSchema(Schema):
    """An input or output artifact of a run."""

    key = _text("The run's name for it.")
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
    """A link to the run's metric resource."""

    available = _available("has the metrics extension")
    href = _href()


class RunLogsSchema(Schema):
    """A link to the run's log."""

    available = _available("has the logs of its runs")
    href = _href()


class RunDetailsSchema(RunSchema):
    """A run and its related objects. Parts that could not be read, or not all of them, are named in `unavailable`."""

    timezone = fields.String(required=True)
    parameters = fields.List(fields.Nested(ParameterSchema), required=True, allow_none=True)
    inputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    outputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    scenario = fields.Nested(NamedSchema, required=True, allow_none=True)
    executable = fields.Nested(ExecutableSchema, required=True, allow_none=True)
    statusDetails = fields.Raw(required=True, allow_none=True, metadata={"description": "As the runtime sent it."})
    metricResource = fields.Nested(RunMetricResourceSchema, required=True)
    logs = fields.Nested(RunLogsSchema, required=True)
    unavailable = fields.List(
        fields.String(),
        metadata={"description": "Parts that could not be read, or not all of them; absent when all could."},
    )
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
