"""Which answer a read gives, by the age of what is stored and what the request demands (RFC 9111, RFC 5861)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from service.caching.memory import MemoryCache
from service.domain.errors import (
    BadGateway,
    OnlyIfCached,
    RateLimited,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.freshness import Source as From
from service.reads.results import VALUE, Fetched, Found
from testing.clocks import Clock
from testing.waiting import eventually
from tests.rows import each_row
from tests.unit.reads.worlds import MeddledCache, Process, Source

NEW, HIT, STALE, ERROR = From.FETCHED_NEW, From.STORED, From.STORED_REVALIDATING, From.STORED_ON_ERROR
OVER, ASKED = From.FETCHED_OVER_STALE, From.FETCHED_ON_REQUEST
TROUBLE = [RuntimeUnavailable(), RuntimeTimeout(), RateLimited(7), BadGateway("garbage")]
REFUSALS = [RuntimeForbids(), RuntimeRefuses(), RunNotFound("run1")]


class World:
    """One process, warm with an answer whose age the test sets."""

    def __init__(self, *, may_change: bool = True, outcome: str = VALUE) -> None:
        self.clock = Clock(time.time())
        self.cache = MemoryCache(10**7)
        self.process = Process(self.cache, self.clock)
        self.source = Source(says=lambda number: Fetched(outcome, may_change, (b"answer %d" % number,)))
        self.read()

    def read(self, **more: Any) -> Found | ServiceError:
        return self.process.one(self.source, **more)

    def came(self, **more: Any) -> From:
        return self.process.came(self.source, **more)

    def fails(self, error: ServiceError) -> None:
        self.source.says = lambda _: error

    def refreshed(self, times: int) -> None:
        """Wait until the runtime has been asked so often and the answer is in the store."""
        eventually(lambda: self.source.answered >= times)
        eventually(lambda: self.came() is not STALE)
        eventually(lambda: self.source.answered == len(self.source.asked))


def directives(text: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for each in text.split():
        name, _, value = each.partition("=")
        given[name.replace("-", "_")] = float(value) if value else True
    return given


@each_row("age, cache_policy, expected", [
        (0, "", HIT), (4.9, "", HIT), (5, "", STALE), (35, "", STALE), (35.1, "", OVER), (1005, "", OVER), (9999, "", OVER),
        (3, "max-age=3", HIT), (4, "max-age=3", ASKED), (0, "max-age=0", ASKED), (10, "max-age=99", OVER),
        (3, "min-fresh=2", HIT), (4, "min-fresh=2", ASKED), (10, "min-fresh=0", OVER),
        (10, "max-stale=5", STALE), (11, "max-stale=5", OVER), (500, "max-stale=1000", STALE), (1006, "max-stale=9999", OVER),
        (10, "max-stale=5 max-age=8", OVER), (10, "max-stale=5 max-age=10", STALE),
        (0, "no-cache", ASKED), (4, "no-cache", ASKED), (100, "no-cache", ASKED), (4, "no-store", HIT),
        (4, "only-if-cached", HIT), (10, "only-if-cached", STALE), (36, "only-if-cached", OnlyIfCached),
        (4, "only-if-cached max-age=3", OnlyIfCached), (100, "only-if-cached max-stale=200", STALE),
        (4, "only-if-cached no-cache", OnlyIfCached),
    ])  # fmt: skip
def test_a_stored_answer_is_given_where_its_age_allows_it(age: float, cache_policy: str, expected: object) -> None:
    world = World()
    world.clock.pass_(age)
    found = world.read(**directives(cache_policy), asked_at=world.clock() + 0.001)
    if expected is OnlyIfCached:
        assert isinstance(found, OnlyIfCached)
        assert len(world.source.asked) == 1
        return
    assert isinstance(found, Found)
    assert found.provenance.source is expected
    old = expected in {HIT, STALE}
    assert world.process.reads.body(found) == ((b"answer 1",) if old else (b"answer 2",))
    assert found.provenance.age == pytest.approx(age if old else 0, abs=0.01)
    assert found.provenance.ttl == pytest.approx(5 - age if old else 5, abs=0.01)
    assert found.provenance.lifetime == 5
    if expected is HIT:
        assert len(world.source.asked) == 1


@each_row("age, expected", [(299, HIT), (300, STALE), (330, STALE), (331, OVER), (1300, OVER)])
def test_a_run_that_has_ended_is_fresh_for_longer_but_not_for_ever(age: float, expected: From) -> None:
    world = World(may_change=False)
    world.clock.pass_(age)
    assert world.came() is expected


@each_row("outcome", ["absent", "gone", "unsupported", "undescribed", "forbidden", "refused"])
@each_row("may_change", [True, False])
def test_absence_is_remembered_for_seconds_and_never_given_once_stale(outcome: str, may_change: bool) -> None:
    world = World(may_change=may_change, outcome=outcome)
    world.clock.pass_(4.9)
    assert world.came() is HIT
    world.clock.pass_(0.1)
    assert isinstance(world.read(only_if_cached=True), OnlyIfCached)
    error = RuntimeUnavailable()
    world.fails(error)
    assert world.read() is error, "nothing stands in for an error but a good answer"
    assert world.read() is error


def test_a_stale_answer_is_given_at_once_and_refreshed_once() -> None:
    world = World()
    world.clock.pass_(10)
    world.source.gate.clear()
    assert [world.came() for _ in range(20)] == [STALE] * 20, "nobody waits for the fetch, which has not ended yet"
    eventually(lambda: len(world.source.asked) == 2)
    world.source.gate.set()
    world.refreshed(2)
    assert world.process.text(world.source) == (b"answer 2",)
    assert len(world.source.asked) == 2


@each_row("error", TROUBLE)
def test_the_last_good_answer_stands_in_for_trouble_until_it_expires(error: ServiceError) -> None:
    world = World()
    world.fails(error)
    world.clock.pass_(36)
    for age in (36, 500, 1005):
        found = world.read()
        assert isinstance(found, Found)
        assert found.provenance.source is ERROR
        assert found.provenance.age == pytest.approx(age)
        assert found.provenance.ttl == pytest.approx(5 - age)
        assert world.process.reads.body(found) == (b"answer 1",)
        world.clock.pass_({36: 464, 500: 505, 1005: 1}[age])
    assert world.read() is error


@each_row("cache_policy", ["max-age=10", "min-fresh=1", "max-stale=1", "max-age=0", "no-store"])
def test_a_stored_answer_stands_in_for_trouble_whatever_age_was_asked_for(cache_policy: str) -> None:
    world = World()
    world.clock.pass_(40)
    world.fails(RuntimeUnavailable())
    assert world.came(**directives(cache_policy)) is ERROR


def test_who_asks_for_a_new_answer_is_told_of_the_trouble() -> None:
    world = World()
    world.fails(RuntimeUnavailable())
    assert isinstance(world.read(no_cache=True, asked_at=world.clock() + 1), RuntimeUnavailable)
    assert world.came() is HIT, "a fresh answer is as good as before"


def test_while_the_runtime_is_in_trouble_stale_answers_wait_for_nothing() -> None:
    world = World()
    world.clock.pass_(100)
    world.fails(RuntimeUnavailable())
    assert world.came() is ERROR
    world.source.gate.clear()
    assert [world.came() for _ in range(10)] == [ERROR] * 10
    world.source.says = None
    world.source.gate.set()
    eventually(lambda: world.came() is HIT)
    world.clock.pass_(100)
    assert world.came() is OVER, "the trouble is forgotten"


def test_a_while_after_trouble_the_runtime_is_asked_first() -> None:
    """It may have been well again for long, and nobody asked: the first who does is not given what is old."""
    world = World()
    world.clock.pass_(100)
    world.fails(RuntimeUnavailable())
    assert world.came() is ERROR
    world.clock.pass_(5)
    world.source.says = lambda number: Fetched(VALUE, True, (b"answer %d" % number,))
    assert world.came() is OVER


@each_row("error", REFUSALS)
def test_no_stored_answer_stands_in_for_a_refusal(error: ServiceError) -> None:
    world = World()
    world.clock.pass_(100)
    world.fails(error)
    assert [world.read() for _ in range(3)] == [error] * 3


@each_row("error", REFUSALS)
def test_a_refusal_ends_the_standing_in_that_trouble_began(error: ServiceError) -> None:
    world = World()
    world.clock.pass_(100)
    world.fails(RuntimeUnavailable())
    assert world.came() is ERROR
    world.fails(error)
    eventually(lambda: world.read() is error)
    assert world.read() is error


@each_row("outcome", ["absent", "gone", "forbidden", "refused", "unsupported"])
def test_what_is_there_no_longer_ends_the_standing_in_at_once(outcome: str) -> None:
    world = World()
    world.clock.pass_(10)
    world.source.says = lambda _: Fetched(outcome)
    assert world.came() is STALE
    world.refreshed(2)
    found = world.read()
    assert isinstance(found, Found)
    assert found.header.outcome == outcome
    world.fails(RuntimeUnavailable())
    world.clock.pass_(6)
    assert isinstance(world.read(), RuntimeUnavailable)


def test_what_no_store_fetched_is_not_stored() -> None:
    world = World()
    calls = MeddledCache()
    process = Process(calls, world.clock)
    found = process.one(world.source, no_store=True)
    assert isinstance(found, Found)
    assert not found.provenance.kept
    assert process.reads.body(found) == (b"answer 2",)
    assert not any(method == "set_many" for method, _ in calls.calls)
    assert isinstance(process.one(world.source, only_if_cached=True), OnlyIfCached)


def test_without_a_usable_cache_a_process_answers_from_its_own_memory() -> None:
    clock, cache = Clock(time.time()), MeddledCache()
    cache.gone = True
    process, source = Process(cache, clock), Source()
    found = process.one(source)
    assert isinstance(found, Found)
    assert not found.provenance.kept
    assert process.text(source) == (b"answer 1",)
    assert len(source.asked) == 1
    clock.pass_(100)
    source.says = lambda _: RuntimeUnavailable()
    stale = process.one(source)
    assert isinstance(stale, Found)
    assert stale.provenance.source is ERROR


def test_several_keys_are_read_at_once_and_only_the_missing_fetched_together() -> None:
    world = World()
    found = world.process.read(world.source, "a", "key", "b")
    assert world.source.asked == [("key",), ("a", "b")]
    sources = {key: each.provenance.source for key, each in found.items() if isinstance(each, Found)}
    assert sources == {"a": NEW, "key": HIT, "b": NEW}


def test_one_keys_error_is_not_another_keys() -> None:
    world = World()

    def fetch(keys: object, _: object) -> dict[str, Fetched | ServiceError]:
        return {"a": RuntimeUnavailable(), "b": Fetched(VALUE, True, (b"b",))}

    found = world.process.read(fetch, "a", "b", "key")
    assert [type(found[key]) for key in ("a", "b", "key")] == [RuntimeUnavailable, Found, Found]


def test_an_answer_from_far_in_the_future_counts_as_none() -> None:
    world = World()
    world.clock.pass_(-3600)
    assert world.came() is not HIT
    assert len(world.source.asked) == 2
