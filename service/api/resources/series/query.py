"""Query parameters of series."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import ValidationError, fields, validate

from service.api.openapi.fields import nothing
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery

_POINTS = "must be a whole number from 2 to 10000"


def _digits(text: str) -> str:
    """A check for plain decimal digits: ``int`` would accept ``1_000`` as well."""
    if not (text.isascii() and text.isdigit()):
        raise ValidationError(_POINTS)
    return text


@dataclass(frozen=True, kw_only=True)
class SeriesParameters(FilterParameters):
    """See ``SeriesQuery``."""

    points: int | None


class SeriesQuery(FilterQuery):
    """Which points the series are made of, and the most points of a series."""

    loads = SeriesParameters
    points = fields.Integer(
        load_default=nothing,
        pre_load=[_digits],
        validate=validate.Range(2, 10_000, error=_POINTS),
        error_messages={"invalid": _POINTS},
        metadata={
            "description": (
                "The most points of a series: the first, the last and the extremes (with 2 or 3, as many of them as "
                "fit), and of the others those that preserve its shape. All of them are logged points."
            ),
        },
    )
