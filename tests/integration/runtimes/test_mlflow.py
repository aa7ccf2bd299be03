"""The MLflow adapter over HTTP: what MLflow does rarely, what hosted servers do, what answers in its place."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import structs

from service.app.runtime_client import build_runtime
from service.domain.errors import (
    AnswerTooLarge,
    BadGateway,
    RateLimited,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.metrics import READABLE
from service.domain.runtime import AIRuntime, CacheScope, Capabilities, RunMetrics, RuntimeKind
from service.runtimes.mlflow.client import AT_ONCE, AT_ONCE_ELSEWHERE, RUNS_A_PAGE
from service.settings import RuntimeAuth, RuntimeSettings
from service.telemetry.prometheus import Telemetry
from tests.rows import each_row
from tests.servers.scripted_mlflow import MARCH, ScriptedMLflow, error
from tests.servers.scripted_runtime import serving
from tests.servers.tls import Authority, tls_front
from tests.unit.reads.fakes import context, listed

OURS = CacheScope("t", "team-a")
RUN = "0123456789abcdef0123456789abcdef"


@contextmanager
def adapter(server: ScriptedMLflow, **settings: Any) -> Iterator[AIRuntime]:
    with serving(server):
        url = server.url.removesuffix("/v2")
        runtime, close = build_runtime(RuntimeSettings(url, RuntimeKind.MLFLOW, **settings), Telemetry())
        try:
            yield runtime
        finally:
            close()


def points(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"value": 0.5, "timestamp": MARCH + at, "step": at} for at in range(first, first + count)]


def page(found: list[dict[str, Any]], token: str | None = None) -> dict[str, Any]:
    more = {} if token is None else {"next_page_token": token}
    return {"metrics": [{"key": "loss", **point} for point in found], **more}


def metrics(runtime: AIRuntime, run_id: str = RUN) -> list[dict[str, Any]]:
    found = runtime.run_metrics([run_id], context(OURS))[run_id]
    if isinstance(found, ServiceError):
        raise found
    return points_of(found)


def points_of(found: RunMetrics) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(b"[" + b",".join(chunk.text for chunk in found.resource.metrics) + b"]")
    assert len(read) == found.resource.count
    return read


def steps(runtime: AIRuntime) -> list[int]:
    return [point["step"] for point in metrics(runtime)]


def queries(server: ScriptedMLflow, what: str) -> list[dict[str, str]]:
    asked = [urlsplit(headers["path"]) for headers in server.headers]
    return [
        {name: values[0] for name, values in parse_qs(each.query).items()} for each in asked if each.path.endswith(what)
    ]


def test_a_history_is_asked_for_in_one_answer_and_pages_are_followed_all_the_same() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    pages = {"": page(points(100), "a"), "a": page(points(100, 100), "b"), "b": page(points(7, 200))}
    server.history = lambda query: pages[query.get("page_token", "")]
    with adapter(server) as runtime:
        assert steps(runtime) == list(range(207))
    asked = queries(server, "get-history")
    assert [each.get("page_token") for each in asked] == [None, "a", "b"]
    assert all("max_results" not in each for each in asked)


def bulk(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"metrics": [{"key": "loss", "run_id": RUN, **point} for point in found]}


def test_a_short_history_comes_by_the_way_of_mlflows_own_page() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    server.bulk = lambda _: bulk(points(3))
    with adapter(server) as runtime:
        assert steps(runtime) == steps(runtime) == [0, 1, 2]
    assert queries(server, "get-history-bulk") == 2 * [{"run_id": RUN, "metric_key": "loss", "max_results": "25000"}]
    assert server.asked["metrics/get-history"] == 0


def test_what_may_be_cut_is_read_whole() -> None:
    """25,000 points may be all or not: nothing says so. Nor is that asked for where the last step is beyond."""
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    server.bulk = lambda _: bulk(points(25_000))
    server.history = lambda _: page(points(25_001))
    with adapter(server) as runtime:
        assert len(steps(runtime)) == 25_001
        assert server.asked["metrics/get-history-bulk"] == 1
        server.last_step = 25_000
        assert len(steps(runtime)) == 25_001
    assert server.asked["metrics/get-history-bulk"] == 1


def test_a_models_points_are_read_as_the_model_has_them() -> None:
    """Their literals are compared with the model's, which the REST API writes."""
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1), "other": points(1)}
    server.bulk = lambda query: {"metrics": [{"key": query["metric_key"], **points(1)[0]}]}
    model = {"info": {"model_id": MODEL}, "data": {"metrics": [{"key": "loss", **points(1)[0], "run_id": RUN}]}}
    server.say(f"logged-models/{MODEL}", 200, {"model": model})
    server.outputs = {"model_outputs": [{"model_id": MODEL, "step": 0}]}
    with adapter(server) as runtime:
        assert [(each["name"], bool(each["labels"])) for each in metrics(runtime)] == [("loss", True), ("other", False)]
    assert [each["metric_key"] for each in queries(server, "get-history")] == ["loss"]


