"""The schemas of answers about comparisons; see ``schemas``."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from service.api.openapi.fields import value_metadata
from service.api.openapi.schemas import MissingRun, NameValue, Warning
from service.api.resources.runs.schemas import RunSchema
from service.api.resources.series.schemas import SeriesPoint


class ComparedParameter(Schema):
    """A parameter of the runs' configurations."""

    key = fields.String(required=True, metadata={"example": "learning_rate"})
    values = fields.List(
        fields.String(allow_none=True),
        required=True,
        metadata={"description": "One for each run; `null` where it has no such parameter.", "example": ["0.01", None]},
    )
    differs = fields.Boolean(required=True)


def _each(what: str) -> Any:
    return fields.List(
        fields.Nested(SeriesPoint, allow_none=True),
        required=True,
        metadata={"description": f"{what} of each run, `null` where a run has no such metric."},
    )


def _numbers(description: str) -> Any:
    return fields.List(fields.Float(allow_none=True), metadata={"description": description})


class ComparedMetric(Schema):
    """A metric name and label set: its aggregates in each run, `null` where a run has no such metric."""

    name = fields.String(required=True, metadata={"example": "Loss"})
    labels = fields.List(fields.Nested(NameValue), required=True)
    count = fields.List(
        fields.Integer(allow_none=True), required=True, metadata={"description": "The number of points of each run."}
    )
    first = _each("The first point")
    last = _each("The last point")
    min = _each("The first of the lowest values")
    max = _each("The first of the highest values")
    mean = fields.List(
        fields.Raw(allow_none=True, metadata={"anyOf": value_metadata()["anyOf"]}),
        required=True,
        metadata={"description": "The mean of each run's values, to 17 significant digits; NaN is left out."},
    )
    difference = _numbers(
        "Present with `baseline`: each run's last value minus the baseline's, exact; `null` where one is not a number."
    )
    relative = _numbers(
        "Present with `baseline`: the difference divided by the absolute of the baseline's value, to 17 significant "
        "digits; `null` for a baseline of 0."
    )


class ComparedModel(Schema):
    """A model of a run."""

    name = fields.String(required=True, metadata={"example": "digits-network"})
    artifactId = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The id of the output artifact; `null` where the run has none of that name."},
    )


class ComparedModels(Schema):
    """Models side by side, and their metrics aligned by name and labels other than the model's."""

    models = fields.List(
        fields.Nested(ComparedModel, allow_none=True),
        required=True,
        metadata={"description": "One model of each run, `null` where it has none, or not this one."},
    )
    metrics = fields.List(fields.Nested(ComparedMetric), required=True)


class JoinedSeries(Schema):
    """The series of one name and label set, joined by step. Of several points at a step the last counts."""

    name = fields.String(required=True)
    labels = fields.List(fields.Nested(NameValue), required=True)
    steps = fields.List(fields.Integer(), required=True)
    values = fields.List(
        fields.List(fields.Raw(allow_none=True, metadata={"anyOf": value_metadata()["anyOf"]})),
        required=True,
        metadata={"description": "The values of each run, one for each of `steps`, `null` where it has none."},
    )


class ComparedRun(RunSchema):
    """One of the runs."""

    unavailable = fields.List(
        fields.String(validate=validate.OneOf(["parameters"])),
        metadata={"description": "Present where the run's parameters could not be read; they are `null` then."},
    )


class ComparisonSchema(Schema):
    """Runs side by side. Every list of values has one for each of `runs`, in their order."""

    timezone = fields.String(required=True)
    runs = fields.List(fields.Nested(ComparedRun), required=True)
    parameters = fields.List(fields.Nested(ComparedParameter), required=True)
    metrics = fields.List(
        fields.Nested(ComparedMetric), required=True, metadata={"description": "Metrics of the runs as a whole."}
    )
    models = fields.List(
        fields.Nested(ComparedModels),
        required=True,
        metadata={
            "description": "Metrics of models: those with the label `metrics.ai.sap.com/Artifact.name`, and all "
            "of a run with exactly one output model. Where no run has more than one model there is one block with each "
            "run's own, otherwise one for each model name."
        },
    )
    aligned = fields.List(fields.Nested(JoinedSeries), metadata={"description": "Present with `align=step`."})
    missing = fields.List(fields.Nested(MissingRun), required=True)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
