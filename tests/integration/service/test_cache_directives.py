"""RFC 9111, 5.2.1: what a request's directives do, by HTTP, with what RFC 9111 and RFC 9211 have the answer say.

Time is not waited for: an entry's age is what its sealed header in Redis says, so the tests write that header anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import msgspec
import pytest
import redis
from flask.testing import FlaskClient

from service.app import close, create_app
from service.caching.codec import Sealer
from service.sandbox.issuer import Issuer
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.waiting import eventually
from tests.rows import each_row
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.valkey import ValkeyServer

SECRET = "a secret of the tests"
FRESH, REVALIDATE, ON_ERROR, MIN_REFRESH = 60, 30, 600, 20
HIT = r"hit; ttl=\d+"
STALE = r"hit; ttl=-\d+; detail=stale-while-revalidate"
STANDS_IN = r"hit; ttl=-?\d+; detail=stale-if-error"
OVER_STALE, ON_REQUEST = "fwd=stale; stored", "fwd=request; stored"

TABLE: list[tuple[str, int, str, int, str]] = [
    # the request's Cache-Control, the stored answer's age, `Cache-Status`, the status, and why
    ("", 10, HIT, 200, "fresh"),
    ("", 70, STALE, 200, "stale, given while it is refreshed (RFC 5861, 3)"),
    ("", 100, OVER_STALE, 200, "too stale to be given"),
    ("", 100_000, "fwd=(miss|stale); stored", 200, "expired"),
    ("max-age=20", 10, HIT, 200, "5.2.1.1: young enough"),
    ("max-age=5", 25, ON_REQUEST, 200, "5.2.1.1: older than asked for"),
    ("max-age=0", 0, HIT, 200, "polls are content with what is younger than CACHE_MIN_REFRESH"),
    ("max-age=0", 25, ON_REQUEST, 200, "5.2.1.1: a new one is wanted"),
    ("max-age=0, no-store", 0, HIT, 200, "that goes for them as well"),
    ("max-age=0, no-cache", 0, ON_REQUEST, 200, "5.2.1.4: no-cache is content with nothing stored"),
    ("min-fresh=1000", 0, HIT, 200, "nothing is ever fresh for so long, however often it is fetched"),
    ("min-fresh=1000", 25, ON_REQUEST, 200, "5.2.1.3"),
    ("max-age=1000", 70, OVER_STALE, 200, "5.2.1.1: young enough, and stale: max-age does not allow that"),
    ("max-stale", 100, STALE, 200, "5.2.1.2: however stale"),
    ("max-stale=50", 100, STALE, 200, "5.2.1.2: stale by less"),
    ("max-stale=20", 100, OVER_STALE, 200, "5.2.1.2: stale by more"),
    ("max-stale=5", 70, OVER_STALE, 200, "5.2.1.2: the client's word over the service's own window"),
    ("max-stale=50, max-age=80", 100, OVER_STALE, 200, "both must hold"),
    ("max-stale=50, max-age=200", 100, STALE, 200, "both hold"),
    ("min-fresh=20", 10, HIT, 200, "5.2.1.3: fresh for longer"),
    ("min-fresh=55", 25, ON_REQUEST, 200, "5.2.1.3: fresh for less"),
    ("no-cache", 10, ON_REQUEST, 200, "5.2.1.4: fetched after it was asked for"),
    ("no-cache, max-stale", 10, ON_REQUEST, 200, "5.2.1.4 over 5.2.1.2"),
    ("no-store", 10, HIT, 200, "5.2.1.5 says nothing of what was stored before"),
    ("no-store", 100, "fwd=stale", 200, "5.2.1.5: fetched, and not stored"),
    ("only-if-cached", 10, HIT, 200, "5.2.1.7"),
    ("only-if-cached", 100, "", 504, "5.2.1.7: nothing that may be given"),
    ("only-if-cached, max-stale", 100, STALE, 200, "5.2.1.7 with 5.2.1.2"),
    ("only-if-cached, no-cache", 10, "", 504, "5.2.1.7: a new answer cannot be stored yet"),
    ("MAX-AGE=5, unheard-of", 25, ON_REQUEST, 200, "5.2: names regardless of case, unknown ones ignored"),
]
WHILE_FAILING: list[tuple[str, int, str, int]] = [
    ("", 10, HIT, 200),
    ("", 100, STANDS_IN, 200),
    ("max-age=5", 25, STANDS_IN, 200),
    ("min-fresh=55", 25, STANDS_IN, 200),
    ("no-store", 100, STANDS_IN, 200),
    ("", FRESH + ON_ERROR + 10, "", 503),
    ("no-cache", 10, "", 503),
    ("only-if-cached", 100, "", 504),
]


class World:
    """Runs, each stored in Redis by one process of the service, made as old as a test wants it, and read by another."""

    def __init__(self, issuer: Issuer, valkey: ValkeyServer, runtime: ScriptedRuntime) -> None:
        self._runtime = runtime
        self._redis = redis.Redis(port=valkey.port)
        self._numbers = count()
        settings = Settings(
            RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE, timeout=30.0),
            AuthSettings(issuers=(issuer.url,), audiences=("metric-resource",)),
            CacheSettings(
                redis_url=valkey.url,
                secret=SECRET,
                fresh_running=FRESH,
                stale_while_revalidate=REVALIDATE,
                stale_if_error=ON_ERROR,
                min_refresh=MIN_REFRESH,
            ),
        )
        self._given = {"Authorization": f"Bearer {issuer.mint(roles=['scenario_metric_viewer'])}"}
        self._apps = [create_app(settings) for _ in range(2)]
        self._writer, self._reader = (app.test_client() for app in self._apps)

    def stored(self, age: float) -> Run:
        """A run that the reader knows nothing of, what is stored of it being that old."""
        self._runtime.answers.clear()
        run = Run(self._runtime, self._reader, self._given, f"run-aged-{next(self._numbers)}")
        before = self._keys()
        assert self._writer.get(run.path, headers=self._given).status_code == 200
        self._age(self._keys() - before, age)
        return run

    def _keys(self) -> set[bytes]:
        """Of entries' headers."""
        return {key for key in cast(list[bytes], self._redis.keys("*")) if key.endswith(b"}")}

    def _age(self, keys: set[bytes], seconds: float) -> None:
        sealer, aged = Sealer(SECRET), 0
        for key in keys:
            name, value = key.decode(), cast(bytes | None, self._redis.get(key))
            header = None if value is None else sealer.open(name, value)
            if header is not None and header.may_change:
                older = _older(header, seconds)
                self._redis.set(key, sealer.seal(name, older), ex=1000)
                aged += 1
        assert aged == 1

    def close(self) -> None:
        self._redis.close()
        for app in self._apps:
            close(app)