@each_row(
    "status, body",
    [
        (404, b"<!doctype html>"),
        (302, b""),
        (401, b"log in"),
        (403, b"Permission denied"),
        (500, {"error_code": "INTERNAL_ERROR"}),
        (200, b"<html>log in"),
        (200, {"metrics": [{"key": "loss", "run_id": "another", **points(1)[0]}]}),
        (200, {"metrics": [{"key": "another", "run_id": RUN, **points(1)[0]}]}),
    ],
)
def test_a_server_that_lets_only_its_rest_api_through_is_asked_by_that_alone_for_a_while(
    status: int, body: object
) -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(3)}
    server.say("metrics/get-history-bulk", status, body)
    with adapter(server) as runtime:
        for _ in range(2):
            assert steps(runtime) == [0, 1, 2]
    assert server.asked["metrics/get-history-bulk"] == 1


def test_a_server_that_is_not_mlflows_own_is_asked_by_its_rest_api_alone() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(3)}
    server.bulk = lambda _: bulk([])
    server.say("version", 404, b"<html>")
    with adapter(server) as runtime:
        assert steps(runtime) == [0, 1, 2]
        known = Capabilities("mlflow", None, metrics=True, multitenant=False)
        runtime.run_metrics([RUN], structs.replace(context(OURS), known=known))
    assert server.asked["metrics/get-history-bulk"] == 0


def test_pages_that_move_under_a_live_run_are_read_anew() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    pages = iter([page(points(3), "a"), page(points(3, 2)), page(points(3), "a"), page(points(3, 3))])
    server.history = lambda _: next(pages)
    with adapter(server) as runtime:
        assert steps(runtime) == [0, 1, 2, 3, 4, 5]


def test_pages_that_never_stand_still_repeat_no_point() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    server.history = lambda query: page(points(3, 2)) if "page_token" in query else page(points(3), "a")
    with adapter(server) as runtime:
        assert steps(runtime) == [0, 1, 2, 3, 4]


def test_pages_without_an_end_are_a_bad_gateway() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": []}
    server.history = lambda query: page(points(1, int(query.get("page_token", "0"))), "1")
    with adapter(server) as runtime, pytest.raises(BadGateway):
        metrics(runtime)


@each_row("key", ["train/loss", "val loss: x", "größe", "损失", "a.b-c_d", "/x y/z"])
def test_keys_of_any_script_are_asked_for(key: str) -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {key: points(1), "other": points(2)}
    with adapter(server) as runtime:
        assert [point["name"] for point in metrics(runtime)] == [key, "other", "other"]


@pytest.mark.parametrize(("version", "at_once"), [((200, b"3.17.2"), AT_ONCE), ((404, b"<html>"), AT_ONCE_ELSEWHERE)])
def test_keys_are_read_side_by_side_and_no_more_than_so_many(version: tuple[int, object], at_once: int) -> None:
    """Each of the first so many waits for the others."""
    server = ScriptedMLflow()
    server.say("version", *version)
    server.runs[RUN] = {f"key {number}": points(2) for number in range(3 * at_once)}
    together, under_way, most = threading.Barrier(at_once), Counter[str](), 0
    lock = threading.Lock()

    def history(query: dict[str, str]) -> object:
        nonlocal most
        with lock:
            under_way["now"] += 1
            most = max(most, under_way["now"])
        together.wait(20)
        with lock:
            under_way["now"] -= 1
        return {"metrics": [{"key": query["metric_key"], **point} for point in points(2)]}

    server.history = history
    with adapter(server) as runtime:
        assert [point["name"] for point in metrics(runtime)] == [f"key {number // 2}" for number in range(6 * at_once)]
    assert server.asked["metrics/get-history"] == 3 * at_once
    assert server.asked["runs/get"] == 1
    assert most == at_once


