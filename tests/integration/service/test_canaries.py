"""Nobody ever sees what is another's: random reads, side by side, of a runtime with a canary for each tenant and group.

Two services on one store, one that asks the runtime as itself and one that forwards its callers' tokens. ``make test-slow``
reads more, ``CANARY_READS`` says how many.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, cast

import pytest
from flask import Flask, request_started

from service.app import close, create_app
from service.concurrency.pushed_body import PushedBody
from service.sandbox.issuer import Issuer
from service.settings import AuthSettings, CacheSettings, ConnectionSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.waiting import eventually
from tests.servers.canary_runtime import ONLY_IN, SHARED_RUNS, UNKNOWN_RUN, CanaryRuntime, before
from tests.servers.scripted_runtime import serving
from tests.servers.valkey import ValkeyServer

FEW, MANY = 800, int(os.environ.get("CANARY_READS", "8000"))
"""Reads: of ``make test``, and of ``make test-slow``."""
THREADS = 4
BURST = 8
TENANTS = ("tenant-1", "tenant-2")
GROUPS = ("group-a", "group-b", "group-c")
CONNECTIONS = {"default": TENANTS, "other": TENANTS, "of-one": TENANTS[:1]}
"""The tenants that may use each."""
CANARY = re.compile(rf'(?:{"|".join(CONNECTIONS)})\|[^"\\ ]*')
"""However a text goes on before and behind it."""
ASKED = ("default",) * 5 + ("other",) * 2 + ("of-one",)
"""How often each is asked for: often enough the same that stored answers are met."""
ROLES: dict[str, dict[str, Any]] = {
    "by role": {"roles": ["scenario_metric_viewer", "scenario_execution_viewer"]},
    "by collection": {"role_collections": ["ailaunchpad_mloperations_viewer"]},
    "by scope": {"scopes": ["scenarios.metrics.read"]},
    "editor": {"roles": ["scenario_job_editor"]},
    "none": {},
}
METRICS, EXECUTIONS = "scenarios.metrics.read", "scenarios.executions.read"
LOGS = "scenarios.executions.logs.read"
SEES: dict[str, set[str]] = {
    "by role": {METRICS, EXECUTIONS, LOGS},
    "by collection": {METRICS, EXECUTIONS, LOGS},
    "by scope": {METRICS},
    "editor": {EXECUTIONS},
    "none": set(),
}
RESTRICTIONS: tuple[tuple[str, ...], ...] = ((), ("group-a",), ("group-b", "group-c"))
ZONES = {
    "UTC": "01:00:00Z",
    "Europe/Berlin": "03:00:00+02:00",
    "Asia/Tokyo": "10:00:00+09:00",
    "-03:30": "21:30:00-03:30",
}
NEEDS: dict[str, set[str]] = {
    "metric-resource": {METRICS},
    "metric-resource/series": {METRICS},
    "metric-resource/chart": {METRICS},
    "tags": {METRICS},
    "custom-info": {METRICS},
    "logs": {LOGS},
    "checks": {METRICS},
    "run": {EXECUTIONS},
    "runs": {EXECUTIONS},
    "comparison": {METRICS, EXECUTIONS},
    "points": {METRICS},
    "metric-resource/events": {METRICS},
}
PARTS = tuple(NEEDS)
EVENTS = "metric-resource/events"
MOST_STREAMS = 40
"""Event streams kept open while others read, of each service."""
UNZONED = ("tags", "custom-info", "checks", "metric-resource/chart")


@dataclass(frozen=True)
class Caller:
    tenant: str
    subject: str
    role: str
    groups: tuple[str, ...]
    zone: str
    token: str = field(repr=False)

    def may_see(self, connection: str, group: str, part: str) -> bool:
        if self.tenant not in CONNECTIONS[connection]:
            return False
        return NEEDS[part] <= SEES[self.role] and (not self.groups or group in self.groups)


@dataclass(frozen=True)
class Read:
    """One question; ``whose`` is what it may see, ``tag`` an entity tag that came from any answer to anyone."""

    mode: str
    caller: Caller
    connection: str
    group: str
    run: str
    part: str
    zone: str
    tag: str | None
    extra: Mapping[str, str]

    @property
    def runs(self) -> list[str]:
        """The runs that are asked for, as far as this group has them."""
        asked = [self.run]
        if self.part == "runs":
            asked = [*SHARED_RUNS, *ONLY_IN]
        elif self.part in {"comparison", "points"}:
            asked = [self.run, self.other]
        return [run for run in asked if run != UNKNOWN_RUN and ONLY_IN.get(run, self.group) == self.group]

    @property
    def other(self) -> str:
        """What the run is compared with."""
        return SHARED_RUNS[self.run == SHARED_RUNS[0]]

    @property
    def url(self) -> tuple[str, str]:
        """Path and query."""
        if self.part == "runs":
            return "/runs", ""
        if self.part == "comparison":
            return "/comparisons", f"run={self.run}&run={self.other}"
        if self.part == "checks":
            return f"/runs/{self.run}/checks", "expect=nothing:last<1"
        if self.part == "points":
            return "/points", f"run={self.run}&run={self.other}"
        if self.part == "metric-resource/chart":
            return f"/runs/{self.run}/{self.part}", "x=elapsed"
        return f"/runs/{self.run}" + ("" if self.part == "run" else f"/{self.part}"), ""

    def whose_are(self, runs: list[str]) -> list[str]:
        """How each canary of ``runs`` begins that may be seen."""
        caller = self.caller.subject if self.mode == "forward" else ""
        return ["|".join((self.connection, self.caller.tenant, self.group, run, caller, "")) for run in runs]

    @property
    def representation(self) -> tuple[str, ...]:
        run = "" if self.part == "runs" else self.run
        return (self.mode, *self.whose_are(self.runs), run, self.part, "" if self.part in UNZONED else self.zone)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Pushed:
    """What a stream is given behind its beginning."""

    def __init__(self, stream: PushedBody) -> None:
        self.stream = stream
        self.text = b""

    def send(self, data: bytes) -> bool:
        self.text += data
        return True

    def finish(self) -> None:
        """It is looked at when all is over."""


class World:
    """Callers, services, and what was seen."""

    def __init__(self, apps: Mapping[str, Flask], callers: list[Caller]) -> None:
        self._lock = threading.Lock()
        self.apps = apps
        self.callers = callers
        self.tags: dict[str, tuple[str, ...]] = {}
        self.refusals: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.foreign: list[tuple[Read, Answer]] = []
        self.streams: dict[str, list[tuple[Read, Pushed]]] = {mode: [] for mode in apps}
        self.dispatched = dict.fromkeys(apps, 0)
        self._counters = [self._count(mode, app) for mode, app in apps.items()]

    def _count(self, mode: str, app: Flask) -> Callable[..., None]:
        """Count the requests that reach Flask: the others were answered by the response cache."""

        def count(_app: Flask, **_: Any) -> None:
            with self._lock:
                self.dispatched[mode] += 1

        request_started.connect(count, app)
        return count

    def any_read(self, dice: random.Random, part: str | None = None) -> Read:
        """One of ``part``, if it is said: of what has no zone, none is asked for."""
        caller = dice.choice(self.callers)
        tag = None
        if dice.random() < 0.4:
            tag = dice.choice([*dice.sample(list(self.tags), min(3, len(self.tags))), "*"])
        extra: dict[str, str] = {}
        if dice.random() < 0.02:
            extra["HTTP_CACHE_CONTROL"] = dice.choice(["no-cache", "max-age=0", "no-store", "only-if-cached"])
        how = dice.choice(["query", "header", "claim"])
        zone = caller.zone if how == "claim" else dice.choice(list(ZONES))
        if how == "query":
            extra["QUERY_STRING"] = "timezone=" + zone.replace("+", "%2B")
        elif how == "header":
            extra["HTTP_TIME_ZONE"] = zone
        part = part or dice.choice(PARTS)
        if part in UNZONED:
            extra.pop("QUERY_STRING", None)
        runs = (*SHARED_RUNS, *ONLY_IN, UNKNOWN_RUN)
        mode = dice.choice(list(self.apps))
        return Read(mode, caller, dice.choice(ASKED), dice.choice(GROUPS), dice.choice(runs), part, zone, tag, extra)

    def burst(self, dice: random.Random) -> list[Read]:
        """One question put by a few callers who differ in role and groups only, so that most can be answered from the
        response cache if their caller may be answered at all."""
        first = self.any_read(dice)
        alike = [caller for caller in self.callers if self._alike(caller, first.caller)]
        return [replace(first, caller=caller) for caller in dice.choices(dice.sample(alike, 3), k=BURST)]

    @staticmethod
    def _alike(one: Caller, other: Caller) -> bool:
        return (one.tenant, one.zone) == (other.tenant, other.zone)

    def ask(self, read: Read) -> Answer:
        """The answer of the whole service, the response cache in front of Flask included."""
        path, query = read.url
        given = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "SERVER_NAME": "service",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "HTTP_AUTHORIZATION": f"Bearer {read.caller.token}",
            **({} if read.connection == "default" else {"HTTP_AI_CONNECTION": read.connection}),
            "HTTP_AI_RESOURCE_GROUP": read.group,
            "HTTP_X_REQUEST_ID": f"{read.caller.tenant}.{read.caller.subject}",
            **read.extra,
            "QUERY_STRING": "&".join(filter(None, (query, read.extra.get("QUERY_STRING")))),
        }
        if read.tag is not None:
            given["HTTP_IF_NONE_MATCH"] = read.tag
        started: list[Any] = []
        made = self.apps[read.mode](given, cast(Any, lambda status, headers, _=None: started.extend((status, headers))))
        body = b"".join(made.beginning() if isinstance(made, PushedBody) else made)
        if isinstance(made, PushedBody):
            self._keep(read, made)
        return Answer(int(started[0][:3]), dict(started[1]), body)

    def _keep(self, read: Read, stream: PushedBody) -> None:
        """Have some streams go on to the end of the test."""
        with self._lock:
            if len(self.streams[read.mode]) < MOST_STREAMS:
                pushed = Pushed(stream)
                self.streams[read.mode].append((read, pushed))
                stream.attach(pushed)
                return
        stream.close()

    def foreign_events(self) -> list[tuple[Read, bytes]]:
        """What streams were given that is not their reader's."""
        return [
            (read, pushed.text)
            for streams in self.streams.values()
            for read, pushed in streams
            if not _are_own_events(read, pushed.text)
        ]

    def has_seen_all(self, mode: str, reads: int) -> bool:
        """Whether each kind of answer was among the ``reads`` often enough."""
        return all(self.seen[f"{mode} {status}"] > reads / 500 for status in (200, 304, 403, 404))

    def close(self) -> None:
        for streams in self.streams.values():
            for _, pushed in streams:
                pushed.stream.close()

    def check(self, read: Read, answer: Answer) -> None:
        """Count the answer, and keep it where there is anything in it that is not the caller's."""
        self.seen[f"{read.mode} {answer.status}"] += 1
        if not self._is_right(read, answer):
            self.foreign.append((read, answer))

    def _is_right(self, read: Read, answer: Answer) -> bool:
        if not read.caller.may_see(read.connection, read.group, read.part):
            self.refusals.add(_without_ids(answer.body))
            return (
                answer.status == 403 and b"|" not in answer.body and not {"ETag", "Cache-Status"} & set(answer.headers)
            )
        if answer.status == 503:
            return b"urn:metric-resource:overloaded" in answer.body and b"|" not in answer.body
        if answer.status == 504:
            return read.extra.get("HTTP_CACHE_CONTROL") == "only-if-cached" and b"|" not in answer.body
        if not read.runs:
            return answer.status == 404 and b"|" not in answer.body
        if answer.status == 304:
            return read.tag == "*" or self.tags[str(read.tag)] == read.representation
        if answer.status != 200:
            return False
        if read.part == EVENTS:
            return b"event: points" in answer.body and _are_own_events(read, answer.body)
        whose = self.tags.setdefault(answer.headers["ETag"], read.representation)
        return whose == read.representation and _is_own(read, answer.body)


