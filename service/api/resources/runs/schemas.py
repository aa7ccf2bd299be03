"""The schemas of requests and answers about runs; see ``schemas``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from service.api.http.parameters import PagedParameters
from service.api.openapi.schemas import PagedQuery, PageSchema, Warning, nothing, value_metadata, zoned_metadata
from service.api.resources.metric_resource.query import instant_field
from service.domain.access import Scope
from service.domain.expectations import Aggregate, NotUnderstood, Question
from service.domain.ids import PATTERN, RULE, is_id
from service.domain.runs import RunStatus
from service.domain.selection.run_filters import RUN_FIELDS, RunField, RunFilter, RunSortKey

_STATUSES = [status.value for status in RunStatus]


def _statuses(texts: list[str]) -> None:
    if not {word for text in texts for word in text.split(",")} <= set(_STATUSES):
        raise ValidationError("must be one or more of " + ", ".join(_STATUSES))


def _text(description: str) -> Any:
    return fields.String(required=True, allow_none=True, metadata={"description": description})


def _moment(description: str) -> Any:
    metadata = zoned_metadata()
    metadata["description"] = f"{description} {metadata['description']}"
    return fields.String(required=True, allow_none=True, metadata=metadata)


def runs_field(least: int, most: int, description: str) -> Any:
    """A query parameter that names runs: ``least`` to ``most`` of them, each once."""
    times = f"must be given {least} to {most} times, once for each run"

    def check(ids: list[str]) -> None:
        if not least <= len(ids) <= most:
            raise ValidationError(f"{times}, not {len(ids)}")
        if len(set(ids)) < len(ids):
            raise ValidationError("names a run more than once")
        for number, id_ in enumerate(ids, 1):
            if not is_id(id_):
                raise ValidationError(f"{RULE}; the one given as number {number} is not")

    return fields.List(
        fields.String(metadata={"pattern": PATTERN}),
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
_KEY = f"-?({'|'.join(RUN_FIELDS)}|{_BY_METRIC}.+:({'|'.join(Aggregate)}))"
_SORT = (
    f"must be a comma-separated list of {', '.join(RUN_FIELDS)} and {_BY_METRIC}<name>:<aggregate>, each at most once, "
    "each with an optional '-'"
)
_BETWEEN_KEYS = re.compile(rf",(?=-?(?:{'|'.join(RUN_FIELDS)})(?:,|\Z)|-?{_BY_METRIC})")
"""A metric's name may hold commas."""
_MOST_METRICS = 5


class _Sort(fields.Field[tuple[RunSortKey, ...]]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[RunSortKey, ...]:
        texts = _BETWEEN_KEYS.split(value)
        keys = tuple(RunSortKey(_field(text.removeprefix("-")), text.startswith("-")) for text in texts)
        if len({key.field for key in keys}) != len(keys):
            raise ValidationError(_SORT)
        if sum(isinstance(key.field, Question) for key in keys) > _MOST_METRICS:
            raise ValidationError(f"may hold up to {_MOST_METRICS} of {_BY_METRIC}<name>:<aggregate>")
        return keys


def _field(text: str) -> RunField | Question:
    by_name: dict[str, RunField] = {name: name for name in RUN_FIELDS}
    if text in by_name:
        return by_name[text]
    if not text.startswith(_BY_METRIC):
        raise ValidationError(_SORT)
    return _question(text.removeprefix(_BY_METRIC))


class _Question(fields.Field[Question]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Question:
        return _question(value)


def _question(text: str) -> Question:
    try:
        return Question.of(text)
    except NotUnderstood as error:
        raise ValidationError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class RunsParameters(PagedParameters):
    """See ``RunsQuery``."""

    wanted: RunFilter
    sort: tuple[RunSortKey, ...]
    metric: tuple[Question, ...]

    @property
    def by_metrics(self) -> tuple[Question, ...]:
        """What of their metrics the runs are sorted by."""
        return tuple(key.field for key in self.sort if isinstance(key.field, Question))


def scopes_by_query(query: Mapping[str, str]) -> Sequence[Scope]:
    """The scope that metrics need, where the query asks for any."""
    return (Scope.METRICS_READ,) if "metric" in query or _BY_METRIC in query.get("sort", "") else ()


class RunsQuery(PagedQuery):
    """Which runs."""

    loads = RunsParameters
    status = fields.List(
        fields.String(metadata={"pattern": f"^({'|'.join(_STATUSES)})(,({'|'.join(_STATUSES)}))*$"}),
        load_default=tuple,
        validate=_statuses,
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
        metadata={"description": "A part of the run's id or of its configuration's name, whatever the case."},
    )
    createdSince = instant_field("The earliest `createdAt`; runs without one are left out.")
    createdUntil = instant_field("The latest `createdAt`; runs without one are left out.")
    sort = _Sort(
        load_default=tuple,
        metadata={
            "description": f"What to sort by, in turn: {', '.join(RUN_FIELDS)}, or `metric:<name>:<aggregate>` for "
            f"what a run's metrics come to (see `metric`; up to {_MOST_METRICS}, of at most 1,000 runs); `-` in front "
            "for the other direction. `status,-durationSeconds` for one, `metric:Loss:min` for the best run first. "
            "Runs without a value last. Without it, the newest first.",
            "type": "string",
            "pattern": f"^{_KEY}(,{_KEY}){{0,{len(RUN_FIELDS) - 1}}}$",
        },
    )

    metric = fields.List(
        _Question(metadata={"type": "string", "pattern": "^.+:(first|last|min|max|mean|count)$"}),
        load_default=tuple,
        validate=validate.Length(0, _MOST_METRICS, error=f"may be given up to {_MOST_METRICS} times"),
        metadata={
            "description": (
                "A metric and an aggregate (`first`, `last`, `min`, `max`, `mean`, `count`), `Loss:min` for one: each "
                "run that is given then says what it comes to, over all points of that name or of one label set "
                "(`Loss[dataset=validation]:min`). Repeatable, up to five, for up to 1,000 runs an answer (see "
                "`limit`). Needs the scope of metrics as well."
            ),
            "maxItems": _MOST_METRICS,
            "example": ["Loss:min"],
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def _range(self, data: Mapping[str, Any], **_: Any) -> None:
        since, until = data.get("createdSince"), data.get("createdUntil")
        if since is not None and until is not None and since > until:
            raise ValidationError({"createdSince": ["must not be beyond createdUntil"]})

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """With the filter in place of its parts."""
        statuses = frozenset(word for text in loaded.pop("status") for word in text.split(","))
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


class RunSchema(Schema):
    """What is known of a run (an *execution* of the AI API) by itself."""

    runId = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "The runtime's word.", "example": "COMPLETED"})
    targetStatus = _text("Where the run is to get to.")
    statusMessage = _text("What the runtime says of the status.")
    scenarioId = _text("The use case that the run belongs to.")
    executableId = _text("The template that the run is an instance of.")
    configurationId = _text("What the run was started with.")
    configurationName = _text("The configuration's name.")
    createdAt = _moment("When the run was asked for.")
    modifiedAt = _moment("When it last changed.")
    submissionTime = _moment("When it was submitted.")
    startTime = _moment("When it began.")
    completionTime = _moment("When it ended.")
    durationSeconds = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "From `startTime` to `completionTime`; `null` while one is missing.", "example": 1.5},
    )
    executionScheduleId = _text("The execution schedule that made the run.")


