"""Reading through the store: fresh, stale, shared, failing; on one process and on two."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from service.caching.entry_keys import lock_key
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.caching.store import EntryStore
from service.concurrency.deadline import Deadline
from service.domain.errors import (
    OnlyIfCached,
    Overloaded,
    RuntimeForbids,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.freshness import RequestCachePolicy, RequestDirectives, Source
from service.reads.bulkhead import Bulkhead
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.read_through import ReadThrough
from service.reads.results import VALUE, Fetched, Found
from service.telemetry.prometheus import Telemetry
from testing.threads import together
from testing.waiting import eventually
from tests.unit.reads.worlds import LIFETIMES, read


class World:
    """Processes that share a cache, a clock, and a runtime that gives one numbered answer after another."""

    def __init__(self) -> None:
        self.now = time.time()
        self.cache: Cache = MemoryCache(10**7)
        self.fetches = 0
        self.error: Exception | None = None
        self.wait = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.passed = 0
        self.outcome = VALUE
        self._stack = ExitStack()

    def process(self, fetches: int = 8) -> ReadThrough:
        store = EntryStore(self.cache, secret=None, memory_bytes=10**6)
        leases = Leases(store)
        telemetry = Telemetry()
        bulkhead = Bulkhead(fetches, telemetry=telemetry)
        pacing = Pacing(self.cache, LIFETIMES.min_refresh, lambda: self.now)
        reads = ReadThrough(
            store, leases, pacing, lifetimes=LIFETIMES, bulkhead=bulkhead, telemetry=telemetry, now=lambda: self.now
        )
        self._stack.callback(reads.close)
        return reads

    def fetch(self, keys: Sequence[str], _: Deadline) -> dict[str, Fetched | ServiceError]:
        self.fetches += 1
        number = self.fetches
        time.sleep(self.wait)
        self.gate.wait(10)
        self.passed += 1
        if isinstance(self.error, ServiceError):
            return dict.fromkeys(keys, self.error)
        if self.error is not None:
            raise self.error
        return {key: Fetched(self.outcome, True, (f"answer {number}".encode(),)) for key in keys}

    def read(self, reads: ReadThrough, seconds: float = 5.0, **directives: Any) -> Found | ServiceError:
        cache_policy = RequestCachePolicy(RequestDirectives(**directives), self.now)
        return read(reads, ["key"], self.fetch, cache_policy, seconds)["key"]

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def source(found: Found | ServiceError) -> Source:
    assert isinstance(found, Found)
    return found.provenance.source


def test_fresh_then_stale_then_fetched_again(world: World) -> None:
    reads = world.process()
    assert source(world.read(reads)) is Source.FETCHED_NEW
    world.now += 4
    assert source(world.read(reads)) is Source.STORED
    world.now += 40
    assert source(world.read(reads)) is Source.FETCHED_OVER_STALE
    assert world.fetches == 2


def test_a_stale_answer_is_given_at_once_and_refreshed_behind_it(world: World) -> None:
    reads = world.process()
    world.read(reads)
    world.now += 10
    assert source(world.read(reads)) is Source.STORED_REVALIDATING
    eventually(lambda: source(world.read(reads)) is Source.STORED)
    assert world.fetches == 2


def test_many_readers_of_two_processes_cause_one_fetch(world: World) -> None:
    world.wait = 0.2
    one, other = world.process(), world.process()
    for expected in (1, 2):
        found = together(*[lambda reads=reads: world.read(reads) for reads in (one, other) * 10])
        assert all(isinstance(each, Found) for each in found)
        assert world.fetches == expected
        world.now += 100


def test_a_fetcher_that_died_is_replaced(world: World) -> None:
    world.cache.acquire(lock_key("key"), "a process that was killed", 1.0)
    assert source(world.read(world.process())) is Source.FETCHED_NEW


def test_another_processes_failure_is_reported(world: World) -> None:
    world.wait, world.error = 0.3, RuntimeForbids()
    one, other = world.process(), world.process()
    found = together(lambda: world.read(one), lambda: world.read(other))
    assert [type(each) for each in found] == [RuntimeForbids] * 2
    assert world.fetches <= 2


def test_refresh_fetches_what_is_newer_than_the_request(world: World) -> None:
    reads = world.process()
    world.read(reads)
    world.now += 1
    assert source(world.read(reads, no_cache=True)) is Source.FETCHED_ON_REQUEST
    assert world.fetches == 2


def test_the_last_good_answer_stands_in_for_trouble_but_not_for_a_refusal(world: World) -> None:
    reads = world.process()
    good = world.read(reads)
    world.now += 100
    world.error = RuntimeUnavailable()
    stale = world.read(reads)
    assert source(stale) is Source.STORED_ON_ERROR
    assert isinstance(stale, Found)
    assert isinstance(good, Found)
    assert stale.header == good.header
    assert isinstance(world.read(reads, no_cache=True), RuntimeUnavailable)
    other = world.process()
    world.error = RuntimeForbids()
    assert isinstance(world.read(other), RuntimeForbids)
    world.now += 2000
    world.error = RuntimeUnavailable()
    assert isinstance(world.read(world.process()), RuntimeUnavailable)


def test_a_known_failure_delays_no_reader_twice(world: World) -> None:
    reads = world.process()
    world.read(reads)
    world.now += 100
    world.error = RuntimeTimeout()
    assert source(world.read(reads)) is Source.STORED_ON_ERROR
    world.gate.clear()
    assert source(world.read(reads)) is Source.STORED_ON_ERROR
    assert world.passed == 2, "the answer was given while the next fetch was still under way"
    world.gate.set()


def test_absence_is_remembered_for_seconds_only(world: World) -> None:
    reads = world.process()
    world.outcome = "absent"
    world.read(reads)
    world.now += 4
    world.read(reads)
    assert world.fetches == 1
    world.now += 2
    world.outcome = VALUE
    assert source(world.read(reads)) is Source.FETCHED_OVER_STALE


def test_only_if_cached_and_no_store(world: World) -> None:
    reads = world.process()
    assert isinstance(world.read(reads, only_if_cached=True), OnlyIfCached)
    unkept = world.read(reads, no_store=True)
    assert isinstance(unkept, Found)
    assert not unkept.provenance.kept
    assert isinstance(world.read(reads, only_if_cached=True), OnlyIfCached)


def test_waiting_ends_at_the_deadline(world: World) -> None:
    world.wait = 1.0
    assert isinstance(world.read(world.process(), seconds=0.1), RuntimeTimeout)


def test_more_fetches_than_can_be_are_refused(world: World) -> None:
    world.wait = 0.5
    reads = world.process(fetches=1)

    def outcome(key: str) -> object:
        cache_policy = RequestCachePolicy(RequestDirectives(), world.now)
        return type(read(reads, [key], world.fetch, cache_policy, 5)[key])

    assert set(together(*[lambda key=key: outcome(key) for key in "abc"])) == {Found, Overloaded}


def test_an_unexpected_error_reaches_everyone_and_leaves_nothing_behind(world: World) -> None:
    reads = world.process()
    world.error, world.wait = ZeroDivisionError(), 0.1

    def read() -> object:
        with pytest.raises(ZeroDivisionError):
            world.read(reads)
        return "raised"

    assert together(read, read, read) == ["raised"] * 3
    world.error = None
    assert source(world.read(reads)) is Source.FETCHED_NEW


def test_what_was_fetched_can_be_loaded(world: World) -> None:
    one, other = world.process(), world.process()
    first = world.read(one)
    second = world.read(other)
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert one.body(first) == other.body(second) == (b"answer 1",)


def test_what_is_gone_does_not_come_up_again_from_another_processs_memory(world: World) -> None:
    one, other = world.process(), world.process()
    world.read(one)
    world.read(other)
    world.now += 100
    world.outcome = "absent"
    world.read(one)
    world.now += 100
    world.error = RuntimeUnavailable()
    time.sleep(1.1)
    assert isinstance(world.read(other), RuntimeUnavailable)