def test_of_a_run_of_many_metrics_it_is_said_how_many_were_late() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"late": [], "late too": []}
    over = threading.Event()
    server.history = lambda _: over.wait(20) or {}
    with adapter(server) as runtime:
        runtime.capabilities(context(OURS))
        found = runtime.run_metrics([RUN], context(OURS, seconds=1.0))[RUN]
        over.set()
    assert isinstance(found, RuntimeTimeout)
    assert "2 of the run's 2 metrics" in found.detail
    assert "RUNTIME_TIMEOUT" in found.detail


def test_processes_that_share_an_address_share_the_calls_of_a_read() -> None:
    """A kept connection would stay with the process that took it. Through TLS connections are dear, and kept."""
    server = ScriptedMLflow()
    server.runs[RUN] = {f"key {number}": points(1) for number in range(5)}
    with adapter(server) as runtime:
        metrics(runtime)
    assert {headers.get("connection") for headers in server.headers} == {"close"}


def test_an_unknown_run_is_none_though_its_history_is_an_empty_answer() -> None:
    server = ScriptedMLflow()
    server.say("runs/get", 404, error("RESOURCE_DOES_NOT_EXIST"))
    with adapter(server) as runtime, pytest.raises(RunNotFound):
        metrics(runtime)


def test_a_run_id_that_mlflow_does_not_take_is_no_run() -> None:
    server = ScriptedMLflow()
    server.say("runs/get", 400, error("INVALID_PARAMETER_VALUE"))
    with adapter(server) as runtime, pytest.raises(RunNotFound):
        metrics(runtime, "a.b.c")


@each_row("start, unreadable", [(MARCH, 0), (None, 0), ("soon", 1), (10**18, 1)])
def test_a_start_that_cannot_be_read_is_counted_of_the_resource_itself(start: Any, unreadable: int) -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1)}
    server.info = {"start_time": start}
    with adapter(server) as runtime:
        found = runtime.run_metrics([RUN], context(OURS))[RUN]
    assert isinstance(found, RunMetrics)
    assert (found.resource.unreadable, found.resource.unreadable_moments) == (READABLE, unreadable)


def test_a_deleted_run_is_none_and_is_not_listed() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1)}
    server.info = {"lifecycle_stage": "deleted"}
    with adapter(server) as runtime:
        for ask in (lambda: metrics(runtime), lambda: runtime.run(RUN, context(OURS))):
            with pytest.raises(RunNotFound):
                ask()
        assert list(runtime.runs(context(OURS))) == []


@each_row(
    "status, body, expected",
    [
        (404, b"<!doctype html><title>404", BadGateway),
        (405, b"<!doctype html><title>405", BadGateway),
        (200, b"<html>log in", BadGateway),
        (200, b"OK", BadGateway),
        (400, b"plain", BadGateway),
        (503, b"<html>Service Unavailable", RuntimeUnavailable),
        (503, error("TEMPORARILY_UNAVAILABLE"), RuntimeUnavailable),
        (504, error("DEADLINE_EXCEEDED"), RuntimeUnavailable),
        (501, error("NOT_IMPLEMENTED"), BadGateway),
        (500, error("FEATURE_DISABLED"), RuntimeUnavailable),
        (429, error("REQUEST_LIMIT_EXCEEDED"), RateLimited),
        (401, b"You are not authenticated", RuntimeRefuses),
        (401, error("UNAUTHENTICATED"), RuntimeRefuses),
        (403, b"Permission denied", RuntimeRefuses),
        (403, error("PERMISSION_DENIED"), RuntimeRefuses),
        (403, b"Invalid Host header - possible DNS rebinding attack detected", BadGateway),
    ],
)
def test_html_plain_text_and_refusals(status: int, body: object, expected: type[ServiceError]) -> None:
    server = ScriptedMLflow()
    server.say("runs/get", status, body)
    with adapter(server) as runtime, pytest.raises(expected) as caught:
        metrics(runtime)
    assert ("MLFLOW_SERVER_ALLOWED_HOSTS" in caught.value.detail) is (status == 403 and expected is BadGateway)
    assert "<html>" not in caught.value.detail


