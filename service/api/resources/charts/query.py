"""Query parameters of charts; those of a run and of comparisons have schemas derived from these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from service.api.http.parameters import Parameters
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery
from service.charts.panels import ChartType, ValueScale
from service.charts.x_axis import Against, ChartOptions

MOST_SMOOTH = 0.99
_SMOOTH = f"must be a number from 0 to {MOST_SMOOTH}"
_FRACTION = re.compile(r"[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_TYPES = [str(each) for each in ChartType]
CHART_TYPE = validate.OneOf(_TYPES, error=f"must be {', '.join(_TYPES[:-1])} or {_TYPES[-1]}")


def _fraction(text: str) -> str:
    """A check for the notation of JSON: ``float`` would accept ``1_0`` and ``nan`` as well."""
    if not _FRACTION.fullmatch(text):
        raise ValidationError(_SMOOTH)
    return text


@dataclass(frozen=True, kw_only=True)
class ChartOptionsParameters(FilterParameters):
    """See ``ChartOptionsQuery``."""

    scale: str
    smooth: float

    def options(self, against: str) -> ChartOptions:
        """The options of a chart against ``against``."""
        return ChartOptions(Against(against), ValueScale(self.scale), self.smooth)


class ChartOptionsQuery(FilterQuery):
    """How points are drawn, those that match the filters."""

    loads: ClassVar[type[Parameters]] = ChartOptionsParameters
    scale = fields.String(
        load_default="linear",
        validate=validate.OneOf(list(ValueScale), error="must be linear or log"),
        metadata={
            "description": "The axis of values. Points that a logarithmic axis cannot show are left out, and the "
            "chart says how many.",
            "default": "linear",
        },
    )
    smooth = fields.Float(
        load_default=0.0,
        pre_load=[_fraction],
        validate=validate.Range(0, MOST_SMOOTH, error=_SMOOTH),
        error_messages={"invalid": _SMOOTH, "special": _SMOOTH},
        metadata={
            "description": "The share that an exponential moving mean, debiased, keeps from point to point. Lines and "
            "scattered points then have a line through the means, with the logged values faint behind it; `value` in "
            "the chart's data is always the logged one.",
            "default": 0,
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _smoothed(self, data: Mapping[str, Any], **_: Any) -> None:
        against = data.get("x", data.get("against"))
        if not data["smooth"]:
            return
        if data["type"] not in {None, ChartType.LINE, ChartType.SCATTER}:
            raise ValidationError({"smooth": ["goes with type=line and type=scatter only"]})
        if against not in {*Against}:
            raise ValidationError({"smooth": ["goes with against=step, time and elapsed only"]})


@dataclass(frozen=True, kw_only=True)
class ChartParameters(ChartOptionsParameters):
    """See ``ChartQuery``."""

    x: str
    type: str


class ChartQuery(ChartOptionsQuery):
    """What is drawn, and how."""

    loads = ChartParameters
    x = fields.String(
        load_default="step",
        validate=validate.OneOf(list(Against), error="must be step, time or elapsed"),
        metadata={
            "description": "What the metrics are drawn against; `elapsed` is the time since the run's `startTime`.",
            "default": "step",
        },
    )
    type = fields.String(
        load_default="line",
        validate=CHART_TYPE,
        metadata={"description": "How they are drawn; a `column` is vertical, a `bar` horizontal.", "default": "line"},
    )
