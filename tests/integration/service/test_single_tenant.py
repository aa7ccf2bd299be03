"""A runtime that says ``multitenant: false`` is named no resource group: by any process, from the first request on."""

from __future__ import annotations

import json
import threading

import pytest

from service.settings import RuntimeAuth
from tests.integration.service.conftest import Service, Surroundings
from tests.servers.scripted_runtime import META, ScriptedRuntime

SINGLE = {**META, "aiApi": {"version": "2.18.0", "capabilities": {"multitenant": False}}}
EVERY_WAY = pytest.mark.parametrize("auth", [RuntimeAuth.NONE, RuntimeAuth.FORWARD])


def groups_named(runtime: ScriptedRuntime) -> set[str | None]:
    return {asked.get("ai-resource-group") for asked in runtime.headers if "/lm/meta" not in asked["path"]}


def read(service: Service, run: str = "run1", group: str = "group-a", **headers: str) -> int:
    answer = service.get(f"/runs/{run}/tags", AI_Resource_Group=group, **headers)
    return int(answer.status_code)


@EVERY_WAY
def test_no_group_is_named_not_even_by_the_first_request(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    surroundings.runtime.say("meta", 200, SINGLE)
    with surroundings.service(auth) as service:
        assert [read(service), read(service, "run2")] == [200, 200]
    assert groups_named(surroundings.runtime) == {None}


@EVERY_WAY
def test_a_multitenant_runtime_is_always_named_the_group(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    with surroundings.service(auth) as service:
        assert [read(service), read(service, group="group-b")] == [200, 200]
    assert groups_named(surroundings.runtime) == {"group-a", "group-b"}


@EVERY_WAY
def test_another_process_knows_it_too(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    surroundings.runtime.say("meta", 200, SINGLE)
    with surroundings.service(auth) as one, surroundings.service(auth) as other:
        assert read(one) == 200
        surroundings.runtime.say("meta", 500, {})
        assert json.loads(other.get("/capabilities", token=one.token).data)["runtime"]["identifier"] == "scripted"
        assert other.get("/runs/run2/tags", token=one.token).status_code == 200
    assert groups_named(surroundings.runtime) == {None}


@EVERY_WAY
def test_many_first_requests_at_once_name_no_group(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    surroundings.runtime.say("meta", 200, SINGLE, wait=0.3)
    with surroundings.service(auth) as service:
        readers = [threading.Thread(target=read, args=(service, f"run{number}")) for number in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert groups_named(surroundings.runtime) == {None}
    assert surroundings.runtime.asked["meta"] <= 3


@pytest.mark.parametrize("meta", [(500, {}), (404, {}), (200, b"<html>")], ids=str)
def test_a_runtime_that_does_not_tell_is_named_the_group(surroundings: Surroundings, meta: tuple[int, object]) -> None:
    surroundings.runtime.say("meta", *meta)
    with surroundings.service() as service:
        assert read(service) == 200
        assert groups_named(surroundings.runtime) == {"group-a"}


def test_what_it_says_later_counts(surroundings: Surroundings) -> None:
    with surroundings.service() as service:
        read(service)
        surroundings.runtime.say("meta", 200, SINGLE)
        service.get("/capabilities", Cache_Control="no-cache")
        surroundings.runtime.headers.clear()
        read(service, "run2")
    assert groups_named(surroundings.runtime) == {None}


def test_a_callers_groups_hold_all_the_same(surroundings: Surroundings) -> None:
    surroundings.runtime.say("meta", 200, SINGLE)
    with surroundings.service() as service:
        restricted = service.issuer.mint(roles=["scenario_metric_viewer"], resource_groups=["group-a"])
        for group, status in (("group-a", 200), ("group-b", 403)):
            answer = service.get("/runs/run1/tags", token=restricted, AI_Resource_Group=group)
            assert answer.status_code == status
