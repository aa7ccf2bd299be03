"""The response cache replays what the application answers: byte for byte, and to the same callers only."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from service.domain.zones import zone_names
from testing.effort import effort
from tests.integration.service.conftest import RUN, Service
from tests.rows import each_row
from tests.servers.scripted_runtime import POINT

EACH_REQUESTS = {"X-Request-ID", "traceparent", "Age", "Cache-Status", "Date"}
BY_THE_APPLICATION = {"Cache_Control": "max-age=1000000"}
"""Asks for nothing that is not given anyway, and has the application answer a request."""


def content_of(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in EACH_REQUESTS)
    return answer.status_code, answer.data, headers


@settings(max_examples=effort(40, 150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([RUN, "/runs/run1/tags", "/runs/run1/custom-info", "/runs/run2/metric-resource"]),
    query=st.none() | st.sampled_from(sorted(zone_names())) | st.sampled_from(["+05:30", "Mars/Base"]),
    header=st.none() | st.sampled_from(["Asia/Tokyo", "UTC", "nowhere"]),
    coding=st.none() | st.sampled_from(["gzip", "br", "zstd", "gzip;q=0", "identity"]),
    accept=st.none() | st.sampled_from(["application/json", "*/*", "text/html"]),
    origin=st.none() | st.sampled_from(["https://front-end.example", "https://elsewhere.example"]),
    group=st.none() | st.sampled_from(["default", "another", "no"]),
    conditional=st.booleans(),
)
def test_every_replayed_answer_is_the_applications(
    service: Service, path, query, header, coding, accept, origin, group, conditional
) -> None:
    headers = {"Time_Zone": header, "Accept_Encoding": coding, "Accept": accept, "Origin": origin}
    headers["AI_Resource_Group"] = group
    headers = {name: value for name, value in headers.items() if value is not None}
    url = path if query is None else f"{path}?timezone={query.replace('+', '%2B')}"
    plain = service.get(url, **headers, **BY_THE_APPLICATION)
    service.get(url, **headers)
    if conditional and "ETag" in plain.headers:
        headers["If_None_Match"] = plain.headers["ETag"]
        plain = service.get(url, **headers, **BY_THE_APPLICATION)
    before = service.dispatched
    again = service.get(url, **headers)
    if plain.status_code >= 400:
        assert (again.status_code, again.json["type"]) == (plain.status_code, plain.json["type"])
    else:
        assert content_of(again) == content_of(plain)
        assert service.dispatched == before, "the response cache should have answered"
        assert again.headers["Cache-Status"].startswith("metric-resource; hit; ttl=")


def test_what_one_may_see_another_may_not(service: Service) -> None:
    for _ in range(3):
        assert service.get().status_code == 200
        assert service.get(token=service.issuer.mint(roles=["scenario_job_viewer"])).status_code == 403
        assert (
            service.get(token=service.issuer.mint(roles=["scenario_metric_viewer"], lifetime=-1000)).status_code == 401
        )
        assert service.get(Authorization="Bearer").status_code == 401
        assert service.get(Authorization="Basic x").status_code == 401


def test_callers_who_differ_in_their_groups_only_are_distinguished(service: Service) -> None:
    roles = ["scenario_metric_viewer"]
    own, others, any_group = (
        service.issuer.mint(roles=roles, resource_groups=groups) for groups in (["default"], ["another"], [])
    )
    assert [service.get(token=own).status_code for _ in range(2)] == [200, 200]
    before = service.dispatched
    assert service.get(token=own).status_code == 200
    assert service.get(token=any_group).status_code == 200
    for refused in (service.get(token=others), service.get(token=others, If_None_Match="*")):
        assert (refused.status_code, refused.json["type"]) == (403, "urn:metric-resource:forbidden")
    assert service.get(token=own).status_code == 200
    assert service.dispatched - before == 3, "one token seen first, and two refusals; the rest from the cache"


def test_any_entity_tag_matches_an_asterisk(service: Service) -> None:
    assert service.get(If_None_Match="*", **BY_THE_APPLICATION).status_code == 304
    assert service.get().status_code == 200
    before = service.dispatched
    assert service.get(If_None_Match="*").status_code == 304
    assert service.dispatched == before


def test_a_claimed_zone_is_each_callers_own(service: Service) -> None:
    tokens = {
        zone: service.issuer.mint(roles=["scenario_metric_viewer"], zone=zone)
        for zone in ("Asia/Tokyo", "Europe/Berlin")
    }
    for _ in range(3):
        for zone, token in tokens.items():
            assert service.get(token=token).json["timezone"] == zone


def test_new_data_is_given_as_soon_as_it_is_known(service: Service) -> None:
    before = [service.get().json for _ in range(3)]
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": [POINT | {"value": 0.25}]}]})
    assert service.get(Cache_Control="no-cache").json != before[-1]
    assert service.get().json == service.get(Cache_Control="no-cache").json


def test_ids_are_each_requests_own(service: Service) -> None:
    answers = [service.get() for _ in range(5)]
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 5
    assert len({answer.headers["traceparent"] for answer in answers}) == 5
    given_id = service.get(X_Request_ID="mine-1", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert given_id.headers["X-Request-ID"] == "mine-1"
    assert given_id.headers["traceparent"] == "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@each_row("path", [f"{RUN}?limit=1", f"{RUN}?limit=1&name=loss", "/runs/run1/tags", "/runs/run1%2Ftags"])
def test_one_answer_serves_every_prefix(service: Service, path: str) -> None:
    """References are relative, so that an answer depends on no prefix; the application says the same of each."""
    points = [POINT | {"step": step} for step in range(3)]
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": points}]})
    prefixes = ("", "/metrics-api", "/a/b", "/runs")

    def get(prefix: str, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {service.token}"} | headers
        return service.client.get(path, headers=given, environ_overrides={"SCRIPT_NAME": prefix})

    plain = [get(prefix, **{"Cache-Control": "max-age=1000000"}) for prefix in prefixes]
    again = [get(prefix) for prefix in prefixes * 2]
    assert (
        [content_of(answer) for answer in again]
        == [content_of(plain[0])] * len(again)
        == [content_of(answer) for answer in plain] * 2
    )
    assert all("; hit; " in answer.headers["Cache-Status"] for answer in again)
    if "limit" in path:
        assert again[-1].json["page"]["next"].startswith("?")


@each_row("method", ["HEAD", "OPTIONS", "POST"])
def test_other_methods_are_answered_by_the_application(service: Service, method: str) -> None:
    for _ in range(3):
        service.get()
    answer = service.get(method=method)
    assert answer.data == b"" or answer.status_code == 405


def test_a_client_that_always_has_it_learns_of_what_is_new(service: Service) -> None:
    """The lane may know an answer from its ``304`` alone, before it was ever given whole."""
    tag = service.get(**BY_THE_APPLICATION).headers["ETag"]
    assert [service.get(If_None_Match=tag).status_code for _ in range(3)] == [304] * 3
    whole = service.get()
    assert (whole.status_code, whole.headers["ETag"]) == (200, tag)
    assert whole.content_type == "application/json"
    assert service.get(If_None_Match=tag).status_code == 304
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": [POINT | {"value": 0.25}]}]})
    assert service.get(Cache_Control="no-cache").headers["ETag"] != tag
    assert service.get(If_None_Match=tag).status_code == 200


def test_a_body_in_memory_reaches_the_server_as_it_is_in_either_way(service: Service) -> None:
    app = service.client.application
    headers = {"Authorization": f"Bearer {service.token}"}
    statuses: list[str] = []

    def body(**more: str) -> Any:
        environ = EnvironBuilder(path=RUN, headers=[*headers.items(), *more.items()]).get_environ()
        return app(environ, cast(Any, lambda status, *_: statuses.append(status)))

    first, plain, again = body(), body(**{"Cache-Control": "max-age=1000000"}), body()
    assert statuses == ["200 OK"] * 3
    assert [type(each) for each in (first, plain, again)] == [tuple] * 3, "so that the server need not wait for clients"
    assert all(one is other for one, other in zip(plain, again, strict=True)), "and can share the very bytes"
