"""Large answers over HTTP: sent as they are made, of the same bytes and under the same tag as when they are kept."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import redis

from service.api.http.large_work import LargeWork
from testing.effort import effort
from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.servers.scripted_runtime import POINT, ScriptedRuntime

POINTS = 4500
QUERIES = ["", "?sort=-value", "?sort=name,-step&minStep=7", "?timezone=Asia/Kolkata", "?maxStep=4400", "?limit=4400"]


def many(runtime: ScriptedRuntime) -> None:
    points = [
        {
            "name": f"loss {number % 3}",
            "value": number * 7919 % POINTS,
            "timestamp": f"2026-03-29T01:{number // 60 % 60:02d}:{number % 60:02d}Z",
            "step": number,
            "labels": [{"name": "fold", "value": str(number % 5)}],
        }
        for number in range(POINTS)
    ]
    tags = [{"name": "model", "value": "tree"}]
    resource = {"executionId": "run1", "metrics": points, "tags": tags}
    runtime.say("metrics", 200, {"count": 1, "resources": [resource]})


def sent(answer: Any) -> bytes:
    coding = answer.headers.get("Content-Encoding")
    return gzip.decompress(answer.data) if coding == "gzip" else bytes(answer.data)


def test_what_is_sent_as_it_is_made_is_what_would_be_kept(
    surroundings: Surroundings, subtests: pytest.Subtests
) -> None:
    many(surroundings.runtime)
    queries = effort([*QUERIES[:2], *QUERIES[4:5]], QUERIES)
    nothing_is_kept = {"representation_bytes": 0}
    with (
        surroundings.service() as keeping,
        surroundings.service(large_work=LargeWork(whole=1000, free=0), cache=nothing_is_kept) as sending,
    ):
        for query in queries:
            for accept in ("application/json", "text/csv", "application/x-ndjson"):
                for coding in ("identity", "gzip"):
                    headers = {"Accept": accept, "Accept_Encoding": coding}
                    with subtests.test(query, accept=accept, coding=coding):
                        kept, made = (service.get(RUN + query, **headers) for service in (keeping, sending))
                        assert (kept.status_code, made.status_code) == (200, 200)
                        assert sent(made) == sent(kept)
                        assert made.headers["ETag"] == kept.headers["ETag"]
                        assert "Content-Length" in kept.headers
                        assert "Content-Length" not in made.headers
                        not_modified = sending.get(RUN + query, If_None_Match=made.headers["ETag"], **headers)
                        assert (not_modified.status_code, not_modified.data) == (304, b"")
                        assert sending.get(RUN + query, method="HEAD", **headers).data == b""


def test_a_small_page_of_a_large_run_is_made_as_a_whole(surroundings: Surroundings) -> None:
    many(surroundings.runtime)
    work = LargeWork(whole=5000, free=0)
    with surroundings.service(large_work=work, cache={"representation_bytes": 5000}) as service:
        for query in ("?limit=2", "?limit=2&sort=-value", "?maxStep=1"):
            page = service.get(RUN + query)
            assert len(json.loads(page.data)["metrics"]) == 2
            assert "Content-Length" in page.headers


def test_tags_are_given_without_the_points_and_lost_points_are_read_again(surroundings: Surroundings) -> None:
    many(surroundings.runtime)
    with surroundings.service() as service:
        whole = service.get(RUN)
    with redis.Redis(port=surroundings.valkey.port) as store:
        points = list(store.scan_iter("*:rest"))
        assert len(points) == 1
        store.delete(*points)
    with surroundings.service() as another:
        assert json.loads(another.get("/runs/run1/tags").data)["tags"] == [{"name": "model", "value": "tree"}]
        assert surroundings.runtime.asked["metrics"] == 1
        assert another.get(RUN).data == whole.data
        assert surroundings.runtime.asked["metrics"] == 2


def test_work_that_finds_no_room_in_time_is_refused_with_a_word_on_when_to_come_again(
    surroundings: Surroundings,
) -> None:
    work = LargeWork(1000, free=100, medium=0, longest_wait=0.01)
    with surroundings.service(large_work=work) as service:
        service.get("/runs/run1/tags")
        with work._gate.admitted(1000, 0):  # another thread's work
            refused = service.get(RUN)
            assert service.get("/runs/run1/tags").status_code == 200
        assert _problem(refused) == _OVERLOADED
        assert service.get(RUN).status_code == 200


@pytest.mark.parametrize("path", [RUN, "/runs/run1/tags?search=a", "/runs/run1/custom-info?parse=true"])
def test_work_that_takes_too_long_is_refused(surroundings: Surroundings, path: str) -> None:
    """Tags and custom info too, which are looked at without the points."""
    pairs = [{"name": f"a{number}", "value": "1"} for number in range(10)]
    run = {"executionId": "run1", "metrics": [POINT], "tags": pairs, "customInfo": pairs}
    surroundings.runtime.say("metrics", 200, {"count": 1, "resources": [run]})
    with surroundings.service(large_work=LargeWork(longest=0.0, free=0)) as service:
        assert _problem(service.get(path)) == _OVERLOADED


def test_a_refusal_is_given_again(service: Service) -> None:
    series = [{**POINT, "labels": [{"name": "fold", "value": str(number)}]} for number in range(500)]
    service.runtime.say("metrics", 200, {"count": 1, "resources": [{"executionId": "run1", "metrics": series}]})
    first, second = (service.get(f"{RUN}/chart") for _ in range(2))
    assert first.status_code == second.status_code == 400
    assert first.headers["Cache-Control"] == second.headers["Cache-Control"] == "no-store"
    described = [
        {name: value for name, value in json.loads(each.data).items() if name != "requestId"}
        for each in (first, second)
    ]
    assert described[0] == described[1]


_OVERLOADED = (503, "urn:metric-resource:overloaded", True)


def _problem(answer: Any) -> tuple[int, str, bool]:
    """Status and type, and whether it says when to try again."""
    return answer.status_code, json.loads(answer.data)["type"], int(answer.headers.get("Retry-After", 0)) > 0


def test_a_cursor_has_expired_where_only_the_tags_of_its_snapshot_are_left(surroundings: Surroundings) -> None:
    many(surroundings.runtime)
    with surroundings.service() as service:
        following = json.loads(service.get(f"{RUN}?limit=1").data)["page"]["next"]
        surroundings.runtime.answers.clear()
        service.get(RUN, Cache_Control="no-cache")
    with surroundings.service() as another:
        assert another.get(RUN + following).status_code == 200
    with redis.Redis(port=surroundings.valkey.port) as store:
        store.delete(*store.scan_iter("*:rest"))
    with surroundings.service() as another:
        assert another.get(RUN + following).status_code == 410


@pytest.mark.parametrize("path", [RUN, "/runs?format=csv", "/runs?sort=-createdAt"])
def test_what_is_sent_as_it_is_made_is_read_anew_where_it_has_left_the_store(
    surroundings: Surroundings, path: str
) -> None:
    """Before anything is sent: afterwards the answer could only be cut off."""
    many(surroundings.runtime)
    executions = [
        {"id": f"run-{number:03}", "configurationId": "c", "status": "DEAD", "createdAt": "2026-03-29T01:00:00Z"}
        for number in range(300)
    ]
    surroundings.runtime.say("executions", 200, {"count": len(executions), "resources": executions})
    with surroundings.service() as service:
        token = service.issuer.mint(roles=["scenario_job_viewer", "scenario_metric_viewer"])
        whole = service.get(path, token)
    with redis.Redis(port=surroundings.valkey.port) as store:
        assert store.delete(*store.scan_iter("*:rest"))
    work = LargeWork(whole=1000, free=0)
    with surroundings.service(large_work=work, cache={"representation_bytes": 0}) as service:
        answer = service.get(path, token)
        assert (answer.status_code, sent(answer)) == (200, sent(whole))
        assert "Content-Length" not in answer.headers
