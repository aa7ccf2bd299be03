"""One reader's stream: when it ends before its run does."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from service.api.resources.events.stream import EventStream
from service.api.resources.events.to_sse import Writer
from service.caching.memory import MemoryCache
from service.domain.errors import Forbidden, InvalidToken, KeysUnavailable, ServiceError
from service.domain.runtime import CacheScope
from service.domain.selection.filters import Filter
from service.domain.zones import time_zone
from service.reads.entries import Connection
from service.reads.feeds import Feeds
from service.reads.queries import Queries
from testing.clocks import Clock
from testing.waiting import eventually
from tests.unit.reads.fakes import FakeRuntime, context
from tests.unit.reads.worlds import Process

COMMENT = 15.0


class Sink:
    def __init__(self) -> None:
        self.sent = b""
        self.finished = False

    def send(self, data: bytes) -> bool:
        self.sent += data
        return True

    def finish(self) -> None:
        self.finished = True


class Check:
    """Whether access holds still, counted."""

    def __init__(self) -> None:
        self.error: ServiceError | None = None
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    process = Process(MemoryCache(10**6), Clock(time.time()))
    runtime = FakeRuntime()
    runtime.log("run", b"[]")
    queries = Queries({"default": Connection(runtime, process.reads)})
    made = Feeds(queries, process.store.changes, 10, process.telemetry)
    yield made
    made.stop()
    queries.close()


def opened(feeds: Feeds, check: Check, expires_at: float) -> tuple[EventStream, Sink]:
    feed = feeds.open("run", context(CacheScope("t", "g")))
    stream = EventStream(
        feeds,
        feed,
        feed.now,
        feed.now.beginning(),
        Writer(time_zone("UTC"), Filter()),
        expires_at=expires_at,
        check=check,
        comment_seconds=COMMENT,
        telemetry=Process(MemoryCache(10**6), Clock(0.0)).telemetry,
    )
    assert list(stream.beginning())
    sink = Sink()
    stream.attach(sink)
    return stream, sink


@pytest.mark.parametrize("error", [InvalidToken("no key with the token's kid"), Forbidden("access was withdrawn")])
def test_access_that_is_withdrawn_ends_it_before_its_token(feeds: Feeds, error: ServiceError) -> None:
    check = Check()
    stream, sink = opened(feeds, check, time.time() + 3600)
    stream.tick(time.monotonic() + COMMENT)
    eventually(lambda: check.asked)
    assert not sink.finished
    check.error = error
    stream.tick(time.monotonic() + 2 * COMMENT)
    eventually(lambda: sink.finished)
    assert sink.sent.endswith(b'event: end\ndata: {"reason":"expired"}\n\n')


def test_an_issuer_whose_keys_cannot_be_had_now_ends_nothing(feeds: Feeds) -> None:
    check = Check()
    check.error = KeysUnavailable("the issuer does not answer")
    stream, sink = opened(feeds, check, time.time() + 3600)
    stream.tick(time.monotonic() + COMMENT)
    eventually(lambda: check.asked)
    stream.close()
    assert b"end" not in sink.sent


def test_the_end_of_its_token_ends_it_at_once(feeds: Feeds) -> None:
    stream, sink = opened(feeds, Check(), time.time() + 0.05)
    eventually(lambda: stream.tick(time.monotonic()) or sink.finished)
    assert sink.sent.endswith(b'event: end\ndata: {"reason":"expired"}\n\n')


def test_once_it_is_open_it_keeps_no_snapshot_of_its_run(feeds: Feeds) -> None:
    now = feeds.open("run", context(CacheScope("t", "g"))).now
    before = sys.getrefcount(now)
    streams = [opened(feeds, Check(), time.time() + 3600) for _ in range(3)]
    assert sys.getrefcount(now) == before, len(streams)
