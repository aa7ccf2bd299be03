"""The response cache by itself: for whom and for what it replays an answer, and how many it records."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any, ClassVar, cast

import pytest

from service.api.http.headers import LONGEST_LIST
from service.api.http.response_cache import ResponseCache
from service.api.http.responses import CACHE_METADATA, CacheMetadata
from service.concurrency.at_hand import AT_HAND_ONLY, NOT_AT_HAND
from service.domain.access import AccessRule, Principal, Scope
from service.domain.freshness import Provenance, Source
from service.telemetry.prometheus import Telemetry
from tests.rows import each_row

RULE = AccessRule(token=True, scopes=(Scope.METRICS_READ, Scope.EXECUTIONS_READ))
CALLER = Principal("ada", "tenant", "i", frozenset(RULE.scopes), frozenset({"group"}), 1e12, "token", "UTC")
METADATA = CacheMetadata("second", "key", b"digest", "tag", RULE, "group", "/route")
HEADERS = [
    ("Content-Type", "application/json"),
    ("Content-Length", "7"),
    ("Content-Encoding", "gzip"),
    ("ETag", '"tag"'),
    ("Vary", "Accept"),
    ("Age", "99"),
    ("Cache-Control", "recorded"),
    ("Cache-Status", "recorded"),
    ("X-Request-ID", "recorded"),
    ("traceparent", "recorded"),
]
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


class World:
    """An application that counts what reaches it, behind a response cache whose parts are set by each test."""

    def __init__(self, *, forwards_token: bool = False, most: int = 100) -> None:
        self.reached = 0
        self.waited = 0
        self.takes = 0.0
        self.line = "200 OK"
        self.metadata: CacheMetadata | None = METADATA
        self.caller: Principal | None = CALLER
        self.asked_for: list[str | None] = []
        self.entries: list[tuple[str, str, bytes]] = []
        self.provenance: Provenance | None = Provenance(Source.STORED, 2.5, 1.0, 3.0)
        self.bodies = {"tag": (b"replayed",)}
        self.telemetry = Telemetry()
        self.cache = ResponseCache(
            cast(Any, self.application),
            verifier=cast(Any, self),
            answers=cast(Any, self),
            fresh_entry=self.fresh_entry,
            telemetry=self.telemetry,
            forwards_token=forwards_token,
            most=most,
        )

    def application(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.reached += 1
        if self.metadata is not None:
            environ[CACHE_METADATA] = self.metadata
        start_response(self.line, HEADERS)
        return [b"made"]

    def known(self, authorization: str | None) -> Principal | None:
        self.asked_for.append(authorization)
        return self.caller

    def made(self, tag: str) -> tuple[bytes, ...] | None:
        return self.bodies.get(tag)

    def cache_control(self, provenance: Provenance) -> str:
        return f"private, max-age={provenance.lifetime:g}"

    def fresh_entry(self, connection: str, key: str, digest: bytes, *, at_hand_only: bool) -> Provenance | None:
        time.sleep(self.takes)
        self.entries.append((connection, key, digest))
        self.waited += not at_hand_only
        return self.provenance

    def get(self, path: str = "/", **environ: str) -> tuple[str, list[tuple[str, str]], bytes]:
        began: list[Any] = []
        request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", **environ}
        body = b"".join(self.cache(request, cast(Any, lambda *given: began.extend(given))))
        return began[0], began[1], body

    def replays(self, path: str = "/", **environ: str) -> bool:
        before = self.reached
        self.get(path, **environ)
        return self.reached == before


@pytest.fixture
def world() -> World:
    """One whose cache has recorded the answer to ``/``."""
    world = World()
    assert not world.replays()
    assert world.replays(), "the way that the tests are about is taken"
    return world


def test_a_replayed_answer_differs_in_what_is_its_own_request_s_only(world: World) -> None:
    line, headers, body = world.get(HTTP_X_REQUEST_ID="mine", HTTP_TRACEPARENT=TRACE)
    assert (line, body) == ("200 OK", b"replayed")
    assert headers == [
        *HEADERS[:5],
        ("Cache-Control", "private, max-age=3"),
        ("Age", "2"),
        ("Cache-Status", "metric-resource; hit; ttl=1"),
        ("X-Request-ID", "mine"),
        ("traceparent", TRACE),
    ]
    assert set(world.entries) == {("second", "key", b"digest")}


def test_it_has_a_line_in_the_access_log_and_is_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.access")
    before = count(world)
    world.get(HTTP_X_REQUEST_ID="mine", HTTP_TRACEPARENT=TRACE, HTTP_AUTHORIZATION="Bearer x")
    noted = caplog.records[-1].__dict__
    assert (noted["requestId"], noted["traceparent"], noted["route"]) == ("mine", TRACE, "/route")
    assert (noted["method"], noted["status"], noted["cache"]) == ("GET", 200, Source.STORED.value)
    assert 0 <= noted["durationMs"] < 60_000
    assert count(world) == before + 1
    assert world.asked_for[-1] == "Bearer x"
    world.takes = 0.02
    world.get(HTTP_IF_NONE_MATCH='"tag"')
    noted = caplog.records[-1].__dict__
    assert noted["status"] == 304
    assert noted["durationMs"] >= 20, "from before the look at the entry"


def test_on_a_thread_without_time_it_replays_what_is_at_hand_and_does_nothing_else(world: World) -> None:
    def ask(path: str = "/", **environ: str) -> tuple[list[Any], Any]:
        began: list[Any] = []
        request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", AT_HAND_ONLY: True, **environ}
        return began, world.cache(request, cast(Any, lambda *given: began.extend(given)))

    reached, world.waited = world.reached, 0
    began, body = ask()
    assert (began[0], body) == ("200 OK", (b"replayed",))
    assert ask(HTTP_IF_NONE_MATCH='"tag"')[0][0] == "304 NOT MODIFIED"
    counted = count(world)
    world.bodies.clear()
    missed = [ask(), ask("/never-asked"), ask(HTTP_CACHE_CONTROL="no-cache"), ask(REQUEST_METHOD="POST")]
    world.provenance = None
    missed.append(ask())
    world.caller = None
    missed.append(ask())
    assert all(not began and body is NOT_AT_HAND for began, body in missed)
    assert (world.reached, world.waited, count(world)) == (reached, 0, counted)


def count(world: World) -> float:
    counted = world.telemetry.registry.get_sample_value("metric_resource_request_seconds_count", {"route": "/route"})
    assert counted is not None
    return counted


def test_a_client_that_has_it_gets_no_body_nor_what_describes_one(world: World) -> None:
    line, headers, body = world.get(HTTP_IF_NONE_MATCH='"tag"')
    assert (line, body) == ("304 NOT MODIFIED", b"")
    assert [name for name, _ in headers] == [
        "ETag", "Vary", "Cache-Control", "Age", "Cache-Status", "X-Request-ID", "traceparent",
    ]  # fmt: skip
    assert world.get(HTTP_IF_NONE_MATCH='"other"')[0] == "200 OK"
    assert world.reached == 1


@pytest.mark.parametrize(
    "caller",
    [
        replace(CALLER, scopes=frozenset()),
        replace(CALLER, scopes=frozenset(RULE.scopes[:1])),
        replace(CALLER, scopes=frozenset(RULE.scopes[1:])),
        replace(CALLER, resource_groups=frozenset()),
        replace(CALLER, resource_groups=frozenset({"other"})),
        replace(CALLER, tenant="other"),
        replace(CALLER, zone="Asia/Tokyo"),
        replace(CALLER, zone=None),
        None,
    ],
)
def test_a_caller_whom_it_is_not_for_is_the_application_s(world: World, caller: Principal | None) -> None:
    world.caller = caller
    assert not world.replays(HTTP_IF_NONE_MATCH='"tag"'), "nor does it say that the client has the newest"


@pytest.mark.parametrize("groups", [None, frozenset({"group"}), frozenset({"group", "other"})])
def test_other_callers_who_may_read_it_share_it(world: World, groups: frozenset[str] | None) -> None:
    world.caller = replace(CALLER, subject="bob", token="another", resource_groups=groups)
    assert world.replays()


def test_where_tokens_go_upstream_an_answer_is_one_token_s_own() -> None:
    world = World(forwards_token=True)
    world.get()
    assert world.replays()
    world.caller = replace(CALLER, token="another")
    assert not world.replays()


def test_no_caller_is_asked_for_and_nothing_recorded_without_a_known_token(world: World) -> None:
    world.caller = None
    world.get("/new")
    world.caller = CALLER
    assert not world.replays("/new")


@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "HEAD"},
        {"REQUEST_METHOD": "POST"},
        {"CONTENT_LENGTH": "1"},
        {"HTTP_CACHE_CONTROL": "no-cache"},
        {"HTTP_PRAGMA": "no-cache"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_IF_NONE_MATCH": '"tag"' + " " * LONGEST_LIST},
    ],
)
def test_a_request_that_asks_for_more_is_the_application_s_each_time(world: World, environ: dict[str, str]) -> None:
    assert not world.replays(**environ)
    assert not world.replays(**environ)
    assert world.replays(), "nothing of it was recorded"


@pytest.mark.parametrize("given", ['"tag"', '"tag"'.ljust(LONGEST_LIST)])
def test_a_list_of_entity_tags_may_be_as_long_as_any(world: World, given: str) -> None:
    assert world.replays(HTTP_IF_NONE_MATCH=given)


@pytest.mark.parametrize(
    "environ",
    [
        {"PATH_INFO": "/other"},
        {"QUERY_STRING": "a=b"},
        {"HTTP_AI_CONNECTION": "other"},
        {"HTTP_AI_RESOURCE_GROUP": "other"},
        {"HTTP_TIME_ZONE": "Asia/Tokyo"},
        {"HTTP_ACCEPT": "text/csv"},
        {"HTTP_ACCEPT_ENCODING": "gzip"},
        {"HTTP_ORIGIN": "https://page.example"},
    ],
)
def test_whatever_decides_an_answer_distinguishes_it_from_others(world: World, environ: dict[str, str]) -> None:
    assert not world.replays(**environ)
    assert world.replays(**environ)
    long = dict.fromkeys(environ, "x" * 1024)
    assert (world.replays(**long), world.replays(**long)) == (False, True)
    longer = dict.fromkeys(environ, "x" * 1025)
    assert (world.replays(**longer), world.replays(**longer)) == (False, False), "what is that long is not recorded"


def test_a_stale_entry_and_a_body_that_is_gone_are_the_application_s(world: World) -> None:
    world.provenance = None
    assert not world.replays()
    world.provenance = Provenance(Source.STORED, 0.0, 1.0, 1.0)
    assert world.replays()
    world.bodies.clear()
    assert not world.replays()
    assert world.replays(HTTP_IF_NONE_MATCH='"tag"')


def test_a_recorded_304_answers_only_who_has_the_representation() -> None:
    world = World()
    world.line = "304 NOT MODIFIED"
    world.get(HTTP_IF_NONE_MATCH='"tag"')
    assert world.replays(HTTP_IF_NONE_MATCH='"tag"')
    world.line = "200 OK"
    assert not world.replays()
    assert world.replays()


@each_row("line", ["206 PARTIAL CONTENT", "404 NOT FOUND", "500 INTERNAL SERVER ERROR"])
def test_other_answers_are_not_recorded(line: str) -> None:
    world = World()
    world.line = line
    assert (world.replays(), world.replays()) == (False, False)
    world.line, world.metadata = "200 OK", None
    assert (world.replays(), world.replays()) == (False, False)


def test_what_the_application_answers_reaches_the_client_as_it_is() -> None:
    assert World().get() == ("200 OK", HEADERS, b"made")


def test_no_more_answers_are_recorded_than_there_is_room_for() -> None:
    world = World(most=3)
    for path in ("/1", "/2", "/3"):
        world.get(path)
    assert all(world.replays(path) for path in ("/1", "/2", "/3"))
    assert not world.replays("/4")
    assert not world.replays("/1"), "the one that was not used for longest had to go"
    assert world.replays("/3")
    assert world.replays("/4")


def test_an_error_that_the_application_answers_with_is_passed_on(world: World) -> None:
    error = (ValueError, ValueError("broken"), None)

    def failing(_: Any, start_response: Any) -> list[bytes]:
        start_response("500 INTERNAL SERVER ERROR", [], error)
        return []

    world.cache._app = cast(Any, failing)
    given: list[Any] = []
    world.cache({"REQUEST_METHOD": "POST"}, cast(Any, lambda *what: given.append(what)))
    world.cache(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/new", "QUERY_STRING": ""}, cast(Any, lambda *what: given.append(what))
    )
    assert given == [("500 INTERNAL SERVER ERROR", [], error)] * 2


def test_the_span_of_a_replayed_answer_names_its_resource_group(world: World) -> None:
    class Spans:
        answers: ClassVar[list[tuple[Any, ...]]] = []

        def answered(self, *given: Any) -> None:
            self.answers.append(given)

    world.telemetry.tracing = cast(Any, Spans())
    world.get()
    assert Spans.answers[-1][-1] == "group"
