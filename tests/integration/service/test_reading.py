"""Reading a run's metric resource: the contract, from token to bytes."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import Any

import brotli
import pytest

from testing.waiting import PATIENCE, eventually
from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.rows import each_row


def test_the_whole_resource_in_the_callers_zone(service: Service) -> None:
    answer = service.get(RUN + "?timezone=Europe/Berlin")
    assert answer.status_code == 200
    assert json.loads(answer.data) == {
        "runId": "run1",
        "timezone": "Europe/Berlin",
        "createdAt": None,
        "modifiedAt": None,
        "metrics": [
            {"name": "loss", "value": 0.5, "timestamp": "2026-03-29T03:00:00.10+02:00", "step": 1, "labels": []}
        ],
        "tags": [],
        "customInfo": [],
    }


def test_the_zone_comes_from_query_then_header_then_claim_then_default(service: Service) -> None:
    token = service.issuer.mint(roles=["scenario_metric_viewer"], zone="Asia/Tokyo")
    odd = service.issuer.mint(roles=["scenario_metric_viewer"], zone="Mars/Base")

    def zone(path: str = RUN, token: str | None = None, **headers: str) -> str:
        return str(json.loads(service.get(path, token, **headers).data)["timezone"])

    assert zone(RUN + "?timezone=%2B02:00", token, Time_Zone="America/Lima") == "+02:00"
    assert zone(RUN + "?timezone=+02:00") == "+02:00"
    assert zone(RUN, token, Time_Zone="America/Lima") == "America/Lima"
    assert zone(RUN, token) == "Asia/Tokyo"
    assert zone(RUN, odd) == "UTC"


def test_metrics_and_status_are_asked_side_by_side(service: Service) -> None:
    service.get("/capabilities")
    both, plain = threading.Barrier(2), service.runtime.answer

    def answer(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        both.wait(PATIENCE)
        return plain(path, headers)

    service.runtime.answer = answer  # type: ignore[method-assign]
    assert service.get().status_code == 200, "neither is answered before both are asked"


def test_a_run_without_metrics_has_empty_lists(service: Service) -> None:
    service.runtime.say("metrics", 200, {"count": 0, "resources": []})
    found = json.loads(service.get().data)
    assert (found["metrics"], found["tags"], found["customInfo"]) == ([], [], [])


@pytest.mark.parametrize(
    ("what", "status", "body", "expected", "slug"),
    [
        ("execution", 404, {"error": {"code": "1"}}, 404, "run-not-found"),
        ("execution", 404, b"<html>not here</html>", 502, "bad-gateway"),
        ("execution", 200, {"id": "run2", "status": "RUNNING"}, 502, "bad-gateway"),
        ("meta", 200, {"extensions": {}}, 501, "metrics-not-supported"),
        ("metrics", 200, b"<html>", 502, "bad-gateway"),
        ("metrics", 401, {}, 502, "bad-gateway"),
        ("metrics", 403, {}, 502, "bad-gateway"),
        ("metrics", 500, {}, 503, "runtime-unavailable"),
        ("metrics", 429, {}, 429, "too-many-requests"),
    ],
)
def test_each_answer_of_the_runtime_has_its_problem(service, what, status, body, expected, slug) -> None:
    service.runtime.say(what, status, body)
    answer = service.get("/runs/run-of-its-own/tags")
    problem = json.loads(answer.data)
    assert (answer.status_code, problem["type"]) == (expected, f"urn:metric-resource:{slug}")
    assert answer.content_type == "application/problem+json"
    assert problem["requestId"] == answer.headers["X-Request-ID"]
    assert b"127.0.0.1" not in answer.data
    assert b"html" not in answer.data
    assert (expected in {429, 503}) == ("Retry-After" in answer.headers)


def test_a_run_that_is_nowhere_is_said_with_where_it_was_looked_for(service: Service) -> None:
    service.runtime.say("execution", 404, {"error": {"code": "1"}})
    answer = service.get("/runs/run-that-is-none/tags", AI_Resource_Group="research")
    where = "the resource group 'research' of the connection 'default'"
    assert json.loads(answer.data)["detail"] == f"there is no run 'run-that-is-none' in {where}"


def test_a_runtime_that_does_not_answer_in_time(surroundings: Surroundings) -> None:
    with surroundings.service(timeout=1.0) as service:
        service.runtime.say("metrics", 200, {"resources": []}, wait=2)
        assert service.get("/runs/run-that-is-slow/tags").status_code == 504


def test_every_fault_of_a_request_is_named(service: Service) -> None:
    answer = service.get("/runs/a!/metric-resource?timezone=Mars&nonsense=1", AI_Resource_Group="x")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == {
        "runId",
        "timezone",
        "nonsense",
        "AI-Resource-Group",
    }
    assert not service.runtime.asked["metrics"]


@each_row(
    "query, faults",
    [
        ("/metric-resource?name=%FF&name=a", [("name", "must be UTF-8, percent-encoded")]),
        ("/metric-resource?search=%ED%A0%80", [("search", "must be UTF-8, percent-encoded")]),
        ("/metric-resource?since=%FF", [("since", "must be UTF-8, percent-encoded")]),
        ("/metric-resource?name=%25FF&name=%C3%A9", []),
        ("/metric-resource?%FF=1", [("%FF", "is not a parameter of this resource")]),
        (
            "/checks?expect=a:min%3C1&expect=b&expect=c:min%3Cd",
            [("expect", "number 2 of 3: "), ("expect", "number 3 of 3: ")],
        ),
        ("/checks?expect=a", [("expect", "must be ")]),
        (
            "/metric-resource?timezone=europe/berlin",
            [("timezone", ", or a fixed offset such as +02:00: is it Europe/Berlin?")],
        ),
        ("/metric-resource?timezone=america/new%20york", [("timezone", ": is it America/New_York?")]),
        ("/metric-resource?timezone=Mars", [("timezone", "such as +02:00")]),
    ],
)
def test_each_faulty_value_of_a_query_is_named(service: Service, query: str, faults: list[tuple[str, str]]) -> None:
    answer = service.get(f"/runs/run-asked{query}")
    assert answer.status_code == (400 if faults else 200)
    named = json.loads(answer.data).get("errors", [])
    assert [fault["parameter"] for fault in named] == [parameter for parameter, _ in faults]
    assert all(detail in fault["detail"] for fault, (_, detail) in zip(named, faults, strict=True))


def test_tokens_and_roles(service: Service) -> None:
    missing = service.client.get(RUN)
    assert (missing.status_code, missing.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metric-resource"')
    broken = service.get(token=service.token[:-4] + "AAAA")
    assert broken.status_code == 401
    assert 'error="invalid_token"' in broken.headers["WWW-Authenticate"]
    refused = service.get(token=service.issuer.mint(roles=["scenario_job_editor"]))
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="scenarios.metrics.read"' in refused.headers["WWW-Authenticate"]
    assert "scenario_metric_viewer" in json.loads(refused.data)["roles"]
    by_collection = service.issuer.mint(role_collections=["ailaunchpad_mloperations_viewer"], algorithm="ES256")
    by_scope = service.issuer.mint(scopes=["scenarios.metrics.read"])
    assert [service.get(token=token).status_code for token in (by_collection, by_scope)] == [200, 200]
    assert service.get("/capabilities", token=service.issuer.mint()).status_code == 200


def test_a_caller_keeps_to_its_resource_groups(service: Service) -> None:
    token = service.issuer.mint(roles=["scenario_metric_viewer"], resource_groups=["group-a"])
    assert service.get(token=token).status_code == 403
    assert service.get(token=token, AI_Resource_Group="group-a").status_code == 200
    assert {asked["ai-resource-group"] for asked in service.runtime.headers if "metrics" in asked["path"]} == {
        "group-a"
    }


def test_conditional_requests_and_codings(service: Service) -> None:
    plain = service.get()
    tags = {plain.headers["ETag"]}
    for coding, decode in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        answer = service.get(Accept_Encoding=coding)
        assert (answer.headers["Content-Encoding"], decode(answer.data)) == (coding, plain.data)
        tags.add(answer.headers["ETag"])
    tags.add(service.get(RUN + "?timezone=Asia/Tokyo").headers["ETag"])
    assert len(tags) == 4
    assert service.get(If_None_Match=f'"other", {plain.headers["ETag"]}').status_code == 304
    assert service.get(If_None_Match=f"W/{plain.headers['ETag']}").status_code == 304
    assert service.get(If_None_Match='"other"').status_code == 200
    unchanged = service.get(If_None_Match=plain.headers["ETag"])
    assert unchanged.data == b""
    assert {"ETag", "Cache-Control", "Vary", "Age", "Cache-Status"} <= set(unchanged.headers.keys())


@each_row(
    "path, status",
    [
        (RUN, 200),
        (f"{RUN}?limit=1", 200),
        (f"{RUN}/series", 200),
        (f"{RUN}/chart", 200),
        ("/runs/run1/tags", 200),
        ("/runs/run1/custom-info", 200),
        ("/capabilities", 200),
        ("/runs", 403),
        ("/runs/x/tags", 400),
        (f"{RUN}?limit=none", 400),
    ],
)
def test_a_browsers_cache_gives_no_answer_to_the_next_one(service: Service, path: str, status: int) -> None:
    """Whoever is told apart by a cookie, behind an approuter, and by a token without one; given once, again, as 304."""
    first, again = service.get(path), service.get(path)
    answers = [first, again]
    if "ETag" in first.headers:
        answers += [service.get(path, If_None_Match=first.headers["ETag"]) for _ in range(2)]
        answers.append(service.get(path, If_None_Match=first.headers["ETag"], Cache_Control="max-age=1000"))
    assert [answer.status_code for answer in answers] == [status] * 2 + [304] * (len(answers) - 2)
    for answer in (*answers, service.get(path, Authorization="none")):
        assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_how_an_answer_was_come_by(service: Service) -> None:
    run = f"/runs/run-{time.time_ns()}/metric-resource"
    assert service.get(run).headers["Cache-Status"] == "metric-resource; fwd=miss; stored"
    again = service.get(run)
    assert again.headers["Cache-Status"].startswith("metric-resource; hit; ttl=")
    assert again.headers["Cache-Control"] == "private, max-age=60, stale-while-revalidate=30, stale-if-error=86400"
    asked = service.runtime.asked["metrics"]
    assert service.get(run, Cache_Control="no-cache").headers["Cache-Status"] == "metric-resource; fwd=request; stored"
    assert service.runtime.asked["metrics"] == asked + 1
    assert service.get("/runs/run-unread/tags", Cache_Control="only-if-cached").status_code == 504


def test_many_cold_readers_cause_one_fetch(service: Service) -> None:
    service.get("/capabilities")
    service.runtime.say("execution", 200, {"id": "run-for-many", "status": "COMPLETED"}, wait=0.3)
    statuses: list[int] = []

    def read() -> None:
        statuses.append(service.get("/runs/run-for-many/metric-resource").status_code)

    readers = [threading.Thread(target=read) for _ in range(12)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert statuses == [200] * 12
    assert service.runtime.asked["metrics"] == 1


def test_the_last_good_answer_stands_in_for_a_runtime_that_fails(service: Service) -> None:
    run = f"/runs/run-{time.time_ns()}/metric-resource"
    good = service.get(run)
    service.runtime.say("metrics", 500, {})
    stale = service.get(run, Cache_Control="max-age=0")
    assert (stale.status_code, stale.data) == (200, good.data)
    assert "detail=stale-if-error" in stale.headers["Cache-Status"]
    assert service.get(run, Cache_Control="no-cache").status_code == 503


def test_without_its_redis_the_service_still_answers(service: Service) -> None:
    service.valkey.kill()
    try:
        run = f"/runs/run-{time.time_ns()}/metric-resource"
        assert service.get(run).status_code == 200
        assert json.loads(service.client.get("/readyz").data)["cache"] == "unavailable"
    finally:
        service.valkey.start()


def test_ids_follow_the_request(service: Service) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = service.get("/runs/run-traced/tags", X_CorrelationID="mine-1", traceparent=trace)
    assert (answer.headers["X-Request-ID"], answer.headers["traceparent"]) == ("mine-1", trace)
    sent = next(asked for asked in service.runtime.headers if "run-traced" in asked["path"])
    assert (sent["x-request-id"], sent["traceparent"]) == ("mine-1", trace)
    assert service.get(X_Request_ID="not well-formed").headers["X-Request-ID"] != "not well-formed"


def test_nothing_else_of_the_client_goes_upstream(service: Service) -> None:
    service.get("/runs/run-alone/tags", Cookie="a=b", X_Forwarded_For="1.2.3.4", Time_Zone="UTC")
    for asked in service.runtime.headers:
        assert not {"cookie", "x-forwarded-for", "time-zone", "authorization"} & set(asked)


def test_unknown_paths_methods_and_media_types_are_problems(service: Service) -> None:
    for method, path, status, headers in (
        ("GET", "/nothing", 404, {}),
        ("POST", RUN, 405, {}),
        ("GET", RUN, 406, {"Accept": "text/html"}),
        ("GET", RUN + "/", 404, {}),
        ("GET", "//runs/run1/tags", 404, {}),
    ):
        answer = service.get(path, method=method, **headers)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
        assert json.loads(answer.data)["status"] == status


@each_row(
    "path, detail",
    [
        ("/nothing", "there is no such resource"),
        ("/v2/lm/executions/run1", "there is no such resource; an execution is a run here: see /runs"),
        ("/executables", "there is no such resource; an executable is named by its runs: see /runs?executableId="),
    ],
)
def test_the_ai_apis_words_in_a_path_lead_to_the_runs(service: Service, path: str, detail: str) -> None:
    answered = json.loads(service.get(path).data)["detail"]
    assert answered.startswith(detail)
    assert (";" in answered) == (";" in detail)


def test_head_is_get_without_a_body(service: Service) -> None:
    get, head = service.get(), service.get(method="HEAD")
    assert (head.data, head.headers["Content-Length"], head.headers["ETag"]) == (
        b"", get.headers["Content-Length"], get.headers["ETag"]
    )  # fmt: skip


def test_pages_of_configured_origins_may_read(service: Service) -> None:
    preflight = {"Origin": "https://front-end.example", "Access_Control_Request_Method": "GET"}
    allowed = service.client.options(RUN, headers={name.replace("_", "-"): value for name, value in preflight.items()})
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://front-end.example"
    assert "Authorization" in allowed.headers["Access-Control-Allow-Headers"]
    exposed = service.get(Origin="https://front-end.example").headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Link", "Cache-Status", "Retry-After", "X-Request-ID"} < set(exposed)
    assert {"X-Total-Count", "Content-Disposition"} < set(exposed)
    assert "Access-Control-Allow-Origin" not in service.get(Origin="https://elsewhere.example").headers


@pytest.mark.parametrize(("status", "expected"), [(403, 502), (404, 404)])
def test_a_refusal_of_the_runtime_ends_the_last_good_answer(service: Service, status: int, expected: int) -> None:
    run = f"/runs/run-{time.time_ns()}/metric-resource"
    assert service.get(run).status_code == 200
    service.runtime.say("execution", status, {"error": {}})
    assert service.get(run, Cache_Control="max-age=0").status_code == expected
    service.runtime.say("execution", 500, {})
    service.runtime.say("metrics", 500, {})
    assert service.get(run, Cache_Control="max-age=0").status_code == 503


@pytest.mark.slow
def test_the_first_read_after_a_runtimes_recovery_succeeds(service: Service) -> None:
    for what in ("metrics", "execution"):
        service.runtime.say(what, 500, {})
    eventually(lambda: b"circuit breaker open" in service.get("/runs/run1/tags", Cache_Control="no-cache").data)
    refused = service.get("/runs/run1/tags", Cache_Control="no-cache")
    service.runtime.answers.clear()
    time.sleep(float(refused.headers["Retry-After"]))
    assert service.get("/runs/never-read/metric-resource").status_code == 200