@pytest.mark.parametrize("what", ["runs/get", "experiments/search"])
def test_a_server_of_artifacts_only_is_a_mistake_and_no_outage(what: str) -> None:
    """No retry, no open circuit: another reader gets the reason, too, and not that the runtime fails; and so does who
    asks what the server can do."""
    server = ScriptedMLflow()
    reason = (
        b"Endpoint: /api/2.0/mlflow/runs/get disabled due to the mlflow server running in `--artifacts-only` mode. "
        b"To enable tracking server functionality, run `mlflow server` without `--artifacts-only`"
    )
    server.say(what, 503, reason)
    with adapter(server) as runtime:
        for _ in range(8):
            with pytest.raises(BadGateway, match="artifacts only"):
                metrics(runtime) if what == "runs/get" else runtime.capabilities(context(OURS))
    assert server.asked[what] == 8


def test_a_run_that_is_deleted_while_it_is_read_is_none() -> None:
    """Where workspaces are on, an unknown run's history is a 404, too."""
    server = ScriptedMLflow(workspaces=True)
    server.runs[RUN] = {"loss": []}
    server.say("metrics/get-history", 404, error("RESOURCE_DOES_NOT_EXIST"))
    with adapter(server) as runtime, pytest.raises(RunNotFound):
        metrics(runtime)


def test_another_run_than_the_one_asked_for_is_a_bad_gateway() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {}
    server.info = {"run_id": "another"}
    with adapter(server) as runtime, pytest.raises(BadGateway):
        metrics(runtime)


@each_row("workspaces, sent", [(True, "team-a"), (False, None), (None, None)])
def test_a_workspace_is_named_to_servers_that_have_them_and_to_no_other(
    workspaces: bool | None, sent: str | None
) -> None:
    server = ScriptedMLflow(workspaces=workspaces)
    server.runs[RUN] = {"loss": points(1)}
    with adapter(server) as runtime:
        metrics(runtime)
        runtime.runs(context(OURS))
    named = {headers.get("x-mlflow-workspace") for headers in server.headers if "/2.0/" in headers["path"]}
    assert named == {sent}


def test_a_server_that_does_not_list_workspaces_is_not_read() -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1)}
    server.say("mlflow/server-info", 500, b"")
    with adapter(server) as runtime:
        with pytest.raises(RuntimeUnavailable):
            metrics(runtime)
        assert server.asked["runs/get"] == 0
        known = structs.replace(context(OURS), known=Capabilities("mlflow", "3", metrics=True, multitenant=False))
        assert isinstance(runtime.run_metrics([RUN], known)[RUN], RunMetrics), "what another process heard will do"


@pytest.mark.parametrize(("status", "code"), [(404, "RESOURCE_DOES_NOT_EXIST"), (400, "INVALID_PARAMETER_VALUE")])
def test_a_workspace_that_is_not_there_has_no_runs(status: int, code: str) -> None:
    server = ScriptedMLflow(workspaces=True)
    for what in ("runs/get", "experiments/search"):
        server.say(what, status, error(code))
    with adapter(server) as runtime:
        assert list(runtime.runs(context(OURS))) == []
        with pytest.raises(RunNotFound):
            metrics(runtime)


@each_row(
    "info, version, expected",
    [
        ((200, {"workspaces_enabled": True}), (200, b"3.17.2"), Capabilities("mlflow", "3.17.2", True, logs=False)),
        ((404, b"<html>"), (200, b"2.22.5\n"), Capabilities("mlflow", "2.22.5", True, multitenant=False, logs=False)),
        ((200, {}), (404, b"<html>"), Capabilities("mlflow", None, True, multitenant=False, logs=False)),
    ],
)
def test_what_a_server_can_do(info: tuple[int, object], version: tuple[int, object], expected: Capabilities) -> None:
    server = ScriptedMLflow()
    server.say("mlflow/server-info", *info)
    server.say("version", *version)
    with adapter(server) as runtime:
        assert runtime.capabilities(context(OURS)) == expected


