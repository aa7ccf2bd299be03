"""Query parameters of the points of many runs."""

from __future__ import annotations

from dataclasses import dataclass

from service.api.http.parameters import PagedParameters
from service.api.openapi.schemas import PagedQuery
from service.api.resources.metric_resource.query import FilterParameters, FilterQuery
from service.api.resources.runs.query import runs_field

MOST_RUNS = 100


@dataclass(frozen=True, kw_only=True)
class PointsParameters(FilterParameters, PagedParameters):
    """See ``PointsQuery``."""

    run: tuple[str, ...]


class PointsQuery(FilterQuery, PagedQuery):
    """Which points of which runs, and the size of a page."""

    loads = PointsParameters
    run = runs_field(1, MOST_RUNS, "The runs, up to 100, in the order of their points.")
