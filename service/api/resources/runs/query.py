"""Query parameters of the list of runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from service.api.http.parameters import PagedParameters
from service.api.openapi.fields import SortField, check_order, instant_field, nothing
from service.api.openapi.schemas import PagedQuery
from service.domain.access import Scope
from service.domain.expectations import Aggregate, MetricAggregate, NotUnderstood
from service.domain.ids import PATTERN, RULE, is_id
from service.domain.runs import RunStatus
from service.domain.selection.run_filters import RUN_FIELDS, RunField, RunFilter, RunSortKey

_STATUSES = [status.value for status in RunStatus]


def _statuses(text: str) -> None:
    if not set(text.split(",")) <= set(_STATUSES):
        raise ValidationError("must be one or more of " + ", ".join(_STATUSES))


def _id(text: str) -> None:
    if not is_id(text):
        raise ValidationError(RULE)


def runs_field(least: int, most: int, description: str) -> Any:
    """A query parameter with the ids of ``least`` to ``most`` runs, each once."""
    times = f"must be given {least} to {most} times, once for each run"

    def check(ids: list[str]) -> None:
        if not least <= len(ids) <= most:
            raise ValidationError(f"{times}, not {len(ids)}")
        if len(set(ids)) < len(ids):
            raise ValidationError("names a run more than once")

    return fields.List(
        fields.String(validate=_id, metadata={"pattern": PATTERN}),
        required=True,
        validate=check,
        error_messages={"required": times},
        metadata={
            "description": description,
            "minItems": least,
            "maxItems": most,
            "uniqueItems": True,
            "example": ["5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11", "8c2e91d4-7f10-4b6a-a5c3-2d9b7e604c12"],
        },
    )


_BY_METRIC = "metric:"
_KEY = f"{'|'.join(RUN_FIELDS)}|{_BY_METRIC}.+:({'|'.join(Aggregate)})"
_SORT = (
    f"must be a comma-separated list of {', '.join(RUN_FIELDS)} and {_BY_METRIC}<name>:<aggregate>, each at most once, "
    "each with an optional '-'"
)
_BETWEEN_KEYS = re.compile(rf",(?=-?(?:{'|'.join(RUN_FIELDS)})(?:,|\Z)|-?{_BY_METRIC})")
"""The names of metrics may contain commas."""
_MOST_METRICS = 5


def _sort_key(text: str, descending: bool) -> RunSortKey:
    return RunSortKey(_field(text), descending)


def _few_metrics(keys: tuple[RunSortKey, ...]) -> None:
    if sum(isinstance(key.field, MetricAggregate) for key in keys) > _MOST_METRICS:
        raise ValidationError(f"may hold up to {_MOST_METRICS} of {_BY_METRIC}<name>:<aggregate>")


def _field(text: str) -> RunField | MetricAggregate:
    by_name: dict[str, RunField] = {name: name for name in RUN_FIELDS}
    if text in by_name:
        return by_name[text]
    if not text.startswith(_BY_METRIC):
        raise ValidationError(_SORT)
    return _aggregate(text.removeprefix(_BY_METRIC))


class _MetricAggregate(fields.Field[MetricAggregate]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> MetricAggregate:
        return _aggregate(value)


def _aggregate(text: str) -> MetricAggregate:
    try:
        return MetricAggregate.of(text)
    except NotUnderstood as error:
        raise ValidationError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class RunsParameters(PagedParameters):
    """See ``RunsQuery``."""

    wanted: RunFilter
    sort: tuple[RunSortKey, ...]
    metric: tuple[MetricAggregate, ...]

    @property
    def by_metrics(self) -> tuple[MetricAggregate, ...]:
        """The aggregates that the runs are sorted by."""
        return tuple(key.field for key in self.sort if isinstance(key.field, MetricAggregate))


def scopes_by_query(query: Mapping[str, str]) -> Sequence[Scope]:
    """The scope for metrics, where the query asks for any."""
    return (Scope.METRICS_READ,) if "metric" in query or _BY_METRIC in query.get("sort", "") else ()


class RunsQuery(PagedQuery):
    """Which runs."""

    loads = RunsParameters
    status = fields.List(
        fields.String(
            validate=_statuses, metadata={"pattern": f"^({'|'.join(_STATUSES)})(,({'|'.join(_STATUSES)}))*$"}
        ),
        load_default=tuple,
        metadata={"description": "Runs in one of these states; comma-separated or repeated: " + ", ".join(_STATUSES)},
    )
    scenarioId = fields.String(load_default=nothing, metadata={"description": "Runs of this scenario."})
    executableId = fields.String(
        load_default=nothing, metadata={"description": "Runs of this executable (run template)."}
    )
    configurationId = fields.String(load_default=nothing, metadata={"description": "Runs of this configuration."})
    executionScheduleId = fields.String(
        load_default=nothing, metadata={"description": "Runs that this execution schedule has made."}
    )
    search = fields.String(
        load_default=str,
        metadata={"description": "A part of the run's id or of its configuration's name; case is ignored."},
    )
    createdSince = instant_field("The earliest `createdAt`; runs without one are left out.")
    createdUntil = instant_field("The latest `createdAt`; runs without one are left out.")
    sort = SortField(
        _sort_key,
        pattern=_KEY,
        most=len(RUN_FIELDS),
        rule=_SORT,
        between=_BETWEEN_KEYS,
        validate=_few_metrics,
        description=f"Sort keys, in order of precedence: {', '.join(RUN_FIELDS)}, or `metric:<name>:<aggregate>` for "
        f"an aggregate of a metric (see `metric`; up to {_MOST_METRICS}, of at most 1,000 runs); `-` in front for "
        "descending order. For example `status,-durationSeconds`, or `metric:Loss:min` for the best run first. Runs "
        "without a value last. By default, the newest first.",
    )
    metric = fields.List(
        _MetricAggregate(metadata={"type": "string", "pattern": "^.+:(first|last|min|max|mean|count)$"}),
        load_default=tuple,
        validate=validate.Length(0, _MOST_METRICS, error=f"may be given up to {_MOST_METRICS} times"),
        metadata={
            "description": (
                "A metric and an aggregate (`first`, `last`, `min`, `max`, `mean`, `count`), `Loss:min` for one: each "
                "run that is given then says what it comes to, over all points of that name or of one label set "
                '(`Loss[dataset=validation]:min`, `"mAP[0.5]"[dataset=val]:max`; see `expect` of `checkRun`). '
                "Repeatable, up to five, for up to 1,000 runs an answer (see `limit`). Needs the scope of metrics as "
                "well."
            ),
            "maxItems": _MOST_METRICS,
            "example": ["Loss:min"],
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def _range(self, data: Mapping[str, Any], **_: Any) -> None:
        check_order(data, ("createdSince", "createdUntil"))

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """The loaded members, with the filter in place of its parts."""
        statuses = tuple(sorted({word for text in loaded.pop("status") for word in text.split(",")}))
        names = (
            "scenario_id",
            "executable_id",
            "configuration_id",
            "execution_schedule_id",
            "search",
            "created_since",
            "created_until",
        )
        loaded["wanted"] = RunFilter(statuses, **{name: loaded.pop(name) for name in names})
        return loaded