def test_credentials_that_are_refused_are_noticed_where_the_server_is_asked_what_it_can_do() -> None:
    server = ScriptedMLflow()
    server.say("experiments/search", 401, b"You are not authenticated")
    with adapter(server, token="t") as runtime, pytest.raises(RuntimeRefuses):
        runtime.capabilities(context(OURS))
    server.say("experiments/search", 500, b"")
    with adapter(server, token="t") as runtime:
        assert runtime.capabilities(context(OURS)).identifier == "mlflow", "no other trouble counts"


def test_a_server_of_another_kind_is_a_bad_gateway() -> None:
    for info, version in (((404, b"<html>"), (200, b"<html>welcome")), ((200, b"<html>"), (200, b"3.1.0"))):
        server = ScriptedMLflow()
        server.say("mlflow/server-info", *info)
        server.say("version", *version)
        with adapter(server) as runtime, pytest.raises(BadGateway):
            runtime.capabilities(context(OURS))


@each_row(
    "settings, sent",
    [
        ({"username": "u", "password": "pässword", "token": "t"}, "Basic dTpww6Rzc3dvcmQ="),
        ({"token": "t"}, "Bearer t"),
        ({}, None),
        ({"auth": RuntimeAuth.NONE, "token": "t"}, None),
        ({"auth": RuntimeAuth.FORWARD}, "Bearer the-callers"),
    ],
)
def test_credentials(settings: dict[str, Any], sent: str | None) -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1)}
    forwards = settings.get("auth") is RuntimeAuth.FORWARD
    scope = dataclasses.replace(OURS, caller="c", token="the-callers") if forwards else OURS
    with adapter(server, **settings) as runtime:
        runtime.run_metrics([RUN], context(scope))
    assert {headers.get("authorization") for headers in server.headers} == {sent}


def test_what_is_kept_belongs_to_the_account_or_token() -> None:
    """A token's answers may hold more than another's."""
    accounts: tuple[dict[str, Any], ...] = (
        {"username": "u", "password": "p"},
        {"username": "v", "password": "p"},
        {"token": "t1"},
        {"token": "t2"},
        {},
    )
    identities = []
    for account in accounts:
        runtime, close = build_runtime(RuntimeSettings("http://mlflow", RuntimeKind.MLFLOW, **account), Telemetry())
        identities.append(runtime.identity)
        close()
    assert len(set(identities)) == len(accounts)
    assert not any("t1" in identity for identity in identities)


def test_a_caller_who_is_refused_gets_the_reason() -> None:
    server = ScriptedMLflow()
    server.say("runs/get", 403, b"Permission denied")
    with adapter(server, auth=RuntimeAuth.FORWARD) as runtime:
        found = runtime.run_metrics([RUN], context(dataclasses.replace(OURS, caller="c", token="x")))[RUN]
    assert isinstance(found, RuntimeForbids)


def test_all_experiments_are_listed_page_by_page_newest_run_first() -> None:
    server = ScriptedMLflow()
    experiments = iter(
        [
            {"experiments": [{"experiment_id": "1"}], "next_page_token": "x"},
            {"experiments": [{"experiment_id": "2"}]},
        ]
    )
    runs = iter(
        [
            {"runs": [{"info": {"run_id": "old1", "status": "FINISHED", "start_time": MARCH}}], "next_page_token": "y"},
            {"runs": [{"info": {"run_id": "old1"}}, {"info": {"run_id": "none"}}]},
            {"runs": [{"info": {"run_id": "new1", "status": "KILLED", "start_time": MARCH + 1}}]},
        ]
    )
    said = {"experiments/search": experiments, "runs/search": runs}
    server._document = lambda what, query: next(said[what])  # type: ignore[method-assign]
    with adapter(server) as runtime:
        known = Capabilities("mlflow", "3.17.2", metrics=True, multitenant=False)
        found = listed(runtime, structs.replace(context(OURS), known=known))
    assert sorted(run.run_id for run in found) == ["new1", "none", "old1"]
    asked = [json.loads(document) for document in server.documents]
    assert [each.get("experiment_ids") for each in asked] == [None, ["1"], ["1"], None, ["2"]]
    assert [each.get("page_token") for each in asked] == [None, None, "y", "x", None]


