"""Runs that are watched in one process: looked at together, each for itself where something is the matter."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from service.concurrency.blocking import set_slot_owner
from service.domain.errors import RuntimeForbids, RuntimeTimeout, RuntimeUnavailable
from service.domain.runtime import CacheScope, RequestContext
from service.reads.batches import BATCH
from service.reads.feed import Feed
from service.reads.feeds import ready_batches
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.fakes import FakeRuntime, context
from tests.unit.reads.watched import HERE, World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


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
            if any(run_id.startswith("slow") for run_id in run_ids):
                gate.wait(context.deadline.remaining())
                if context.deadline.expired:  # on a slow machine, the gate may be opened as late as this
                    return dict.fromkeys(run_ids, RuntimeTimeout())
            return asked(run_ids, context)

    world.connect(Slow())
    slow, quick = ([f"{kind}{number}" for number in range(6)] for kind in ("slow", "quick"))
    for run_id in (*slow, *quick):
        world.log(run_id, 1)

    def opened(run_id: str) -> None:
        with suppress(RuntimeTimeout):
            world.feeds.open(run_id, context(HERE))

    waiting = [threading.Thread(target=opened, args=(run_id,)) for run_id in slow]
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
