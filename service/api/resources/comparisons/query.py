"""Query parameters of comparisons and their charts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.openapi.fields import nothing, true_or_false
from service.api.openapi.schemas import Query
from service.api.resources.charts.query import CHART_TYPE, ChartOptionsParameters, ChartOptionsQuery
from service.api.resources.runs.query import runs_field
from service.charts.x_axis import Against

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
        metadata={"description": "One of the runs, from whose last values those of the others are subtracted."},
    )
    differs = true_or_false("With `true`, only the parameters that differ.")
    align = fields.String(
        load_default=nothing,
        validate=validate.Equal("step", error="must be step"),
        metadata={"description": "With `step`, the series of `metric` are joined by step.", "enum": ["step"]},
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
            "description": "By default lines against step, time and elapsed, columns against runs and parameters."
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _among(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["name"] and not {*data["name"]} & {*data["metric"]}:
            raise ValidationError({"name": ["must be one of the metrics named by metric, or be left out"]})