def listing(sizes: Mapping[str, int], server: ScriptedMLflow) -> Callable[[], object]:
    """The answers of a server whose runs have so many bytes of parameters, and whose tokens count pages."""

    def answer() -> object:
        asked = json.loads(server.documents[-1])
        most, number = asked["max_results"], int(asked.get("page_token", "0"))
        found = list(sizes)[number * most : (number + 1) * most]
        runs = [
            {"info": {"run_id": run_id}, "data": {"params": [{"key": "p", "value": sizes[run_id] * "x"}]}}
            for run_id in found
        ]
        more = {"next_page_token": str(number + 1)} if (number + 1) * most < len(sizes) else {}
        return {"runs": runs, **more}

    return answer


def test_a_list_whose_pages_are_larger_than_answers_may_be_is_read_in_smaller_ones() -> None:
    """The second of 250 is the first that has too much, and the pages are read anew."""
    server = ScriptedMLflow()
    sizes = {f"run-{number}": 10 if number < 300 else 2000 for number in range(330)}
    server.search = listing(sizes, server)
    with adapter(server, max_body_bytes=48 * 1024) as runtime:
        assert {run.run_id for run in listed(runtime, context(OURS))} == sizes.keys()
        pages = [json.loads(document).get("max_results") for document in server.documents]
        assert [size for size, _ in groupby(pages)] == [RUNS_A_PAGE, 250, 62]
        server.documents.clear()
        assert {run.run_id for run in listed(runtime, context(OURS))} == sizes.keys()
    assert {json.loads(document)["max_results"] for document in server.documents[1:]} == {62}, "it is known by now"


def test_a_list_with_a_run_that_is_larger_than_answers_may_be_says_what_would_help() -> None:
    server = ScriptedMLflow()
    server.search = listing({"small": 10, "large": 5000}, server)
    with adapter(server, max_body_bytes=4096) as runtime:
        with pytest.raises(AnswerTooLarge, match="RUNTIME_MAX_BODY_BYTES"):
            runtime.runs(context(OURS))
        assert server.asked["runs/search"] == 7
        assert runtime.capabilities(context(OURS)).identifier == "mlflow", "a mistake, and no outage"


def test_of_a_listed_runs_parameters_and_metrics_nothing_is_made() -> None:
    """A page has a thousand runs, each with as many of both as their clients like."""
    server = ScriptedMLflow()
    data = {"params": [{"key": 1}], "metrics": [7], "tags": [{"key": "mlflow.source.name", "value": "train.py"}]}
    server.say("runs/search", 200, {"runs": [{"info": {"run_id": RUN, "status": "FINISHED"}, "data": data}]})
    with adapter(server) as runtime:
        assert [(run.run_id, run.executable_id) for run in listed(runtime, context(OURS))] == [(RUN, b'"train.py"')]


MODEL = "m-" + "1" * 32


def test_a_models_points_carry_its_name_and_data_set() -> None:
    server = ScriptedMLflow()
    own, other = points(1)[0], points(1, 1)[0]
    server.runs[RUN] = {"loss": [own, other], "accuracy": [own]}
    described = {"run_id": RUN, "dataset_name": "iris", "dataset_digest": "d1"}
    model = {
        "info": {"model_id": MODEL, "name": "forest", "artifact_uri": "mlflow-artifacts:/1"},
        "data": {"metrics": [{"key": "loss", **own, **described}, {"key": "loss", **other, "run_id": "another"}]},
    }
    server.say(f"logged-models/{MODEL}", 200, {"model": model})
    server.outputs = {"model_outputs": [{"model_id": MODEL, "step": 0}]}
    labels = [
        {"name": "metrics.ai.sap.com/Artifact.name", "value": "forest"},
        {"name": "dataset_name", "value": "iris"},
        {"name": "dataset_digest", "value": "d1"},
    ]
    with adapter(server) as runtime:
        assert [(each["name"], each["step"], each["labels"]) for each in metrics(runtime)] == [
            ("loss", 0, labels),
            ("loss", 1, []),
            ("accuracy", 0, []),
        ]
        found = runtime.run_metrics([RUN], context(OURS))[RUN]
        assert isinstance(found, RunMetrics)
        assert found.resource.label_names == tuple(each["name"] for each in labels)
        details = runtime.run(RUN, context(OURS))
        assert json.loads(details.output_artifacts) == [
            {"key": "forest", "id": MODEL, "name": "forest", "kind": "model", "url": "mlflow-artifacts:/1"}
        ]
        server.say(f"logged-models/{MODEL}", 404, error("RESOURCE_DOES_NOT_EXIST"))
        assert [each["labels"] for each in metrics(runtime)] == [[], [], []], "it was deleted"
        server.say(f"logged-models/{MODEL}", 400, error("BAD_REQUEST"))
        with pytest.raises(BadGateway):
            metrics(runtime)
        assert runtime.run(RUN, context(OURS)).unavailable == ("outputArtifacts",)


