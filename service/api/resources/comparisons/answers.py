"""Answers with runs side by side, as a table or as a chart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from flask import Response
from msgspec.structs import replace

from service.api.http import problems
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Rendering, Representation
from service.api.resources.charts.pictures import rendering_of
from service.api.resources.comparisons.formats import FORMATS
from service.api.resources.comparisons.query import (
    ComparisonChartParameters,
    ComparisonParameters,
    RunsComparedParameters,
)
from service.api.resources.comparisons.to_json import Comparison
from service.charts import comparison_chart
from service.charts.panels import ChartType, ValueScale
from service.charts.rendering import Renderer
from service.charts.x_axis import Against, points_for
from service.domain.runtime import RequestContext
from service.reads.comparison import ReadComparison
from service.reads.queries import Queries

Make = Callable[[ReadComparison, list[dict[str, Any]]], Iterable[bytes]]


class Comparisons(msgspec.Struct, frozen=True):
    """Answers requests for comparisons."""

    queries: Queries
    answers: Answers
    renderer: Renderer

    def answer(self, read_request: ReadRequest[ComparisonParameters]) -> Response:
        """The comparison itself."""
        query = read_request.query

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            return FORMATS[read_request.format](
                Comparison(
                    runs=read.summarized(query.name, query.label, query.metric),
                    missing=missing,
                    zone=read_request.zone,
                    only_differing=query.differs,
                    joined=query.metric,
                    baseline=query.baseline,
                )
            )

        selected = [query.differs, query.metric, query.baseline, query.name, query.label]
        form = ("comparison", read_request.zone.name, json.dumps(selected))
        return self._answer(read_request, form, make, points=query.metric is not None, file="comparison")

    def chart(self, read_request: ReadRequest[ComparisonChartParameters]) -> Response:
        """A chart of some of the runs' metrics."""
        query = read_request.query
        wanted, against, scale, smooth = query.wanted, query.against, ValueScale(query.scale), query.smooth
        kind = None if query.type is None else ChartType(query.type)
        metrics = [one for one in query.metric if one in wanted.names or not wanted.names]
        others = replace(wanted, names=())

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            projection = query.options(against).projection if against in {*Against} else None
            runs = read.compared(
                points_for(kind),
                metrics,
                lambda: comparison_chart.room_for(against),
                wanted=others,
                projection=projection,
            )
            reasons = {one["runId"]: one["problem"]["title"] for one in missing}
            compared = comparison_chart.Comparison(
                runs,
                metrics,
                against,
                read_request.zone,
                read.metric_names,
                reasons,
                scale,
                smooth,
                not others.is_empty,
            )
            return (compared.chart(kind),)

        form = ("comparison chart", read_request.zone.name, repr((metrics, others, against, kind, scale, smooth)))
        return self._answer(read_request, form, make, rendering_of(self.renderer, read_request.format))

    def _answer(
        self,
        read_request: ReadRequest[RunsComparedParameters],
        form: tuple[str, ...],
        make: Make,
        rendering: Rendering | None = None,
        *,
        points: bool = True,
        file: str = "",
    ) -> Response:
        """``form`` names all that ``make`` depends on beside the runs; ``points`` is whether it reads their points."""

        def represent(context: RequestContext) -> Representation:
            read = self.queries.comparison(read_request.query.run, context)
            missing = problems.missing_runs(read.missing)
            absent = json.dumps([(one["runId"], one["problem"]["type"], one["problem"]["instance"]) for one in missing])
            content = (part for key, digest in read.entries for part in (key, digest.hex()))
            return Representation(
                content=(*content, absent),
                form=form,
                format=read_request.format,
                provenance=read.provenance,
                make=lambda: make(read, missing),
                varies=(TIME_ZONE,),
                rendering=rendering,
                weight=read.size if points else read.size_summarized,
                file=file,
                missing=read.missing,
            )

        return self.answers.read(represent, read_request.context)
