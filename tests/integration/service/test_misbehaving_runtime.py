"""A runtime that misbehaves, as a caller sees it: each fault has one decided answer, and none of them leaks."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from service.app import close, create_app
from service.sandbox.issuer import Issuer
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.waiting import eventually
from tests.integration.transport.servers import HEAD_OK, Reply, Request, raw, reply, serving, silence, trickle
from tests.rows import each_row
from tests.servers.scripted_runtime import META, POINT

SECRET = "c0nf1dent1al"
"""Is in every fault that has room for it, and must never come out."""
TIMEOUT = 60.0
"""Longer than any answer that comes takes, however busy the machine is."""
SHORT = 1.0
"""For answers that never come."""
GATEWAY, UNAVAILABLE, TIMED_OUT = (502, "bad-gateway"), (503, "runtime-unavailable"), (504, "runtime-timeout")
LIMITED, MISSING = (429, "too-many-requests"), (404, "run-not-found")


def resource(**members: object) -> dict[str, object]:
    return {"executionId": "run1", "metrics": [POINT], **members}


def resources(*found: object) -> bytes:
    return json.dumps({"count": len(found), "resources": found, "private": SECRET}).encode()


def point(**members: object) -> bytes:
    return resources(resource(metrics=[{**POINT, **members}]))


def valued(literal: str) -> bytes:
    return point(value=0.5).replace(b"0.5", literal.encode())


def bomb() -> bytes:
    """512 MiB of nothing in some 500 KiB."""
    packer = zlib.compressobj(9, wbits=31)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return reply(first + again * 511, headers={"Content-Encoding": "gzip", "X-Secret": SECRET})


FAULTS: dict[str, tuple[Reply, tuple[int, str]]] = {
    "the same run twice": (reply(resources(resource(), resource())), GATEWAY),
    "another run": (reply(resources(resource(executionId="run2"))), GATEWAY),
    "no run id": (reply(resources({"metrics": [POINT]})), GATEWAY),
    "no resources": (reply(json.dumps({"count": 0, "private": SECRET}).encode()), GATEWAY),
    "resources of a wrong type": (reply(json.dumps({"resources": {SECRET: 1}}).encode()), GATEWAY),
    "a list": (reply(json.dumps([SECRET]).encode()), GATEWAY),
    "a number": (reply(b"42"), GATEWAY),
    "null": (reply(b"null"), GATEWAY),
    "metrics of a wrong type": (reply(resources(resource(metrics=SECRET))), GATEWAY),
    "a name of a wrong type": (reply(point(name=7)), GATEWAY),
    "labels of a wrong type": (reply(point(labels=[{"name": SECRET}])), GATEWAY),
    "nothing": (reply(b""), GATEWAY),
    "204": (reply(b"", status=204), GATEWAY),
    "201": (reply(resources(resource()), status=201), GATEWAY),
    "not JSON": (reply(SECRET.encode()), GATEWAY),
    "not UTF-8": (reply(point(name="x").replace(b'"x"', b'"\xff\xfe"')), GATEWAY),
    "HTML": (reply(f"<html>{SECRET}</html>".encode(), headers={"Content-Type": "text/html"}), GATEWAY),
    "HTML as 404": (reply(f"<html>{SECRET}".encode(), status=404, headers={"Content-Type": "text/html"}), GATEWAY),
    "HTML as 500": (reply(f"<html>{SECRET}</html>".encode(), status=500), UNAVAILABLE),
    "400": (reply(json.dumps({"error": {"message": SECRET}}).encode(), status=400), GATEWAY),
    "418": (reply(SECRET.encode(), status=418), GATEWAY),
    "too deep": (reply(b'{"resources": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"), GATEWAY),
    "deep where it is ignored": (reply(b'{"resources": [], "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"), GATEWAY),
    "a redirect": (reply(status=302, headers={"Location": f"http://{SECRET}.example/"}), GATEWAY),
    "a permanent redirect": (reply(status=308, headers={"Location": "/v2/lm/metrics"}), GATEWAY),
    "huge headers": (reply(resources(resource()), headers={"X-Huge": SECRET * 20_000}), GATEWAY),
    "many headers": (reply(headers={f"X-{number}": SECRET for number in range(2000)}), GATEWAY),
    "not HTTP": (raw(f"SSH-2.0-{SECRET}\r\n".encode()), GATEWAY),
    "a body cut off": (raw(HEAD_OK + b"Content-Length: 1000\r\n\r\n{"), UNAVAILABLE),
    "a connection cut off": (raw(b"", reset=True), UNAVAILABLE),
    "a byte a second": (trickle(HEAD_OK + b"Content-Length: 100000\r\n\r\n", 1.0), TIMED_OUT),
    "silence": (silence, TIMED_OUT),
    "a bomb": (bomb(), GATEWAY),
    "not what its coding says": (reply(b"{}", headers={"Content-Encoding": "gzip"}), GATEWAY),
    "an unknown coding": (reply(b"{}", headers={"Content-Encoding": "sdch"}), GATEWAY),
    "401": (reply(SECRET.encode(), status=401), GATEWAY),
    "429": (reply(SECRET.encode(), status=429, headers={"Retry-After": "70"}), LIMITED),
    "500": (reply(SECRET.encode(), status=500), UNAVAILABLE),
    "503": (reply(SECRET.encode(), status=503, headers={"Retry-After": "90"}), UNAVAILABLE),
    "504": (reply(SECRET.encode(), status=504), UNAVAILABLE),
}
ENDING = {"401"}
"""No stored answer stands in: access may have been withdrawn."""
LATE = {"a byte a second", "silence"}
"""They last as long as the service waits."""
LASTING = {"429", "503"}
"""The runtime says when to come again, and nobody asks it before."""
NONE = reply(b'{"error": {"code": "02010055", "message": "Metrics was not found"}}', status=501)

BORNE: dict[str, tuple[bytes, object]] = {
    "unknown fields": (point(unit="percent"), 0.5),
    "NaN": (valued("NaN"), "NaN"),
    "Infinity": (valued("Infinity"), "Infinity"),
    "-Infinity": (valued("-Infinity"), "-Infinity"),
    "a number beyond what doubles hold": (valued("1e999"), math.inf),
    "a large integer": (valued("123456789012345678901234567890"), 123456789012345678901234567890),
}


class Runtime:
    """A good runtime but for what it says of metrics, or of the run. Whichever run it is asked for, it says it of that."""

    def __init__(self) -> None:
        self.metrics: Reply = reply(resources(resource()))
        self.execution: Reply = reply(b'{"id": "run1", "status": "RUNNING"}')
        self.meta: Reply = reply(json.dumps(META).encode())

    def __call__(self, request: Request) -> Reply:
        if "/lm/meta" in request.target:
            return self.meta
        said = self.metrics if "/lm/metrics" in request.target else self.execution
        asked = re.search("r[0-9]{3}", request.target)
        return said.replace(b"run1", asked[0].encode()) if asked and isinstance(said, bytes) else said


class Caller:
    """Asks the service over the runtime, for one run until it has recovered."""

    def __init__(self, runtime: Runtime, get: Callable[..., Any]) -> None:
        self.runtime = runtime
        self._get = get
        self._runs = (f"r{number:03d}" for number in count())
        self._run = next(self._runs)

    def get(self, cache_control: str = "") -> Any:
        return self._get(f"/runs/{self._run}/metric-resource", cache_control)

    def recover(self) -> None:
        """The runtime is a good one again, from this moment on, and further runs can be asked for."""
        self.runtime.metrics = Runtime().metrics
        self._run = next(self._runs)
        assert self.get().status_code == 200
        self._run = next(self._runs)


@pytest.fixture
def caller(issuer: Issuer) -> Iterator[Caller]:
    with calling(issuer, TIMEOUT) as made:
        yield made


@contextmanager
def calling(issuer: Issuer, timeout: float) -> Iterator[Caller]:
    token = issuer.mint(roles=["scenario_metric_viewer"])
    runtime = Runtime()
    with serving(runtime) as server:
        settings = Settings(
            RuntimeSettings(f"{server.url}/v2", auth=RuntimeAuth.NONE, timeout=timeout, connect_timeout=TIMEOUT),
            AuthSettings(issuers=(issuer.url,), audiences=("metric-resource",)),
            CacheSettings(fresh_running=60, min_refresh=0),
        )
        app = create_app(settings)
        client = app.test_client()

        def get(path: str, cache_control: str) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            return client.get(path, headers=headers | ({"Cache-Control": cache_control} if cache_control else {}))

        try:
            yield Caller(runtime, get)
        finally:
            close(app)


def problem_that_leaks_nothing(caller: Caller, fault: str) -> tuple[int, str]:
    """What the caller is answered: status and type."""
    caller.runtime.metrics, expected = FAULTS[fault]
    answer = caller.get()
    assert answer.content_type == "application/problem+json"
    for shown in (answer.data, str(answer.headers).encode()):
        assert SECRET.encode() not in shown
        assert b"127.0.0.1" not in shown
    assert (expected[0] in {429, 503}) == ("Retry-After" in answer.headers)
    return answer.status_code, json.loads(answer.data)["type"].rpartition(":")[2]


@each_row("fault", sorted(FAULTS.keys() - LASTING - LATE))
def test_each_fault_is_a_problem_that_leaks_nothing_and_is_over_with_it(caller: Caller, fault: str) -> None:
    assert problem_that_leaks_nothing(caller, fault) == FAULTS[fault][1]
    caller.recover()


@pytest.mark.parametrize("fault", sorted(LATE))
def test_an_answer_that_never_comes_is_a_problem_that_leaks_nothing(issuer: Issuer, fault: str) -> None:
    with calling(issuer, SHORT) as caller:
        assert problem_that_leaks_nothing(caller, fault) == FAULTS[fault][1]
        caller.runtime.metrics = Runtime().metrics
        eventually(lambda: caller.get().status_code == 200)  # it may be late by chance as well


@pytest.mark.parametrize("fault", sorted(LASTING))
def test_a_fault_that_lasts_is_a_problem_that_leaks_nothing(caller: Caller, fault: str) -> None:
    assert problem_that_leaks_nothing(caller, fault) == FAULTS[fault][1]


def test_a_501_beside_the_extension_says_that_nothing_was_logged(caller: Caller) -> None:
    caller.runtime.metrics = NONE
    answer = caller.get()
    assert (answer.status_code, json.loads(answer.data)["metrics"]) == (200, [])


@pytest.mark.parametrize("status", [404, 501])
def test_a_501_of_a_runtime_that_does_not_describe_itself_says_that_it_has_no_metrics(
    caller: Caller, status: int
) -> None:
    caller.runtime.meta = reply(b"{}", status=status)
    caller.runtime.metrics = NONE
    answer = caller.get()
    assert (answer.status_code, json.loads(answer.data)["type"]) == (501, "urn:metric-resource:metrics-not-supported")


Answered = tuple[int, bytes, str]


def good_and_stale(caller: Caller, fault: str) -> tuple[Answered, Answered]:
    """Status, body and entity tag of an answer, and of the one in its place under that fault, which says so."""
    good = caller.get()
    assert good.status_code == 200
    caller.runtime.metrics = FAULTS[fault][0]
    stale = caller.get("max-age=0")
    assert stale.headers["Cache-Status"].endswith("; detail=stale-if-error")
    assert stale.headers["Cache-Status"].startswith("metric-resource; hit; ttl=")
    assert "Age" in stale.headers
    first, second = ((each.status_code, each.data, each.headers["ETag"]) for each in (good, stale))
    return first, second


@each_row("fault", sorted(FAULTS.keys() - ENDING - LASTING - LATE))
def test_the_last_good_answer_stands_in(caller: Caller, fault: str) -> None:
    good, stale = good_and_stale(caller, fault)
    assert stale == good
    caller.recover()


@pytest.mark.parametrize("fault", sorted(LATE))
def test_the_last_good_answer_stands_in_for_one_that_never_comes(issuer: Issuer, fault: str) -> None:
    with calling(issuer, SHORT) as caller:
        eventually(lambda: caller.get().status_code == 200)
        good, stale = good_and_stale(caller, fault)
        assert stale == good


@pytest.mark.parametrize("fault", sorted(LASTING))
def test_the_last_good_answer_stands_in_while_a_fault_lasts(caller: Caller, fault: str) -> None:
    good, stale = good_and_stale(caller, fault)
    assert stale == good


@pytest.mark.parametrize(
    ("what", "ending", "expected"),
    [
        ("metrics", FAULTS["401"][0], 502),
        ("metrics", reply(b"{}", status=403), 502),
        ("execution", reply(b'{"error": {}}', status=403), 502),
        ("execution", reply(b'{"error": {}}', status=404, headers={"Content-Type": "application/json"}), 404),
        ("execution", reply(b'{"error": {}}', status=410, headers={"Content-Type": "application/json"}), 404),
    ],
)
def test_a_refusal_or_an_absence_ends_it_at_once(caller: Caller, what: str, ending: Reply, expected: int) -> None:
    assert caller.get().status_code == 200
    setattr(caller.runtime, what, ending)
    assert caller.get("max-age=0").status_code == expected
    caller.runtime.metrics = caller.runtime.execution = reply(b"", status=500)
    assert caller.get("max-age=0").status_code in {503, expected}, "nothing stands in afterwards either"


@each_row("odd", BORNE)
def test_what_is_odd_and_borne(caller: Caller, odd: str) -> None:
    body, value = BORNE[odd]
    caller.runtime.metrics = reply(body, headers={"Content-Type": "application/x-whatever"})
    answer = caller.get()
    assert answer.status_code == 200
    assert json.loads(answer.data)["metrics"][0]["value"] == value
    caller.recover()
