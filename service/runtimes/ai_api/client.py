"""Asks a server that implements the AI API v2 (spec version 2.42) and reads its answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut
from service.domain.errors import (
    BadGateway,
    LogsNotSupported,
    MetricsNotSupported,
    RunGone,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeTrouble,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.logs import LogQuery, RunLog
from service.domain.metrics import MetricResource
from service.domain.run_tables import RunTable
from service.domain.runs import NULL, Run, RunDetails, RunStatus
from service.domain.runtime import Capabilities, RequestContext, ResourceGroups, RunMetrics, RuntimeKind
from service.runtimes.ai_api import execution_lists, logs, mapping, meta, resource_groups, run_mapping, running_runs
from service.runtimes.ai_api.run_details import RunDetailsReader
from service.runtimes.ai_api.running_runs import RunningRuns
from service.runtimes.http_client import HTTPAnswer, HTTPClient
from service.runtimes.reader import RuntimeReader, once
from service.runtimes.tenancy import Tenancy

_OK, _NOT_FOUND, _GONE, _NOT_IMPLEMENTED = 200, 404, 410, 501
_ABSENT = frozenset({_NOT_FOUND, _NOT_IMPLEMENTED})
"""What a runtime answers for a part of the AI API that it does not have."""
_HTML = re.compile(r"\s*text/html\b", re.IGNORECASE)
_GRACE = 1.0
"""Seconds that a request waits to hear whether the runtime takes resource groups."""
_APART = 0.5
"""Of the time that is left for several runs' metrics, the share that is kept for asking for each alone."""
_MAY_BE_OF_ONE = (BadGateway, RuntimeTimeout, RuntimeUnavailable)
"""Trouble with a request for several runs that may be with one of them only."""
_MARGIN = 0.1
"""Of the time that is left for parts of an answer, the share that is reserved for reporting which of them are late."""
MOST_RUNS = 100_000
"""The most that the AI API lists at once."""
_SETTLING = 5.0
"""Seconds after its end for which a run's metrics may not be all there."""
_SKEW = 60.0
"""Seconds by which clocks may differ. An end that is further in the future says nothing."""


class _State(NamedTuple):
    """A run's status, and whether its metrics, of the same read, may change."""

    status: RunStatus
    may_change: bool


_RUNNING = _State(RunStatus.RUNNING, may_change=True)


