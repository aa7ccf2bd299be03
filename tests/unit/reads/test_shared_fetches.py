"""One fetch for all who ask: threads of one process, and processes that share a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from service.caching.entry_keys import lock_key
from service.caching.memory import MemoryCache
from service.domain.errors import (
    AnswerTooLarge,
    BadGateway,
    Overloaded,
    RateLimited,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.freshness import Source as From
from service.reads.leases import TTL
from service.reads.results import VALUE, Fetched, Found
from testing.clocks import Clock
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.worlds import MeddledCache, Process, Source

READERS = 24


class World:
    def __init__(self) -> None:
        self.clock = Clock(time.time())
        self.shared = MemoryCache(10**7)
        self.source = Source()
        self.caches: list[MeddledCache] = []

    def process(self, **more: Any) -> Process:
        cache = MeddledCache(self.shared)
        self.caches.append(cache)
        return Process(cache, self.clock, **more)

    def all_wait(self, tasks: Sequence[Callable[[], object]], waiting: dict[Process, int], polls: int = 0) -> list[Any]:
        """What the tasks bring, where no fetch ends before each process has so many more readers waiting for it, and
        before there were so many attempts at a lease."""
        before = {process: process.waiting() for process in waiting}
        self.source.gate.clear()

        def open_the_gate() -> Any:
            eventually(lambda: all(one.waiting() - before[one] >= count for one, count in waiting.items()))
            eventually(lambda: self.attempts() >= polls)
            self.source.gate.set()

        return together(open_the_gate, *tasks)[1:]

    def attempts(self) -> int:
        return sum(1 for cache in self.caches for method, _ in tuple(cache.calls) if method == "acquire")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.source.gate.set()


def read(world: World, process: Process, **more: Any) -> Callable[[], Any]:
    return lambda: process.one(world.source, **more)


@pytest.mark.parametrize("gone", [False, True], ids=["cache", "no cache"])
def test_cold_readers_of_one_process_share_one_fetch(world: World, gone: bool) -> None:
    process = world.process()
    world.caches[0].gone = gone
    found = world.all_wait([read(world, process)] * READERS, {process: READERS - 1})
    assert {process.reads.body(each) for each in found} == {(b"answer 1",)}
    assert world.source.asked == [("key",)]
    assert sorted(each.provenance.shared for each in found) == [False] + [True] * (READERS - 1)


def test_readers_of_two_processes_share_one_fetch_at_first_and_at_expiry(world: World) -> None:
    one, other = world.process(), world.process()
    half = READERS // 2
    tasks = [read(world, process) for process in (one, other) for _ in range(half)]
    for number in (1, 2):
        found = world.all_wait(tasks, {one: half - 1, other: half - 1})
        assert one.texts(found) == {(b"answer %d" % number,)}
        assert len(world.source.asked) == number
        world.clock.pass_(500)


def test_a_stale_answer_is_refreshed_once_by_all_processes(world: World) -> None:
    processes = [world.process() for _ in range(4)]
    for process in processes:
        process.one(world.source)
    world.clock.pass_(10)
    world.source.gate.clear()
    found = together(*[read(world, process) for process in processes for _ in range(5)])
    assert {each.provenance.source for each in found} == {From.STORED_REVALIDATING}
    eventually(lambda: len(world.source.asked) == 2)
    world.source.gate.set()
    for process in processes:
        eventually(lambda process=process: process.text(world.source) == (b"answer 2",))
    assert len(world.source.asked) == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_readers_who_want_it_new_share_a_fetch_begun_after_they_asked(world: World, processes: int) -> None:
    all_ = [world.process() for _ in range(processes)]
    all_[0].one(world.source)
    asked_at = world.clock()
    world.clock.pass_(1)
    each = READERS // processes
    tasks = [read(world, process, no_cache=True, asked_at=asked_at + 0.5) for process in all_ for _ in range(each)]
    found = world.all_wait(tasks, dict.fromkeys(all_, each - 1))
    assert all_[0].texts(found) == {(b"answer 2",)}
    assert {one.provenance.source for one in found} == {From.FETCHED_ON_REQUEST}
    assert len(world.source.asked) == 2


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in this process", "in another"])
def test_a_fetch_begun_before_it_was_asked_for_is_not_new_enough(world: World, elsewhere: bool) -> None:
    one = world.process()
    asks = world.process() if elsewhere else one
    world.source.gate.clear()

    def ask_later() -> Any:
        eventually(lambda: world.source.asked)
        asked_at = world.clock() + 1
        world.clock.pass_(2)
        tasks = [read(world, asks, no_cache=True, asked_at=asked_at)] * READERS
        return world.all_wait(tasks, {asks: READERS - 1 if elsewhere else READERS})

    first, later = together(read(world, one), ask_later)
    assert one.reads.body(first) == (b"answer 1",)
    assert asks.texts(later) == {(b"answer 2",)}
    assert len(world.source.asked) == 2


def test_the_error_of_a_fetch_begun_before_it_was_asked_for_is_not_the_answer(world: World) -> None:
    process = world.process()
    world.source.says = lambda number: RuntimeUnavailable() if number == 1 else Fetched(VALUE, True, (b"new",))
    world.source.gate.clear()

    def ask_later() -> Any:
        eventually(lambda: world.source.asked)
        return world.all_wait([read(world, process, no_cache=True, asked_at=time.time())], {process: 1})[0]

    first, later = together(read(world, process), ask_later)
    assert isinstance(first, RuntimeUnavailable)
    assert isinstance(later, Found)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeUnavailable(),
        RuntimeTimeout(),
        RateLimited(9),
        BadGateway("x"),
        AnswerTooLarge(),
        RuntimeForbids(),
        RuntimeRefuses(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_shared_by_all_who_waited(world: World, error: ServiceError, processes: int) -> None:
    all_ = [world.process() for _ in range(processes)]
    world.source.says = lambda _: error
    each = READERS // processes
    tasks = [read(world, process) for process in all_ for _ in range(each)]
    found = world.all_wait(tasks, dict.fromkeys(all_, each - 1), polls=2 * processes - 1)
    assert {type(one) for one in found} == {type(error)}
    assert len(world.source.asked) == 1


def test_a_failure_noted_between_the_look_and_the_lease_counts(world: World) -> None:
    """The other process fails and lets go just when this one has looked for its failure and not found any."""
    waiting, other = world.process(), world.process()
    lock = lock_key("key")
    world.shared.acquire(lock, "the other", 60)
    tries = 0

    def fail_now(subject: object) -> None:
        nonlocal tries
        tries += subject == lock
        if tries == 2:
            other.reads._store.note_failure("key", "RuntimeForbids", world.clock())
            world.shared.release(lock, "the other")

    world.caches[0].before["acquire"] = fail_now
    assert isinstance(waiting.one(world.source), RuntimeForbids)
    assert world.source.asked == []


def test_a_failure_from_before_the_wait_says_nothing(world: World) -> None:
    process, other = world.process(), world.process()
    other.reads._store.note_failure("key", "RuntimeForbids", world.clock() - 0.5)
    assert world.shared.acquire(lock_key("key"), "the other", 0.2)
    assert isinstance(process.one(world.source), Found)


def test_a_process_that_died_while_fetching_is_replaced(world: World) -> None:
    locks = Clock(0.0)
    cache = MeddledCache(MemoryCache(10**7, locks))
    process = Process(cache, world.clock)
    assert cache.inner.acquire(lock_key("key"), "a process that was killed", TTL)

    def time_passes() -> None:
        eventually(lambda: sum(1 for call in cache.calls if call[0] == "acquire") >= 3)
        assert world.source.asked == [], "as long as it may be alive, it is waited for"
        locks.pass_(TTL)

    _, *found = together(time_passes, *[read(world, process)] * READERS)
    assert {process.reads.body(each) for each in found} == {(b"answer 1",)}
    assert len(world.source.asked) == 1


def test_two_processes_that_wait_for_a_dead_one_cause_one_fetch(world: World) -> None:
    locks = Clock(0.0)
    shared = MeddledCache(MemoryCache(10**7, locks))
    processes = [Process(shared, world.clock) for _ in range(3)]
    assert shared.inner.acquire(lock_key("key"), "a process that was killed", TTL)

    def time_passes() -> None:
        eventually(lambda: sum(1 for call in shared.calls if call[0] == "acquire") >= 9)
        locks.pass_(TTL)

    _, *found = together(time_passes, *[read(world, process) for process in processes])
    assert processes[0].texts(found) == {(b"answer 1",)}
    assert len(world.source.asked) == 1


def test_waiting_ends_at_the_readers_own_deadline(world: World) -> None:
    process = world.process()
    world.source.gate.clear()

    def impatient() -> object:
        eventually(lambda: world.source.asked)
        error = process.one(world.source, seconds=0.02)
        world.source.gate.set()
        return error

    patient, hasty = together(read(world, process), impatient)
    assert isinstance(hasty, RuntimeTimeout)
    assert isinstance(patient, Found), "the fetch goes on for those who can wait longer"
    assert len(world.source.asked) == 1


def test_waiting_for_another_process_ends_at_the_deadline(world: World) -> None:
    world.shared.acquire(lock_key("key"), "the other", 600)
    process = world.process()
    assert isinstance(process.one(world.source, seconds=0.1), RuntimeTimeout)
    assert world.source.asked == []


def test_beyond_the_limit_a_fetch_is_refused_but_what_is_stored_is_given(world: World) -> None:
    process = world.process(fetches=1)
    process.one(world.source, "fresh")
    process.one(world.source, "stale")
    world.clock.pass_(100)
    process.one(world.source, "fresh")
    world.source.gate.clear()

    def others() -> tuple[Any, ...]:
        eventually(lambda: ("slow",) in world.source.asked)
        results = tuple(process.one(world.source, key) for key in ("cold", "stale", "fresh"))
        world.source.gate.set()
        return results

    slow, (cold, stale, fresh) = together(read(world, process, key="slow"), others)
    assert isinstance(slow, Found)
    assert isinstance(cold, Overloaded)
    assert stale.provenance.source is From.STORED_ON_ERROR
    assert fresh.provenance.source is From.STORED
    assert isinstance(process.one(world.source, "cold"), Found), "the place is free again"


@pytest.mark.parametrize("processes", [1, 2])
def test_an_unexpected_error_reaches_everyone_and_leaves_nothing_behind(world: World, processes: int) -> None:
    all_ = [world.process() for _ in range(processes)]

    def raises(*_: object) -> Any:
        assert world.source.gate.wait(PATIENCE)
        raise ZeroDivisionError

    def tries(process: Process) -> bool:
        with pytest.raises(ZeroDivisionError):
            process.one(raises)
        return True

    each = READERS // processes
    tasks = [partial(tries, process) for process in all_ for _ in range(each)]
    assert world.all_wait(tasks, dict.fromkeys(all_, each - 1)) == [True] * READERS
    for process in all_:
        assert isinstance(process.one(world.source), Found)
    assert len(world.source.asked) == 1


def test_a_timeout_of_the_work_is_no_end_of_a_readers_wait(world: World) -> None:
    process = world.process()

    def raises(*_: object) -> Any:
        raise TimeoutError("unexpected")

    with pytest.raises(TimeoutError, match="unexpected"):
        process.one(raises)


def test_what_ran_out_of_the_fast_partitions_time_was_refused_and_what_had_all_its_time_timed_out(world: World) -> None:
    process = world.process(fetches=2)
    world.source.says = lambda _: RuntimeTimeout()
    world.source.gate.clear()

    def second() -> object:
        eventually(lambda: world.source.asked)
        return process.one(world.source, "second", seconds=5 * PATIENCE)

    def open_the_gate() -> None:
        eventually(lambda: len(world.source.asked) == 2)
        world.source.gate.set()

    slow, fast, _ = together(read(world, process, key="first", seconds=5 * PATIENCE), second, open_the_gate)
    assert isinstance(slow, RuntimeTimeout)
    assert isinstance(fast, Overloaded)


def test_trouble_in_one_process_leaves_another_to_its_own_judgement(world: World) -> None:
    one, other = world.process(), world.process()
    one.one(world.source)
    other.one(world.source)
    world.clock.pass_(100)
    world.source.says = lambda _: RuntimeUnavailable()
    assert one.came(world.source) is From.STORED_ON_ERROR
    world.source.says = None
    assert other.came(world.source) is From.FETCHED_OVER_STALE
    assert one.came(world.source) in {From.STORED, From.STORED_ON_ERROR}
    eventually(lambda: one.came(world.source) is From.STORED)
    assert one.text(world.source) == other.text(world.source)
