"""Polls of runs of all sizes: the small ones wait for no large one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from service.domain.errors import Overloaded, RuntimeTimeout
from service.domain.freshness import Snapshot
from service.domain.runtime import RequestContext
from service.reads.feed import Feed
from service.reads.openings import Openings
from service.reads.polls import Indexing, Polled, Polls, busy
from service.reads.turns import Turns
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.fakes import FakeRuntime, context
from tests.unit.reads.watched import HERE, World

SMALL, MEDIUM, LARGE = 1000, 1024 * 1024, 64 * 1024 * 1024


class Step:
    """A step of indexing that takes until it is allowed to end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def point(step: int, size: int) -> bytes:
    return b'[{"step":%d,"note":"%b"}]' % (step, b"x" * size)


def opened(*run_ids: str) -> dict[Feed, Future[Polled]]:
    """New feeds of those runs, and where the outcome of their poll will be."""
    feeds = [Feed(run_id, context(HERE)) for run_id in run_ids]
    for feed in feeds:
        feed.opened = 1
    return {feed: Future() for feed in feeds}


@pytest.fixture
def indexing() -> Iterator[Indexing]:
    made = Indexing()
    yield made
    made.stop()


def test_large_contents_are_indexed_one_at_a_time_and_keep_no_other_from_it(indexing: Indexing) -> None:
    first, second, medium, small = (Step() for _ in range(4))
    medium.may_end.set()
    small.may_end.set()
    for step, size in ((first, LARGE), (second, LARGE), (medium, MEDIUM), (small, SMALL)):
        indexing.run(size, step)
    assert small.begun.is_set()
    assert medium.begun.wait(PATIENCE)
    assert first.begun.wait(PATIENCE)
    assert not second.begun.is_set()
    first.may_end.set()
    assert second.begun.wait(PATIENCE)
    second.may_end.set()


def test_what_waits_to_be_indexed_is_bounded(indexing: Indexing) -> None:
    steps: list[Step] = []

    def refused() -> bool:
        steps.append(Step())
        try:
            indexing.run(LARGE, steps[-1])
        except Overloaded:
            return True
        return False

    assert next(number for number in range(1000) if refused()) == 64
    for step in steps:
        step.may_end.set()
    eventually(lambda: not refused())
    for step in steps:
        step.may_end.set()


