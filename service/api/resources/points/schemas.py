"""The schemas of answers about the points of many runs; see ``schemas``."""

from __future__ import annotations

from marshmallow import Schema, fields

from service.api.openapi.schemas import MissingRun, PageSchema, Warning
from service.api.resources.metric_resource.schemas import Metric


class PointOfRun(Metric):
    """A point and its run."""

    runId = fields.String(required=True)


class PointTableSchema(Schema):
    """The points of many runs, run by run, in the runtime's order."""

    timezone = fields.String(required=True)
    points = fields.List(fields.Nested(PointOfRun), required=True)
    missing = fields.List(
        fields.Nested(MissingRun), required=True, metadata={"description": "Runs that could not be read."}
    )
    page = fields.Nested(PageSchema)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
