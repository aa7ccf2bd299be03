"""Checks of a run's metrics against thresholds, for pipelines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from flask import Response
from marshmallow import Schema, ValidationError, fields, validate
from msgspec import Raw

from service.api.http.guards import requires
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.fields import value_metadata
from service.api.openapi.schemas import Query
from service.domain.access import Scope
from service.domain.errors import ServiceError
from service.domain.expectations import PATTERN, Check, Expectation, NotUnderstood
from service.domain.metric_summaries import MetricSummaries
from service.domain.runtime import RequestContext
from service.reads.queries import Queries

_MOST = 100
_NUMBER = f"must be given 1 to {_MOST} times, once for each expectation"


class _Expected(fields.Field[Expectation]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Expectation:
        try:
            return Expectation.of(value)
        except NotUnderstood as error:
            raise ValidationError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class ChecksParameters(Parameters):
    """See ``ChecksQuery``."""

    expect: tuple[Expectation, ...]


class ChecksQuery(Query):
    """The expectations of a run's metrics."""

    loads: ClassVar[type[Parameters]] = ChecksParameters
    expect = fields.List(
        _Expected(metadata={"type": "string", "pattern": PATTERN}),
        required=True,
        validate=validate.Length(1, _MOST, error=_NUMBER),
        error_messages={"required": _NUMBER},
        metadata={
            "description": (
                "A metric, an aggregate (`first`, `last`, `min`, `max`, `mean`, `count`), a comparison (`<`, `<=`, "
                "`>`, `>=`, `==`, `!=`) and a decimal number: `Accuracy:last>=0.9`. A label set stands in brackets: "
                "`Loss[dataset=validation]:min<0.1`, `Loss[]` for points without labels; without brackets the points "
                "of all label sets count. Names and values with a comma, an equals sign, a bracket or a quote are "
                'written as JSON strings: `Loss["a=b"="c"]`, `"mAP[0.5]"[dataset=val]`. A metric\'s name may stand '
                "without quotes where only one way to read it was logged; of several, the one whose name is the whole "
                "text is meant. Repeatable."
            ),
            "minItems": 1,
            "maxItems": _MOST,
            "example": ["Accuracy:last>=0.9", "Loss:min<0.1"],
        },
    )


class CheckSchema(Schema):
    """One expectation, and its result."""

    expect = fields.String(required=True, metadata={"example": "Accuracy:last>=0.9"})
    passed = fields.Boolean(required=True)
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={
            **value_metadata(),
            "description": (
                "The value compared: the runtime's number digit for digit, a count, or a mean to 17 significant "
                "digits (compared exactly). `null` where the metric was not logged, or has no such value; `detail` "
                "says why."
            ),
        },
    )
    detail = fields.String(required=True, metadata={"description": "The result in words."})


class RunChecksSchema(Schema):
    """Whether a run meets all expectations."""

    runId = fields.String(required=True)
    passed = fields.Boolean(required=True, metadata={"description": "Whether all checks passed."})
    checks = fields.List(fields.Nested(CheckSchema), required=True)


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/runs/{runId}/checks``."""
    routes = blueprints("Checks", "Whether a run is good enough.")

    @routes.route("/runs/<string:run_id>/checks")
    @routes.arguments(ChecksQuery)
    @documented("checkRun", RunChecksSchema, "Check a run's metrics against thresholds")
    @requires(Scope.METRICS_READ)
    def checks(read_request: ReadRequest[ChecksParameters], run_id: str) -> Response:
        """Whether a run's metrics meet expectations, for pipelines: `curl … | jq -e .passed`.

        Numbers are compared as decimals, digit for digit. A metric that was not logged, and NaN, pass no check.
        """
        expected = read_request.query.expect

        def represent(context: RequestContext) -> Representation:
            read = queries.metrics.summaries([run_id], context)[run_id]
            if isinstance(read, ServiceError):
                raise read

            def make() -> Iterator[bytes]:
                summaries = MetricSummaries(read.content().summaries)
                return _written(run_id, [one.check(summaries) for one in expected])

            return Representation(
                content=(read.key, read.digest.hex()),
                form=("checks", *(one.text for one in expected)),
                format=read_request.format,
                provenance=read.provenance,
                make=make,
                weight=read.size,
            )

        return answers.read(represent, read_request.context)

    return routes


def _written(run_id: str, checks: Iterable[Check]) -> Iterator[bytes]:
    found = [
        {"expect": one.expect, "passed": one.passed, "value": Raw(one.value), "detail": Raw(_literal(one.detail))}
        for one in checks
    ]
    passed = all(one["passed"] for one in found)
    yield msgspec.json.encode({"runId": run_id, "passed": passed, "checks": found})


def _literal(text: str) -> bytes:
    """A JSON string; a lone surrogate, which names of metrics may hold, stays as it was logged."""
    return json.dumps(text).encode("ascii")