def test_a_small_run_is_published_while_large_ones_are_being_indexed(world: World) -> None:
    may_go_on = threading.Event()

    def published(feed: Feed, *_: object) -> None:
        assert feed.run_id == "small" or may_go_on.wait(PATIENCE)

    polls = Polls(world.queries, published)
    for run_id in ("large", "larger", "small"):
        world.runtime.log(run_id, point(1, 10 if run_id == "small" else LARGE // 8))
    outcomes = opened("large", "larger", "small")
    polls.begin(outcomes, context(HERE))
    assert {feed.run_id: outcome.done() for feed, outcome in outcomes.items()} == {
        "large": False,
        "larger": False,
        "small": True,
    }
    may_go_on.set()
    for feed, outcome in outcomes.items():
        assert outcome.result(PATIENCE) == {feed: None}
        assert feed.now.count == 1
    polls.stop()


def test_a_large_run_that_nobody_waits_for_any_more_is_not_indexed(world: World) -> None:
    polls = Polls(world.queries, lambda *_: None)
    world.runtime.log("large", point(1, LARGE // 8))
    ((feed, outcome),) = opened("large").items()
    feed.opened = 0
    polls.begin({feed: outcome}, context(HERE))
    assert outcome.result(PATIENCE) == {feed: None}
    assert not feed.is_polled
    polls.stop()


def test_an_earlier_snapshot_is_indexed_once_for_all_that_resume_from_it(world: World) -> None:
    polls = Polls(world.queries, lambda *_: None)
    ((feed, _),) = opened("run").items()
    snapshots = []
    for step in (1, 2):
        world.runtime.log("run", point(step, MEDIUM))
        outcome: Future[Polled] = Future()
        polls.begin({feed: outcome}, context(HERE).no_cache())
        assert outcome.result(PATIENCE) == {feed: None}
        snapshots.append(feed.now.snapshot)
    found = together(*[partial(polls.stored, feed, snapshots[0], context(HERE)) for _ in range(8)])
    assert feed.earlier is not None
    assert feed.earlier.snapshot == snapshots[0]
    assert polls.stored(feed, snapshots[0], context(HERE)) is feed.earlier
    assert {id(one) for one in found} == {id(feed.earlier)}
    assert polls.stored(feed, snapshots[1], context(HERE)) is feed.now
    assert polls.stored(feed, Snapshot(b"none", 1), context(HERE)) is None
    polls.stop()


def test_who_resumes_in_a_run_that_is_slow_to_read_keeps_no_other_waiting(world: World) -> None:
    slow_now, asked, may_answer = threading.Event(), threading.Event(), threading.Event()

    class Slow(FakeRuntime):
        def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, Any]:
            if slow_now.is_set() and "slow" in run_ids:
                asked.set()
                assert may_answer.wait(PATIENCE)
            return super().run_metrics(run_ids, context)

    world.runtime = Slow()
    world.connect(world.runtime)
    polls = Polls(world.queries, lambda *_: None)
    outcomes = opened("slow", "quick")
    first = []
    for step in (1, 2):
        for feed in outcomes:
            world.runtime.log(feed.run_id, point(step, SMALL))
        polls.begin({feed: Future() for feed in outcomes}, context(HERE).no_cache())
        first.append([feed.now.snapshot for feed in outcomes])
    slow, quick = outcomes
    slow_now.set()
    with ThreadPoolExecutor(1) as pool:
        resumed = pool.submit(polls.stored, slow, first[0][0], context(HERE).no_cache())
        assert asked.wait(PATIENCE)
        try:
            assert polls.stored(quick, first[0][1], context(HERE).no_cache()) is quick.earlier
        finally:
            may_answer.set()
        assert resumed.result(PATIENCE) is slow.earlier
    assert slow.earlier is not None
    assert quick.earlier is not None
    polls.stop()


def test_a_run_that_was_read_is_not_blamed_on_the_runtime(world: World) -> None:
    """Whoever waits in vain for a large run to be indexed is told so."""
    may_go_on = threading.Event()

    def published(*_: object) -> None:
        assert may_go_on.wait(PATIENCE)

    polls = Polls(world.queries, published)
    world.runtime.log("large", point(1, LARGE // 8))
    world.runtime.fail("late", RuntimeTimeout())
    outcomes = opened("large", "late")
    polls.begin(outcomes, context(HERE))
    assert {feed.run_id: feed.is_read for feed in outcomes} == {"large": True, "late": False}
    may_go_on.set()
    for feed, outcome in outcomes.items():
        assert feed in outcome.result(PATIENCE)
    polls.stop()


def test_openings_end_each_by_itself() -> None:
    """Of runs that are polled together, one that is ready waits for no other; one that came late is polled alone."""
    begun = threading.Event()
    large: list[tuple[Feed, Future[Polled]]] = []

    def poll(outcomes: Mapping[Feed, Future[Polled]], _: RequestContext) -> None:
        assert begun.wait(PATIENCE)
        for feed, outcome in outcomes.items():
            if feed.run_id == "large":
                large.append((feed, outcome))
            else:
                late = feed.run_id == "late" and len(outcomes) > 1
                outcome.set_result({feed: RuntimeTimeout() if late else None})

    openings = Openings(poll, Turns())
    feeds = {run_id: Feed(run_id, context(HERE)) for run_id in ("first", "large", "late", "small")}
    outcomes = {run_id: openings.begin(feed, context(HERE)) for run_id, feed in feeds.items()}
    begun.set()
    for run_id in ("first", "late", "small"):
        assert outcomes[run_id].result(PATIENCE) == {feeds[run_id]: None}
    assert not outcomes["large"].done()
    ((feed, outcome),) = large
    outcome.set_result({feed: busy()})
    assert isinstance(outcomes["large"].result(PATIENCE)[feed], Overloaded)
    openings.stop()
