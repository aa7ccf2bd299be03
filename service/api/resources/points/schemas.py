"""The shapes of questions and answers about the points of many runs; see ``schemas``."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import Schema, fields

from service.api.http.parameters import PagedParameters
from service.api.openapi.schemas import MissingRun, PagedQuery, PageSchema, Warning
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery
from service.api.resources.metric_resource.schemas import Metric
from service.api.resources.runs.query import runs_field

MOST_RUNS = 100


@dataclass(frozen=True, kw_only=True)
class PointsParameters(FilterParameters, PagedParameters):
    """See ``PointsQuery``."""

    run: tuple[str, ...]


class PointsQuery(FilterQuery, PagedQuery):
    """Which points of which runs, and how many at once."""

    loads = PointsParameters
    run = runs_field(1, MOST_RUNS, "The runs, up to 100, in the order in which their points are given.")


class PointOfRun(Metric):
    """A point and the run that it is of."""

    runId = fields.String(required=True)


class PointTableSchema(Schema):
    """The points of many runs, run by run, those of a run in the runtime's order."""

    timezone = fields.String(required=True)
    points = fields.List(fields.Nested(PointOfRun), required=True)
    missing = fields.List(fields.Nested(MissingRun), required=True, metadata={"description": "Runs without an answer."})
    page = fields.Nested(PageSchema)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