def test_what_surrounds_a_run() -> None:
    server = ScriptedMLflow()
    dataset = {"name": "iris", "digest": "d1", "source_type": "http", "source": '{"url": "x"}'}
    tags = {
        "mlflow.source.name": "train.py",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.note.content": "a note",
        "a": '{"b":1}',
        "plain": "1",
    }
    history = [{"artifact_path": "model", "model_uuid": "u1", "run_id": RUN}]
    tags["mlflow.log-model.history"] = json.dumps(history)
    run = {
        "info": {
            "run_id": RUN,
            "run_name": "über",
            "experiment_id": "0",
            "status": "FINISHED",
            "start_time": MARCH,
            "end_time": MARCH + 1500,
            "artifact_uri": "s3://b",
        },
        "data": {
            "params": [{"key": "rate", "value": "0.1"}],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        },
        "inputs": {
            "dataset_inputs": [{"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": "train"}]}]
        },
    }
    server.say("runs/get", 200, {"run": run})
    with adapter(server) as runtime:
        details = runtime.run(RUN, context(OURS))
        found = runtime.run_metrics([RUN], context(OURS))[RUN]
    assert (details.run.status, details.unavailable) == ("COMPLETED", ())
    assert json.loads(details.run.configuration_name) == "über"
    assert details.run.created_at == details.run.start_time == b'"2026-03-29T01:00:00.000Z"'
    assert details.run.completion_time == b'"2026-03-29T01:00:01.500Z"'
    assert json.loads(details.parameters) == [{"key": "rate", "value": "0.1"}]
    assert json.loads(details.scenario) == {"id": "0", "name": "Default"}
    assert json.loads(details.executable) == {"id": "train.py", "name": "train.py", "versionId": "c0ffee"}
    assert json.loads(details.input_artifacts) == [
        {"key": "train", "id": "d1", "name": "iris", "kind": "dataset", "url": '{"url": "x"}'}
    ]
    assert json.loads(details.output_artifacts) == [
        {"key": "model", "id": "u1", "name": "model", "kind": "model", "url": "s3://b/model"}
    ], "as a client of MLflow 2 has it"
    assert isinstance(found, RunMetrics)
    assert not found.may_change
    assert {each["name"]: each["value"] for each in json.loads(found.resource.tags)} == tags
    assert [each["name"] for each in json.loads(found.resource.custom_info)] == [
        "mlflow.note.content",
        "a",
        "mlflow.log-model.history",
    ]


def test_tls_with_an_authority_of_its_own_and_a_client_certificate(tmp_path: Path) -> None:
    server = ScriptedMLflow()
    server.runs[RUN] = {"loss": points(1)}
    authority = Authority(tmp_path)
    client = authority.issue("client.example")
    both = tmp_path / "both.pem"
    both.write_bytes(client.certificate.read_bytes() + client.key.read_bytes())
    own = {"ca_file": str(authority.certificate)}
    shown = {"certificate": str(both), "private_key": str(both)}
    with serving(server), tls_front(port_of(server), authority.issue("127.0.0.1"), authority) as port:

        def read(**settings: Any) -> object:
            url = f"https://127.0.0.1:{port}"
            runtime, close = build_runtime(RuntimeSettings(url, RuntimeKind.MLFLOW, **settings), Telemetry())
            try:
                return runtime.run_metrics([RUN], context(OURS))[RUN]
            finally:
                close()

        assert isinstance(read(**own, **shown), RunMetrics)
        assert {headers.get("connection") for headers in server.headers} == {None}
        assert isinstance(read(insecure_tls=True, **shown), RunMetrics)
        assert isinstance(read(**shown), BadGateway), "nobody else's authorities know it"
        assert isinstance(read(**own), ServiceError), "it asks for a certificate"


def port_of(server: ScriptedMLflow) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port