class RunMetric(Schema):
    """What a run's metric comes to."""

    name = fields.String(required=True, metadata={"description": "As it was asked for.", "example": "Loss"})
    aggregate = fields.String(required=True, validate=validate.OneOf([*Aggregate]))
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={**value_metadata(), "description": "`null` where the run has no such metric, or it cannot be read."},
    )
    step = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Where that value stands; `null` for mean and count."}
    )


class ListedRun(RunSchema):
    """A run in a list."""

    metrics = fields.List(
        fields.Nested(RunMetric), metadata={"description": "Given with `metric`: one for each, in their order."}
    )


class RunListSchema(Schema):
    """The runs of a resource group, newest first."""

    timezone = fields.String(required=True)
    count = fields.Integer(required=True, metadata={"description": "Runs that match, on all pages together."})
    runs = fields.List(fields.Nested(ListedRun), required=True)
    page = fields.Nested(PageSchema)
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})


class ParameterSchema(Schema):
    """A parameter of a run's configuration."""

    key = fields.String(required=True, metadata={"example": "learning_rate"})
    value = _text("Parameters are strings.")


class ArtifactSchema(Schema):
    """An artifact that a run was given or has made."""

    key = _text("What the run calls it.")
    id = _text("Its id.")
    name = _text("Its name.")
    kind = _text("`model`, `dataset`, `resultset` or `other`.")
    url = _text("The artifact's URL.")


class NamedSchema(Schema):
    """A scenario."""

    id = _text("Its id.")
    name = _text("Its name.")


class ExecutableSchema(NamedSchema):
    """An executable (run template)."""

    versionId = _text("Its version.")


class RunMetricResourceSchema(Schema):
    """Where the run's metric resource is."""

    available = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether the runtime has the metrics extension; `null` where that is not known now."},
    )
    href = fields.String(
        required=True, metadata={"format": "uri-reference", "description": "Relative to the request's URL."}
    )


class RunLogsSchema(Schema):
    """Where the run's log is."""

    available = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether the runtime has the logs of its runs; `null` where that is not known now."},
    )
    href = fields.String(
        required=True, metadata={"format": "uri-reference", "description": "Relative to the request's URL."}
    )


class RunDetailsSchema(RunSchema):
    """A run and what surrounds it. Parts that could not be read are named in `unavailable`."""

    timezone = fields.String(required=True)
    parameters = fields.List(fields.Nested(ParameterSchema), required=True, allow_none=True)
    inputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    outputArtifacts = fields.List(fields.Nested(ArtifactSchema), required=True, allow_none=True)
    scenario = fields.Nested(NamedSchema, required=True, allow_none=True)
    executable = fields.Nested(ExecutableSchema, required=True, allow_none=True)
    statusDetails = fields.Raw(required=True, allow_none=True, metadata={"description": "As the runtime has it."})
    metricResource = fields.Nested(RunMetricResourceSchema, required=True)
    logs = fields.Nested(RunLogsSchema, required=True)
    unavailable = fields.List(
        fields.String(), metadata={"description": "Parts that could not be read; absent when all could."}
    )
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "Absent when there is nothing to warn of."})