@dataclass(frozen=True)
class Run:
    """A run, and the process of the service that is asked for it."""

    runtime: ScriptedRuntime
    reader: FlaskClient
    given: Mapping[str, str]
    id: str

    @property
    def path(self) -> str:
        return f"/runs/{self.id}/metric-resource"

    def get(self, directives: str) -> Any:
        """Ask for it, with a ``Cache-Control``."""
        more = {"Cache-Control": directives} if directives else {}
        return self.reader.get(self.path, headers={**self.given, **more})

    def fetches(self) -> int:
        """How often the runtime was asked for its metrics; whoever else is refreshed meanwhile does not count."""
        return sum(f"executionIds={self.id}" in sent["path"] for sent in [*self.runtime.headers])


def _older(header: Any, seconds: float) -> Any:
    return msgspec.structs.replace(header, fetched_at=header.fetched_at - seconds)


@pytest.fixture(scope="module")
def world(issuer: Issuer, valkey_server: ValkeyServer) -> Iterator[World]:
    valkey_server.flush()
    with scripted_runtime() as runtime:
        made = World(issuer, valkey_server, runtime)
        yield made
        made.close()


def cache_status(answer: Any) -> str:
    return str(answer.headers.get("Cache-Status", "")).removeprefix("metric-resource; ")


@each_row("directives, age, expected, status, why", TABLE)
def test_directives(world: World, directives: str, age: int, expected: str, status: int, why: str) -> None:
    run = world.stored(age)
    assert run.fetches() == 1
    answer = run.get(directives)
    assert answer.status_code == status, why
    assert re.fullmatch(expected, cache_status(answer)), (why, cache_status(answer))
    if status == 504:
        assert json.loads(answer.data)["type"] == "urn:metric-resource:not-stored"
        assert run.fetches() == 1
    elif expected in {HIT, STALE}:
        assert age <= int(answer.headers["Age"]) <= age + 20
        assert abs(int(cache_status(answer).split("ttl=")[1].split(";")[0]) - (FRESH - age)) <= 20
        if expected == HIT:
            assert run.fetches() == 1
    else:
        assert int(answer.headers["Age"]) <= 20
        assert run.fetches() == 2


@each_row("directives, age, expected, status", WHILE_FAILING)
def test_directives_while_the_runtime_fails(
    world: World, directives: str, age: int, expected: str, status: int
) -> None:
    run = world.stored(age)
    run.runtime.say("metrics", 500, {})
    answer = run.get(directives)
    assert answer.status_code == status
    assert re.fullmatch(expected, cache_status(answer)), cache_status(answer)
    if status == 200:
        assert age <= int(answer.headers["Age"]) <= age + 20


def test_what_no_store_fetched_is_not_stored(world: World) -> None:
    run = world.stored(100)
    assert cache_status(run.get("no-store")) == "fwd=stale"
    assert cache_status(run.get("only-if-cached")) == "", "what was stored is as old as before"


def test_a_stale_answer_is_refreshed_behind_it(world: World) -> None:
    run = world.stored(70)
    assert re.fullmatch(STALE, cache_status(run.get("")))
    eventually(lambda: re.fullmatch(HIT, cache_status(run.get(""))))
    assert run.fetches() == 2