def _are_own_events(read: Read, text: bytes) -> bool:
    (own,) = read.whose_are(read.runs)
    zoned = text.count(b'"timestamp":') == text.count(ZONES[read.zone].encode())
    return zoned and all(canary.startswith(own) for canary in CANARY.findall(text.decode()))


def _is_own(read: Read, body: bytes) -> bool:
    document = json.loads(body)
    if read.part == "metric-resource/chart":
        return _is_own_chart(read, document, body.decode())
    if read.part not in UNZONED and (document["timezone"] != read.zone or ZONES[read.zone].encode() not in body):
        return False
    canaries = {*CANARY.findall(body.decode())}
    runs = [run for run in read.runs if run not in _not_read(read, document)]
    own = read.whose_are(runs)
    seen = {begin for canary in canaries for begin in own if canary.startswith(begin)}
    given = document.get("points") or document.get("runs") or [document]
    named = sorted({one["runId"] for one in given})
    foreign = [canary for canary in canaries if not canary.startswith(tuple(own))]
    return not foreign and seen == set(own) and named == sorted(runs)


def _is_own_chart(read: Read, document: dict[str, Any], text: str) -> bool:
    """Points are the run's, and so is the start that their time is counted from."""
    (own,) = read.whose_are(read.runs)
    named = CANARY.findall(text)
    (row,) = document["data"]["values"]
    return (
        len(named) > 1
        and all(name.startswith(own) or own.startswith(name.rstrip("….:")) for name in named)
        and row["at"] == f"{before(own.removesuffix('|'))} s"
        and f"Run {read.run}" in document["title"]["subtitle"]
    )


