"""Whose credentials go upstream: the caller's and no other, or the service's own and never the caller's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from service.sandbox.app import parts_of
from service.sandbox.server import Options, running
from service.settings import RuntimeAuth
from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.servers.issuer_keys import with_keys

TAGS = "/runs/run1/tags"


@pytest.fixture
def forwarding(surroundings: Surroundings) -> Iterator[Service]:
    with surroundings.service(RuntimeAuth.FORWARD) as service:
        yield service


def token(service: Service, subject: str, **claims: object) -> str:
    return service.issuer.mint(roles=["scenario_metric_viewer"], subject=subject, claims=claims)


def credentials(service: Service) -> set[str | None]:
    return {asked.get("authorization") for asked in service.runtime.headers}


def test_the_callers_token_is_the_only_thing_sent(forwarding: Service) -> None:
    ada = token(forwarding, "ada")
    assert forwarding.get(token=ada).status_code == 200
    assert credentials(forwarding) == {f"Bearer {ada}"}


def test_nothing_is_asked_before_there_is_a_caller(forwarding: Service) -> None:
    assert json.loads(forwarding.client.get("/readyz").data)["runtime"] == "unknown"
    assert forwarding.client.get(RUN).status_code == 401
    assert forwarding.runtime.headers == []


def test_each_caller_is_fetched_for_with_its_own_token_and_sees_its_own(forwarding: Service) -> None:
    seen: dict[str, str] = {}
    for subject in ("ada", "bob", "ada", "bob"):
        forwarding.runtime.say("metrics", 200, resources(tag=f"for {subject}"))
        answer = forwarding.get(TAGS, token=seen.setdefault(subject, token(forwarding, subject)))
        assert json.loads(answer.data)["tags"] == [{"name": "whose", "value": f"for {subject}"}]
    assert forwarding.runtime.asked["metrics"] == 2
    assert credentials(forwarding) == {f"Bearer {given}" for given in seen.values()}


def test_the_same_subject_with_other_rights_is_another_caller(forwarding: Service) -> None:
    for number in range(2):
        forwarding.get(TAGS, token=token(forwarding, "ada", rights=number))
    assert forwarding.runtime.asked["metrics"] == 2


def test_two_processes_share_what_was_fetched_for_one_caller(surroundings: Surroundings) -> None:
    with surroundings.service(RuntimeAuth.FORWARD) as one, surroundings.service(RuntimeAuth.FORWARD) as other:
        ada = token(one, "ada")
        assert one.get(TAGS, token=ada).data == other.get(TAGS, token=ada).data
        assert surroundings.runtime.asked["metrics"] == 1


def test_a_caller_whom_the_runtime_refuses_gets_nothing_of_anothers(forwarding: Service) -> None:
    ada, bob = token(forwarding, "ada"), token(forwarding, "bob")
    tag = forwarding.get(token=ada).headers["ETag"]
    for what in ("meta", "metrics", "execution"):
        forwarding.runtime.say(what, 403, {"error": {"message": "secret words of the runtime"}})
    assert forwarding.get(token=bob, Cache_Control="only-if-cached").status_code == 504
    for condition in ({}, {"If_None_Match": tag}, {"If_None_Match": "*"}, {"Cache_Control": "only-if-cached"}):
        answer = forwarding.get(token=bob, **condition)
        assert answer.status_code == 403
        assert b"secret words" not in answer.data
        assert "ETag" not in answer.headers
    assert forwarding.get(token=ada).headers["Cache-Status"].startswith("metric-resource; hit")


def test_no_token_and_no_cookie_reaches_the_store(forwarding: Service) -> None:
    forwarding.runtime.sends = {"Set-Cookie": "session=of-the-runtime; Path=/"}
    ada = token(forwarding, "ada")
    forwarding.get(token=ada)
    for key in cast(list[bytes], forwarding.valkey.ask("KEYS", "*")):
        if forwarding.valkey.ask("TYPE", key) == b"string":
            value = cast(bytes, forwarding.valkey.ask("GET", key))
            assert ada.encode() not in key + value
            assert ada.split(".")[2].encode() not in key + value
            assert b"of-the-runtime" not in value


@pytest.mark.parametrize("auth", [RuntimeAuth.FORWARD, RuntimeAuth.NONE])
def test_cookies_of_the_runtime_are_neither_kept_nor_passed_on(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    surroundings.runtime.sends = {"Set-Cookie": "session=of-the-runtime; Path=/"}
    with surroundings.service(auth) as service:
        for subject in ("ada", "bob"):
            for run in ("run1", "run2"):
                answer = service.get(f"/runs/{run}/tags", token=token(service, subject), Cache_Control="no-cache")
                assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
        assert len(service.runtime.headers) >= 8
        assert not [asked for asked in service.runtime.headers if "cookie" in asked]


def test_without_credentials_the_callers_token_stays_here(service: Service) -> None:
    assert service.get().status_code == 200
    assert credentials(service) == {None}


def test_with_credentials_of_its_own_the_callers_token_stays_here(surroundings: Surroundings, tmp_path) -> None:
    with running(Options(with_keys(tmp_path), port=0)) as sandbox:
        client: dict[str, Any] = {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "token_url": f"{parts_of(sandbox).public_url}/oauth/token",
        }
        with surroundings.service(RuntimeAuth.SERVICE, **client) as service:
            assert service.get().status_code == 200
            (sent,) = credentials(service)
            assert sent is not None
            assert sent.startswith("Bearer ")
            assert service.token not in sent
            surroundings.runtime.say("metrics", 401, {})
            surroundings.runtime.say("execution", 401, {})
            assert service.get("/runs/run2/tags").status_code == 502, "and not tried again as the caller"
            assert all(service.token not in str(asked) for asked in service.runtime.headers)


def test_a_caller_refused_by_its_role_is_not_forwarded(forwarding: Service) -> None:
    assert forwarding.get(token=forwarding.issuer.mint(roles=["scenario_job_editor"])).status_code == 403
    assert forwarding.runtime.headers == []


def resources(tag: str) -> dict[str, object]:
    one = {"executionId": "run1", "metrics": [], "tags": [{"name": "whose", "value": tag}]}
    return {"count": 1, "resources": [one]}
