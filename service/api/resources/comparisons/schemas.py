"""The schemas of requests and answers about comparisons; see ``schemas``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.openapi.fields import nothing, true_or_false, value_metadata
from service.api.openapi.schemas import MissingRun, NameValue, Query, Warning
from service.api.resources.charts.query import CHART_TYPE, ChartOptionsParameters, ChartOptionsQuery
from service.api.resources.runs.query import runs_field
from service.api.resources.runs.schemas import RunSchema
from service.api.resources.series.schemas import SeriesPoint
from service.charts.against import Against

_MOST_METRICS = 4


def _metrics(names: list[str]) -> None:
    if not 1 <= len(names) <= _MOST_METRICS:
        raise ValidationError(f"must be given 1 to {_MOST_METRICS} times, once for each metric, not {len(names)}")
    if len(set(names)) < len(names):
        raise ValidationError("names a metric more than once")


def _against(text: str) -> None:
    if text not in {"run", *Against} and not re.fullmatch(r"parameter:.+", text, re.DOTALL):
        raise ValidationError("must be run, step, time, elapsed or parameter:<key>")


@dataclass(frozen=True, kw_only=True)
class RunsComparedParameters(Parameters):
    """See ``RunsCompared``."""

    run: tuple[str, ...]


class RunsCompared(Query):
    """Which runs."""

    loads: ClassVar[type[Parameters]] = RunsComparedParameters
    run = runs_field(2, 5, "The runs to compare, two to five.")


@dataclass(frozen=True, kw_only=True)
class ComparisonParameters(RunsComparedParameters):
    """See ``ComparisonQuery``."""

    name: Sequence[str]
    label: Sequence[str]
    baseline: str | None
    differs: bool
    align: str | None
    metric: str | None


class ComparisonQuery(RunsCompared):
    """What is compared."""

    loads = ComparisonParameters

    name = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={"description": "Only metrics of this name, exactly; repeatable."},
    )
    label = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={
            "description": "Only metrics with this label, as `name` or `name:value`; repeatable, all must match."
        },
    )
    baseline = fields.String(
        load_default=nothing,
        metadata={
            "description": "One of the runs: each metric then says how far the others' last values are from its."
        },
    )
    differs = true_or_false("With `true` only the parameters that differ.")
    align = fields.String(
        load_default=nothing,
        validate=validate.Equal("step", error="must be step"),
        metadata={"description": "With `step` the series of `metric` are joined by step.", "enum": ["step"]},
    )
    metric = fields.String(load_default=nothing, metadata={"description": "The metric whose series are joined."})

    @validates_schema(skip_on_field_errors=False)
    def _joined(self, data: Mapping[str, Any], **_: Any) -> None:
        for name, other in (("align", "metric"), ("metric", "align")):
            if name in data and other in data and data[name] is None and data[other] is not None:
                raise ValidationError({name: [f"must be given with {other}"]})
        if data.get("baseline") is not None and data["baseline"] not in data.get("run", ()):
            raise ValidationError({"baseline": ["must be one of the runs that are compared"]})


@dataclass(frozen=True, kw_only=True)
class ComparisonChartParameters(RunsComparedParameters, ChartOptionsParameters):
    """See ``ComparisonChartQuery``."""

    metric: tuple[str, ...]
    against: str
    type: str | None


class ComparisonChartQuery(RunsCompared, ChartOptionsQuery):
    """What is drawn, and how."""

    loads = ComparisonChartParameters
    metric = fields.List(
        fields.String(),
        required=True,
        validate=_metrics,
        error_messages={"required": f"must name the metric to draw, or up to {_MOST_METRICS}"},
        metadata={
            "description": f"The metrics to draw, by their exact names, up to {_MOST_METRICS}: a panel for each.",
            "minItems": 1,
            "maxItems": _MOST_METRICS,
            "uniqueItems": True,
            "example": ["Loss"],
        },
    )
    against = fields.String(
        load_default="step",
        validate=_against,
        metadata={
            "description": "`run`, `step`, `time`, `elapsed` (since each run's `startTime`) or `parameter:<key>`.",
            "pattern": "^(run|step|time|elapsed|parameter:.+)$",
            "default": "step",
        },
    )
    type = fields.String(
        load_default=nothing,
        validate=CHART_TYPE,
        metadata={
            "description": "Without it lines against step, time and elapsed, columns against runs and parameters."
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _among(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["name"] and not {*data["name"]} & {*data["metric"]}:
            raise ValidationError({"name": ["must be one of those that metric names, or be left out"]})


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
    """A metric name and label set: what it came to in each run, `null` where a run has no such metric."""

    name = fields.String(required=True, metadata={"example": "Loss"})
    labels = fields.List(fields.Nested(NameValue), required=True)
    count = fields.List(
        fields.Integer(allow_none=True), required=True, metadata={"description": "The number of points of each run."}
    )
    first = _each("The first point")
    last = _each("The last point")
    min = _each("The first of the least values")
    max = _each("The first of the greatest values")
    mean = fields.List(
        fields.Raw(allow_none=True, metadata={"anyOf": value_metadata()["anyOf"]}),
        required=True,
        metadata={"description": "The mean of each run's values, to 17 significant digits; NaN is left out."},
    )
    difference = _numbers(
        "Given with `baseline`: each run's last value minus the baseline's, exactly; `null` where one is no number."
    )
    relative = _numbers(
        "Given with `baseline`: the difference divided by the absolute of the baseline's value, to 17 significant "
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
        metadata={"description": "Of each run one model, `null` where it has none, or not this one."},
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
        metadata={"description": "For each run its values, one for each of `steps`, `null` where it has none."},
    )


class ComparedRun(RunSchema):
    """One of the runs."""

    unavailable = fields.List(
        fields.String(validate=validate.OneOf(["parameters"])),
        metadata={"description": "Given where the run's parameters could not be read: they are `null` then."},
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
            "description": "Metrics of models: those that carry the label `metrics.ai.sap.com/Artifact.name`, and all "
            "of a run with exactly one output model. Where no run has more than one model there is one block with each "
            "run's own, otherwise one for each model name."
        },
    )
    aligned = fields.List(fields.Nested(JoinedSeries), metadata={"description": "Given with `align=step`."})
    missing = fields.List(fields.Nested(MissingRun), required=True)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
