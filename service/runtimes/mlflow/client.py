"""Asks an MLflow tracking server, 2.x or 3.x, by its REST API 2.0 and reads its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import msgspec

from service.concurrency.fan_out import FanOut
from service.domain.errors import (
    AnswerTooLarge,
    BadGateway,
    LogsNotSupported,
    RateLimited,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.logs import LogQuery, RunLog
from service.domain.metrics import READABLE, MetricResource
from service.domain.runs import NULL, Run, RunDetails
from service.domain.runtime import Capabilities, RequestContext, ResourceGroups, RunMetrics, RuntimeKind
from service.runtimes import json_literals
from service.runtimes.http_client import HTTPClient
from service.runtimes.mlflow import points, run_documents, run_mapping, server_info
from service.runtimes.mlflow.error_codes import (
    ABSENT,
    API,
    BAD_REQUEST,
    INVALID,
    NOT_FOUND,
    OK,
    body,
    check_new,
    error_code,
)
from service.runtimes.mlflow.histories import MOST_AT_ONCE, Histories
from service.runtimes.mlflow.points import Page
from service.runtimes.mlflow.run_documents import ExperimentPage, LoggedModel, MLflowRun, RunPage
from service.runtimes.reader import RuntimeReader, once
from service.runtimes.tenancy import Tenancy

T = TypeVar("T")

_API_3 = "/api/3.0/mlflow"
AT_ONCE, AT_ONCE_ELSEWHERE = 4, 8
"""Concurrent calls for one read: to MLflow's own server, which by default has four processes, each of which serves one
call at a time; and to any other."""
MOST_RUNS = 100_000
MOST_MODELS = 100
"""The most logged models of a run that are read; further ones have only an id, and their points no label."""
RUNS_A_PAGE = _EXPERIMENTS_A_PAGE = 1000
_FEWER = 4
"""How many times fewer runs a page has after one that was larger than what is read of an answer."""
_RUN_TOO_LARGE = (
    "the AI runtime's list has a run that is larger by itself than what is read of an answer: RUNTIME_MAX_BODY_BYTES, "
    f"and at most {json_literals.MOST_AT_ONCE // 1024**2} MiB"
)
_MARGIN, _MOST_MARGIN = 0.1, 0.5
"""The share of the time left for the parts of a run that is reserved for reporting which of them are late, and the most
seconds of it."""


class MLflowRuntime:
    """An MLflow server as an AI runtime; see ``domain.runtime.AIRuntime``. Its workspaces are resource groups."""

    kind = RuntimeKind.MLFLOW

    def __init__(self, client: HTTPClient, *, identity: str, fan_out: FanOut[ServiceError]) -> None:
        self.identity = identity
        self._reader = RuntimeReader(client, "X-MLFLOW-WORKSPACE", self._has_workspaces)
        self._histories = Histories(self._reader)
        self._fan_out = fan_out
        self._tenancy = Tenancy()
        self._version: str | None = None
        self._runs_a_page = RUNS_A_PAGE

    def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, RunMetrics | ServiceError]:
        """Reads the runs, which name their metrics; then the logged models, whose points are labelled; then each
        history."""
        asked = self._gather([partial(self._run, each, context) for each in run_ids], context)
        found: dict[str, MLflowRun | ServiceError] = dict(zip(run_ids, asked, strict=True))
        there = {run_id: run for run_id, run in found.items() if isinstance(run, MLflowRun)}
        wanted = {run_id: run.models[:MOST_MODELS] for run_id, run in there.items()}
        models = self._models([id_ for ids in wanted.values() for id_ in ids], context)
        is_mlflows_own = self._is_mlflows_own(context)
        calls: list[Callable[[], Page]] = []
        of_run: dict[str, list[int]] = {}
        for run_id, run in there.items():
            labels = run_mapping.labels(
                run, (model for id_ in wanted[run_id] if isinstance(model := models[id_], LoggedModel))
            )
            of_run[run_id] = list(range(len(calls), len(calls) + len(run.last_steps)))
            read = partial(self._histories.read, run_id, context=context)
            calls += [
                partial(read, key, labels.get(key, {}), seems_short=is_mlflows_own and step < MOST_AT_ONCE)
                for key, step in run.last_steps.items()
            ]
        histories = self._gather(calls, _soon(context))
        return {
            run_id: _run_metrics(run, [models[id_] for id_ in wanted[run_id]], [histories[at] for at in of_run[run_id]])
            if isinstance(run, MLflowRun)
            else run
            for run_id, run in found.items()
        }

    def runs(self, context: RequestContext) -> Iterable[Run]:
        """The runs of all experiments, except deleted ones."""
        found: dict[str, Run] = {}
        for ids in self._experiments(context):
            for page in self._run_pages(ids, context):
                found.update((each.info.run_id, run_mapping.run(each)) for each in page.runs if not each.deleted)
                if len(found) >= MOST_RUNS:
                    return found.values()
        return found.values()

    def run(self, run_id: str, context: RequestContext) -> RunDetails:
        """Reads the run first, then in parallel its experiment's name and its logged models."""
        found = self._run(run_id, context)
        made = found.made[:MOST_MODELS]
        name, *models = self._gather(
            [partial(self._experiment_name, found, context), *(partial(self._model, id_, context) for id_ in made)],
            _soon(context),
        )
        known = {
            id_: model if isinstance(model, LoggedModel) else None for id_, model in zip(made, models, strict=True)
        }
        missing = {
            "scenario": isinstance(name, ServiceError),
            "outputArtifacts": any(isinstance(model, ServiceError) for model in models) or len(made) < len(found.made),
        }
        return RunDetails(
            run=run_mapping.run(found),
            parameters=run_mapping.parameters(found),
            input_artifacts=run_mapping.input_artifacts(found),
            output_artifacts=run_mapping.output_artifacts(found, known),
            scenario=NULL if isinstance(name, ServiceError) else run_mapping.scenario(found, name),
            executable=run_mapping.executable(found),
            unavailable=tuple(part for part, is_missing in missing.items() if is_missing),
        )

    def logs(self, run_id: str, query: LogQuery, context: RequestContext) -> RunLog:
        """MLflow has no logs; for an unknown run that is the error."""
        self._run(run_id, context)
        raise LogsNotSupported

    def resource_groups(self, context: RequestContext) -> ResourceGroups:
        """The workspaces; empty where the server has none, and not complete where it does not list them for us."""
        if not self._has_workspaces(context):
            return ResourceGroups(())
        try:
            answer = self._reader.read(f"{_API_3}/workspaces", context, "workspaces", grouped=False)
        except (RuntimeForbids, RuntimeRefuses):
            return ResourceGroups((), complete=False)
        return ResourceGroups(server_info.workspace_names(body(answer, "its workspaces")))

    def capabilities(self, context: RequestContext) -> Capabilities:
        """The capabilities. A server without ``server-info`` is older than workspaces. This and the version need no
        credentials; where experiments need no workspace, reading them shows whether the credentials are valid, and
        whether there are runs at all."""
        info = self._reader.read(f"{_API_3}/server-info", context, "server-info", grouped=False)
        if info.status not in {OK, NOT_FOUND}:
            raise BadGateway("the AI runtime's answer is not an MLflow server's; check the tracking URI")
        multitenant = info.status == OK and server_info.workspaces(info.body)
        answer = self._reader.read("/version", context, "version", grouped=False)
        version = server_info.version(answer.body) if answer.status == OK else None
        if version is None and info.status == NOT_FOUND:
            raise BadGateway("the AI runtime's answer is not an MLflow server's; check the tracking URI")
        if not multitenant:
            with suppress(RuntimeUnavailable, RuntimeTimeout, RateLimited):
                self._reader.read(
                    f"{API}/experiments/search", context, "experiments", (("max_results", "1"),), grouped=False
                )
        self._version = version
        self._tenancy.note(multitenant)
        return server_info.capabilities(version, multitenant=multitenant)

    def _run(self, run_id: str, context: RequestContext) -> MLflowRun:
        def read() -> MLflowRun:
            answer = self._reader.read(f"{API}/runs/get", context, "run", (("run_id", run_id),))
            if error_code(answer) in {ABSENT, INVALID}:
                raise RunNotFound(run_id)
            return run_documents.run_of(body(answer, "a run"), run_id)

        found = once((self.identity, "run", run_id), read, context)
        if found.deleted:
            raise RunNotFound(run_id)
        return found

    def _models(self, ids: Sequence[str], context: RequestContext) -> Mapping[str, LoggedModel | ServiceError | None]:
        distinct = list(dict.fromkeys(ids))
        found = self._gather([partial(self._model, id_, context) for id_ in distinct], context)
        return dict(zip(distinct, found, strict=True))

    def _model(self, model_id: str, context: RequestContext) -> LoggedModel | None:
        """A logged model; ``None`` for one that was deleted."""

        def read() -> LoggedModel | None:
            answer = self._reader.read(f"{API}/logged-models/{model_id}", context, "model")
            if error_code(answer) == ABSENT:
                return None
            return run_documents.logged_model(body(answer, "a logged model"))

        return once((self.identity, "model", model_id), read, context)

    def _experiment_name(self, found: MLflowRun, context: RequestContext) -> str | None:
        experiment = found.info.experiment_id
        if experiment is None:
            return None

        def read() -> str | None:
            answer = self._reader.read(
                f"{API}/experiments/get", context, "experiment", (("experiment_id", experiment),)
            )
            return run_documents.experiment_name(body(answer, "an experiment"))

        return once((self.identity, "experiment", experiment), read, context)

    def _experiments(self, context: RequestContext) -> Iterator[list[str]]:
        asked = {"max_results": _EXPERIMENTS_A_PAGE}
        for page in self._pages("/experiments/search", asked, ExperimentPage, context, "experiments"):
            if page.experiments:
                yield [experiment.experiment_id for experiment in page.experiments]

    def _run_pages(self, experiments: Sequence[str], context: RequestContext) -> Iterator[RunPage]:
        """All pages of the runs of these experiments. After one that is too large they are read again from the first
        on, with fewer runs in each, as a token may count pages; later lists begin with as few."""
        while True:
            size = self._runs_a_page
            asked = {"experiment_ids": experiments, "order_by": ["attributes.start_time DESC"], "max_results": size}
            try:
                yield from self._pages("/runs/search", asked, RunPage, context, "runs")
            except AnswerTooLarge:
                if size == 1:
                    raise AnswerTooLarge(_RUN_TOO_LARGE) from None
                self._runs_a_page = min(self._runs_a_page, max(1, size // _FEWER))
            else:
                return

    def _pages(
        self, path: str, asked: Mapping[str, object], kind: type[T], context: RequestContext, operation: str
    ) -> Iterator[T]:
        """All pages of a search; none in a workspace that does not exist."""
        seen: set[str | None] = {None}
        token: str | None = None
        while True:
            document = asked if token is None else {**asked, "page_token": token}
            answer = self._reader.read(API + path, context, operation, document=msgspec.json.encode(document))
            if error_code(answer) == ABSENT or (answer.status == BAD_REQUEST and self._has_workspaces(context)):
                return
            page = json_literals.decode(body(answer, operation), kind)
            yield page
            token = getattr(page, "next_page_token", None) or None
            if token is None:
                return
            check_new(token, seen)

    def _gather(self, calls: Sequence[Callable[[], object]], context: RequestContext) -> list[Any]:
        at_once = AT_ONCE if self._is_mlflows_own(context) else AT_ONCE_ELSEWHERE
        return self._fan_out.gather(calls, context.deadline, at_once=at_once)

    def _is_mlflows_own(self, context: RequestContext) -> bool:
        """Whether the server is MLflow's own, which states its version, and not another with the same REST API."""
        return (self._version if context.known is None else context.known.api_version) is not None

    def _has_workspaces(self, context: RequestContext) -> bool:
        """Whether requests name a workspace. A server that does not say is not read: one without workspaces refuses
        them, and without one it would answer from its default workspace, as if that were the group's."""
        return self._tenancy.multitenant(context, self.capabilities)


def _soon(context: RequestContext) -> RequestContext:
    """The context with a deadline that leaves time to say what is late."""
    margin = min(_MARGIN * context.deadline.remaining(), _MOST_MARGIN)
    return context.by(context.deadline.earlier(margin))


def _late(histories: Sequence[Page | ServiceError]) -> RuntimeTimeout:
    """The error of a run some of whose metrics were not read in time; of many, it says that more time would help."""
    late = sum(isinstance(history, RuntimeTimeout) for history in histories)
    if len(histories) == 1 or not late:
        return RuntimeTimeout()
    return RuntimeTimeout(
        f": {late:,} of the run's {len(histories):,} metrics, each a call of its own, were not read; a longer "
        "RUNTIME_TIMEOUT gives them more time"
    )


def _run_metrics(
    found: MLflowRun, models: Sequence[LoggedModel | ServiceError | None], histories: Sequence[Page | ServiceError]
) -> RunMetrics | ServiceError:
    """The metrics of a run, or the error of the first part that could not be read."""
    pages: list[Page] = []
    for part in (*models, *histories):
        if isinstance(part, RuntimeTimeout):
            return _late(histories)
        if isinstance(part, ServiceError):
            return part
        if isinstance(part, Page):
            pages.append(part)
    chunks = [chunk for page in pages for chunk in page.chunks]
    created_at = run_mapping.created_at(found)
    resource = MetricResource(
        run_id=found.info.run_id,
        created_at=created_at or NULL,
        metrics=points.merged(chunks),
        tags=run_mapping.tags(found),
        custom_info=run_mapping.custom_info(found),
        count=sum(chunk.count for chunk in chunks),
        unreadable=sum((page.unreadable for page in pages), READABLE),
        label_names=points.all_label_names(pages),
        unreadable_moments=int(created_at is None),
    )
    status = run_mapping.status(found)
    return RunMetrics(resource, status.may_change, status)