def _not_read(read: Read, document: dict[str, Any]) -> set[str]:
    """The runs of a comparison that could rightly not be read: not stored where nothing else was wanted, or refused."""
    allowed = {"urn:metric-resource:overloaded"}
    if read.extra.get("HTTP_CACHE_CONTROL") == "only-if-cached":
        allowed.add("urn:metric-resource:not-stored")
    return {missing["runId"] for missing in document.get("missing", ()) if missing["problem"]["type"] in allowed}


def _groups_are_own(world: World) -> bool:
    """Resource groups are those of the token, else those that the runtime has for the caller's own tenant."""
    callers = [caller for caller in world.callers if caller.zone == "UTC" and caller.role in {"by role", "none"}]
    for (mode, app), connection, caller in product(2 * [*world.apps.items()], CONNECTIONS, callers):
        headers = {
            "Authorization": f"Bearer {caller.token}",
            "AI-Connection": connection,
            "X-Request-ID": f"{caller.tenant}.{caller.subject}",
        }
        answer = app.test_client().get("/resource-groups", headers=headers)
        if caller.tenant not in CONNECTIONS[connection]:
            if answer.status_code != 403:
                return False
            continue
        own = "|".join((connection, caller.tenant, caller.subject if mode == "forward" else ""))
        if [one["id"] for one in json.loads(answer.data)["resourceGroups"]] != (list(caller.groups) or [own]):
            return False
    return True