class AIAPIRuntime:
    """An AI runtime behind the AI API; see ``domain.runtime.AIRuntime``."""

    def __init__(self, client: HTTPClient, *, identity: str, fan_out: FanOut[ServiceError]) -> None:
        self.kind = RuntimeKind.AI_API
        self.identity = identity
        self._reader = RuntimeReader(client, "AI-Resource-Group", self._takes_groups)
        self._fan_out = fan_out
        self._tenancy = Tenancy()
        self._running = RunningRuns()

    def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, RunMetrics | ServiceError]:
        """One request for the metrics of all runs, beside those for their statuses: one for each run, but one for all
        those that are likely to be running (``RunningRuns``).

        Where that one fails for several runs, or takes half of the time, each is asked for alone, if the runtime gives
        their statuses: a run whose metrics cannot be given is not to hide the others'. As statuses may be later than
        metrics, those of a run that had just ended may change, too.
        """
        began = time.monotonic()
        scope, several = context.cache_scope, len(run_ids) > 1
        soon = context.by(context.deadline.earlier(_APART * context.deadline.remaining())) if several else context
        likely = self._running.worth_listing(run_ids, scope, likely=context.watched)
        listing = self._fan_out.begin(lambda: self._list_running(soon)) if likely else None
        listed = () if self._running.on_trial(scope) else likely
        asked = [run_id for run_id in run_ids if run_id not in listed]
        requests = [lambda: self._metric_resources(run_ids, soon), *self._state_requests(asked, began, context)]
        left = soon.deadline.remaining()
        together, *found = self._fan_out.gather(requests, soon.deadline)
        state_of: dict[str, _State | ServiceError] = dict.fromkeys(listed, RuntimeTimeout())
        running: set[str] | ServiceError | None = None
        if listing is not None:
            grace = max(running_runs.GRACE, left - soon.deadline.remaining()) if listed else 0.0
            running = listing.outcome(Deadline.after(grace))
            state_of |= dict.fromkeys(self._running.listed(likely, running, scope), _RUNNING)
        state_of |= zip(asked, found, strict=True)
        resources_of = dict.fromkeys(run_ids, together)
        if several:
            late = [run_id for run_id in run_ids if isinstance(state_of[run_id], RuntimeTimeout)]
            fails = isinstance(together, _MAY_BE_OF_ONE)
            lists = running is not None and (isinstance(running, BadGateway) or not isinstance(running, RuntimeTrouble))
            answers = lists or (bool(listed) and isinstance(together, BadGateway))
            silent = not answers and all(isinstance(state, RuntimeTrouble) for state in state_of.values())
            alone = run_ids if fails and not silent else ()
            rest = context.by(context.deadline.earlier(_MARGIN * context.deadline.remaining()))
            again = [lambda run_id=run_id: self._metric_resources([run_id], rest) for run_id in alone]
            more = iter(self._fan_out.gather([*again, *self._state_requests(late, began, context)], rest.deadline))
            resources_of |= {run_id: next(more) for run_id in alone}
            state_of |= {run_id: next(more) for run_id in late}
        self._running.note({run_id: _status(state) for run_id, state in state_of.items()}, scope)
        return {run_id: _judged(run_id, resources_of[run_id], state_of[run_id]) for run_id in run_ids}

    def runs(self, context: RequestContext) -> Iterable[Run | RunTable]:
        """All runs, in one request."""
        answer = self._reader.read("/lm/executions", context, "executions", (("$top", str(MOST_RUNS)),))
        if answer.status != _OK:
            raise BadGateway("the AI runtime did not list its runs")
        return execution_lists.runs(answer.body)

    def run(self, run_id: str, context: RequestContext) -> RunDetails:
        """The execution first; only without it there is no answer."""

        def get(path: str, operation: str) -> bytes:
            answer = self._get_once(path, context, operation)
            if answer.status != _OK:
                raise BadGateway(f"the AI runtime did not give the {operation} of a run")
            return answer.body

        execution = run_mapping.execution(self._execution(run_id, context).body, run_id)
        soon = context.deadline.earlier(_MARGIN * context.deadline.remaining())
        return RunDetailsReader(*execution, get, self._fan_out).read(soon)

    def logs(self, run_id: str, query: LogQuery, context: RequestContext) -> RunLog:
        """The execution first, which says whether there is such a run and when it began."""
        execution, mended = run_mapping.execution(self._execution(run_id, context).body, run_id)
        run = run_mapping.run(execution, mended=mended)

        def page(parameters: Sequence[tuple[str, str]]) -> bytes:
            answer = self._reader.read(f"/lm/executions/{run_id}/logs", context, "logs", parameters)
            if answer.status == _NOT_FOUND and context.known is not None and context.known.logs:
                return b"{}"
            if answer.status in _ABSENT:
                raise LogsNotSupported
            if answer.status != _OK:
                raise BadGateway("the AI runtime did not give the logs of a run")
            return answer.body

        started = run.start_time if run.start_time != NULL else run.created_at
        return logs.read(page, query, started, may_change=run.may_change)

    def resource_groups(self, context: RequestContext) -> ResourceGroups:
        """None where the runtime has no resource groups; not complete where it does not list them, or not for us."""
        if not self._takes_groups(context):
            return ResourceGroups(())

        def page(parameters: Sequence[tuple[str, str]]) -> bytes | None:
            answer = self._reader.read("/admin/resourceGroups", context, "resourceGroups", parameters)
            return answer.body if answer.status == _OK else None

        try:
            return resource_groups.read(page)
        except (RuntimeForbids, RuntimeRefuses):
            return ResourceGroups((), complete=False)

    def capabilities(self, context: RequestContext) -> Capabilities:
        answer = self._reader.read("/lm/meta", context, "meta", grouped=False)
        if answer.status in _ABSENT:
            found = meta.UNDESCRIBED
        elif answer.status == _OK:
            found = meta.capabilities(answer.body)
        else:
            raise BadGateway("the AI runtime does not say what it can do")
        self._tenancy.note(found.multitenant)
        return found

    def _metric_resources(
        self, run_ids: Sequence[str], context: RequestContext
    ) -> Mapping[str, MetricResource | BadGateway]:
        query = (("executionIds", ",".join(run_ids)), ("$select", "*"))
        answer = self._reader.read("/lm/metrics", context, "metrics", query)
        if answer.status == _NOT_IMPLEMENTED:
            if self._has_metrics(context):
                return {}  # SAP AI Core says so where nothing was logged (code 02010055)
            raise MetricsNotSupported
        if answer.status != _OK:
            raise BadGateway("the AI runtime did not give the metrics that it was asked for")
        try:
            return mapping.metric_resources(answer.body, run_ids)
        except BadGateway:
            if len(run_ids) == 1:
                raise
            return mapping.metric_resources_apart(answer.body, run_ids)

    def _list_running(self, context: RequestContext) -> set[str]:
        """The ids of running runs, as many as are worth an answer."""
        query = (("status", RunStatus.RUNNING), ("$top", str(running_runs.MOST_LISTED)))
        soon = context.by(context.deadline.sooner(running_runs.SECONDS))
        answer = self._reader.read("/lm/executions", soon, "executions", query)
        if answer.status != _OK:
            raise BadGateway("the AI runtime did not list the runs that are running")
        return mapping.running(answer.body, running_runs.MOST_LISTED)

    def _state_requests(self, run_ids: Sequence[str], began: float, context: RequestContext) -> list[Callable[[], Any]]:
        return [partial(self._state, run_id, began, context) for run_id in run_ids]

    def _state(self, run_id: str, began: float, context: RequestContext) -> _State:
        """The state of a run whose metrics have been asked for since ``began``, of ``time.monotonic``."""
        answer = self._execution(run_id, context)
        status = mapping.run_status(answer.body, run_id)
        if status.may_change:
            return _State(status, may_change=True)
        ended = run_mapping.end(answer.body, run_id)
        now = _now(answer)
        asked = now - (time.monotonic() - began)
        return _State(status, may_change=ended is not None and asked - _SETTLING < ended < now + _SKEW)

    def _execution(self, run_id: str, context: RequestContext) -> HTTPAnswer:
        answer = self._get_once(f"/lm/executions/{run_id}", context, "execution")
        if answer.status in {_NOT_FOUND, _GONE} and not _HTML.match(answer.headers.get("Content-Type", "")):
            raise RunNotFound(run_id) if answer.status == _NOT_FOUND else RunGone(run_id)
        if answer.status != _OK:
            raise BadGateway("the AI runtime did not say whether the run exists")
        return answer

    def _get_once(self, path: str, context: RequestContext, operation: str) -> HTTPAnswer:
        """One object, which several runs may share, or a run and its status."""
        return once((path, context.cache_scope), lambda: self._reader.read(path, context, operation), context)

    def _has_metrics(self, context: RequestContext) -> bool:
        """Whether the runtime says that it has the metrics extension."""
        try:
            return bool((context.known or self.capabilities(context)).metrics)
        except RuntimeTrouble:
            return False

    def _takes_groups(self, context: RequestContext) -> bool:
        """A runtime that does not say counts as one that does: without a group it might answer from its default one,
        and that answer would be kept as another group's."""
        try:
            return self._tenancy.multitenant(context.by(context.deadline.sooner(_GRACE)), self.capabilities)
        except ServiceError:
            return True


def _judged(
    run_id: str,
    resources: Mapping[str, MetricResource | BadGateway] | ServiceError,
    state: _State | ServiceError,
) -> RunMetrics | ServiceError:
    """The result of both answers: where the run does not exist, this is its error, whatever its metrics' is."""
    if isinstance(resources, MetricsNotSupported):
        return resources
    resource = (
        resources
        if isinstance(resources, ServiceError)
        else resources.get(run_id, MetricResource(run_id, label_names=()))
    )
    if isinstance(state, ServiceError):
        return resource if isinstance(state, RuntimeTrouble) and isinstance(resource, ServiceError) else state
    if isinstance(resource, ServiceError):
        return resource
    return RunMetrics(resource, state.may_change, state.status)


def _status(state: _State | ServiceError) -> RunStatus | ServiceError:
    return state.status if isinstance(state, _State) else state


def _now(answer: HTTPAnswer) -> float:
    """The time of the answer by the runtime's clock, or by ours, in seconds since the epoch."""
    try:
        date = parsedate_to_datetime(answer.headers["Date"])
        return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (KeyError, ValueError, OverflowError):
        return time.time()
