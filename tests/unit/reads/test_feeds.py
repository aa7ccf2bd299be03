"""Runs that are watched in one process: looked at together, each for itself where something is the matter."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from service.caching.memory import MemoryCache
from service.concurrency.blocking import set_slot_owner
from service.domain.errors import RuntimeForbids, RuntimeTimeout, RuntimeUnavailable
from service.domain.runtime import CacheScope, RequestContext
from service.reads.batches import BATCH
from service.reads.entries import Connection
from service.reads.feed import Feed, Update
from service.reads.feeds import Feeds, ready_batches
from service.reads.policy import Lifetimes
from service.reads.queries import Queries
from testing.clocks import Clock
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.fakes import FakeRuntime, context
from tests.unit.reads.worlds import Process

HERE = CacheScope("t", "g")
INTERVAL = 0.1


class RunningClock(Clock):
    def __call__(self) -> float:
        return time.time()


class Watcher:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.ends: list[str] = []

    def updated(self, what: Update) -> None:
        self.given += [event.points.text for event in what.events if event.points is not None]

    def fell_behind(self) -> None:
        self.ends.append("behind")

    def forbidden(self) -> None:
        self.ends.append("forbidden")

    def gone(self) -> None:
        self.ends.append("gone")

    def tick(self, now: float) -> None:
        pass

    def stop(self) -> None:
        self.ends.append("stop")


class World:
    def __init__(self) -> None:
        cache = MemoryCache(10**7)
        self.process = Process(
            cache, RunningClock(0.0), lifetimes=Lifetimes(fresh_running=INTERVAL, min_refresh=0), sleep=time.sleep
        )
        cache.subscribe(self.process.store.changes)
        self.runtime = FakeRuntime()
        self.connect(self.runtime)

    def connect(self, runtime: FakeRuntime) -> None:
        self.queries = Queries({"default": Connection(runtime, self.process.reads)})
        self.feeds = Feeds(self.queries, self.process.store.changes, 1000, self.process.telemetry)

    def watch(self, *run_ids: str) -> dict[str, Watcher]:
        watchers = {}
        for run_id in run_ids:
            self.log(run_id, 1)
            feed = self.feeds.open(run_id, context(HERE))
            watchers[run_id] = Watcher()
            while not feed.watch(watchers[run_id], feed.now):
                pass
        return watchers

    def log(self, run_id: str, steps: int) -> None:
        self.runtime.log(run_id, b"[%b]" % b",".join(b'{"step":%d}' % step for step in range(steps)))

    def outcomes(self, outcome: str) -> float:
        name = "metric_resource_cache_outcomes_total"
        return self.process.telemetry.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.feeds.stop()
    made.queries.close()


def test_runs_that_are_answered_soon_are_asked_for_together(world: World) -> None:
    watchers = world.watch(*(f"run{number}" for number in range(2 * BATCH)))
    eventually(lambda: max(map(len, world.runtime.asked)) > 2)
    for run_id in watchers:
        world.log(run_id, 2)
    eventually(lambda: all(len(watcher.given) == 1 for watcher in watchers.values()))
    assert {b'{"step":1}' in watcher.given[0] for watcher in watchers.values()} == {True}
    assert max(map(len, world.runtime.asked)) <= BATCH


def test_what_is_the_matter_with_one_is_not_the_others(world: World) -> None:
    watchers = world.watch("troubled", "forbidden", "gone", "well")
    eventually(lambda: max(map(len, world.runtime.asked)) > 1)
    world.runtime.fail("troubled", RuntimeUnavailable())
    world.runtime.fail("forbidden", RuntimeForbids())
    del world.runtime.logged["t", "g", "gone"]
    world.log("well", 2)
    eventually(lambda: watchers["well"].given and watchers["forbidden"].ends and watchers["gone"].ends)
    assert (watchers["forbidden"].ends[0], watchers["gone"].ends[0]) == ("forbidden", "gone")
    world.log("troubled", 2)
    eventually(lambda: watchers["troubled"].given)
    assert watchers["troubled"].ends == watchers["well"].ends == []


def test_runs_that_are_slow_keep_nobody_from_opening_others(world: World) -> None:
    gate = threading.Event()
    asked = world.runtime.run_metrics

    class Slow(FakeRuntime):
        def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, Any]:
            if any(run_id.startswith("slow") for run_id in run_ids) and not gate.wait(context.deadline.remaining()):
                return dict.fromkeys(run_ids, RuntimeTimeout())
            return asked(run_ids, context)

    world.connect(Slow())
    slow, quick = ([f"{kind}{number}" for number in range(6)] for kind in ("slow", "quick"))
    for run_id in (*slow, *quick):
        world.log(run_id, 1)
    waiting = [threading.Thread(target=world.feeds.open, args=(run_id, context(HERE))) for run_id in slow]
    for thread in waiting:
        thread.start()
    together(*[lambda run_id=run_id: world.feeds.open(run_id, context(HERE)) for run_id in quick])
    assert all(thread.is_alive() for thread in waiting)
    gate.set()
    for thread in waiting:
        thread.join()


def test_a_crowd_that_opens_is_asked_for_together(world: World) -> None:
    count = 4 * BATCH
    waiting = threading.Semaphore(0)

    class Owner:
        def release_slot(self) -> None:
            waiting.release()

        def reacquire_slot(self) -> None:
            pass

    class Silent(FakeRuntime):
        """Answers once all of the crowd wait."""

        def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, Any]:
            assert context.watched
            answers = super().run_metrics(run_ids, context)
            if len(self.asked) == 1:
                assert all(waiting.acquire(timeout=PATIENCE) for _ in range(count))
            return answers

    world.runtime = Silent()
    world.connect(world.runtime)

    def open_one(run_id: str) -> None:
        set_slot_owner(Owner())
        world.feeds.open(run_id, context(HERE))

    run_ids = [f"run{number}" for number in range(count)]
    for run_id in run_ids:
        world.log(run_id, 1)
    together(*[lambda run_id=run_id: open_one(run_id) for run_id in run_ids])
    polled_first: set[str] = set()
    calls = [
        asked for asked in world.runtime.asked if not polled_first.issuperset(asked) and not polled_first.update(asked)
    ]
    assert polled_first == set(run_ids)
    assert len(calls) <= count / 2
    assert max(map(len, calls)) <= BATCH


def test_a_batch_that_is_not_full_waits_for_others_that_are_due_soon() -> None:
    def feeds(count: int, due: float, overdue: float) -> list[Feed]:
        made = [Feed(f"run{number}", context(HERE)) for number in range(count)]
        for feed in made:
            feed.poll_at(due, overdue)
        return made

    full, part, soon, later = feeds(BATCH, 1.0, 1.5), feeds(3, 1.2, 1.7), feeds(2, 1.6, 2.1), feeds(2, 1.8, 2.3)
    assert list(ready_batches([*part, *full, *soon], now=1.3)) == [full]
    assert list(ready_batches([*part, *soon], now=1.6)) == [part + soon]
    assert list(ready_batches([*part, *later], now=1.3)) == [part], "there is nothing to wait for"
    assert list(ready_batches(part, now=1.1)) == []
    at_once = feeds(1, 1.0, 1.0)
    assert list(ready_batches([*at_once, *soon], now=1.3)) == [at_once]


def test_runs_of_another_group_are_asked_for_by_themselves(world: World) -> None:
    world.runtime.log("run", b"[]", group="other")
    world.watch("one", "two")
    world.feeds.open("run", context(CacheScope("t", "other")))
    eventually(lambda: sum(map(len, world.runtime.asked)) > 12)
    assert not any("run" in asked and len(asked) > 1 for asked in world.runtime.asked)


def test_what_a_look_has_stored_itself_is_not_looked_at_again(world: World) -> None:
    world.watch("run")
    eventually(lambda: len(world.runtime.asked) >= 6)
    assert world.outcomes("hit") < 1.5 * len(world.runtime.asked), "each fetch looks once into what the runtime can do"