def _without_ids(body: bytes) -> str:
    """A refusal without what the caller itself has said: path, request id and resource group."""
    document = json.loads(body)
    document.pop("instance"), document.pop("requestId")
    text = json.dumps(document, sort_keys=True)
    for group in GROUPS:
        text = text.replace(group, "<group>")
    return text


@pytest.fixture
def world(issuer: Issuer, valkey_server: ValkeyServer) -> Iterator[World]:
    auth = AuthSettings(issuers=(issuer.url,), audiences=("metric-resource",), tenant_claim="zid")
    cache = CacheSettings(
        redis_url=valkey_server.url, secret="a secret of the tests", fresh_running=2, min_refresh=0.05
    )
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serving(CanaryRuntime(name))).url for name in CONNECTIONS}
        apps = {
            auth_mode.value: create_app(settings(urls, auth_mode, auth, cache))
            for auth_mode in (RuntimeAuth.NONE, RuntimeAuth.FORWARD)
        }
        try:
            world = World(apps, callers(issuer))
            yield world
            world.close()
        finally:
            for app in apps.values():
                close(app)


def settings(urls: Mapping[str, str], auth_mode: RuntimeAuth, auth: AuthSettings, cache: CacheSettings) -> Settings:
    connections = tuple(
        ConnectionSettings(
            name, RuntimeSettings(url, auth=auth_mode), default=name == "default", tenants=CONNECTIONS[name]
        )
        for name, url in urls.items()
    )
    return Settings(connections[0].runtime, auth, cache, connections=connections)


def callers(issuer: Issuer) -> list[Caller]:
    """Of each tenant one for every role, restriction and zone, the subjects' names the same in both.

    All combinations: callers who differ in nothing but their groups share entries of the response cache.
    """
    found = []
    for tenant in TENANTS:
        for number, (role, groups, zone) in enumerate(product(ROLES, RESTRICTIONS, ZONES)):
            token = issuer.mint(
                subject=f"user-{number}", tenant=tenant, zone=zone, resource_groups=groups, **ROLES[role]
            )
            found.append(Caller(tenant, f"user-{number}", role, groups, zone, token))
    return found


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "reads", [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=[pytest.mark.slow])]
)
def test_no_canary_is_ever_seen_where_it_does_not_belong(
    world: World, reads: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "service")

    def read(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(reads // THREADS // BURST):
            for question in world.burst(dice):
                world.check(question, world.ask(question))

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(THREADS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    further, dice = 0, random.Random(THREADS)
    for mode, streams in world.streams.items():
        while not streams:  # dice may have chosen none that its caller may see
            question = replace(world.any_read(dice, EVENTS), mode=mode)
            world.check(question, world.ask(question))
            further += 1
    for mode in world.apps:
        while further < reads and not world.has_seen_all(mode, reads):  # which answers there are hangs on who was first
            question = replace(world.any_read(dice), mode=mode)
            answer = world.ask(question)
            world.check(question, answer)
            further += 1
            if answer.status == 200 and "ETag" in answer.headers:
                again = replace(question, tag=answer.headers["ETag"])
                world.check(again, world.ask(again))
                further += 1
    assert world.foreign[:3] == []
    for streams in world.streams.values():
        eventually(lambda streams=streams: all(b"event: points" in pushed.text for _, pushed in streams))
    assert world.foreign_events()[:3] == []
    assert sum(world.seen.values()) == reads // THREADS // BURST * BURST * THREADS + further
    for mode in world.apps:
        assert world.has_seen_all(mode, reads), world.seen
        assert world.seen[f"{mode} 503"] < reads / 100, "a few refreshes too many at once"
        asked = sum(number for seen, number in world.seen.items() if seen.startswith(f"{mode} "))
        assert asked - world.dispatched[mode] > reads / 500, "the response cache answered too little to be tried"
    assert len(world.refusals) == 6, (
        "one text for each missing scope, for the two of a comparison, for another's group, for another's connection"
    )
    assert _groups_are_own(world)
