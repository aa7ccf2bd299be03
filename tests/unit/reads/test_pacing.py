"""What clients force is fetched once in ``min_refresh`` seconds, over all processes, and never older than they asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from service.caching.memory import MemoryCache
from service.concurrency.blocking import set_slot_owner
from service.domain.errors import CacheUnavailable, Overloaded, RuntimeUnavailable, ServiceError, TooSoon
from service.domain.freshness import RequestCachePolicy, RequestDirectives
from service.reads.pacing import Pacing
from service.reads.results import VALUE, Fetched, Found
from service.reads.shared_fetches import MOST_PAUSING
from testing.clocks import Clock
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.rows import each_row
from tests.unit.reads.worlds import LIFETIMES, MeddledCache, Process, Source, read

PACED = replace(LIFETIMES, min_refresh=1)
BEGAN = 1_000_000.0
MOMENT = 2**-10


class Waits(Clock):
    """A clock whose sleepers wait for the test to let time pass."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.asleep = 0
        self._passed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        with self._passed:
            ends = self.now + seconds
            self.asleep += 1
            assert self._passed.wait_for(lambda: self.now >= ends, PATIENCE)
            self.asleep -= 1

    def pass_(self, seconds: float) -> None:
        with self._passed:
            self.now += seconds
            self._passed.notify_all()


class World:
    """Processes on one cache and one clock, and what they fetch from."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock(BEGAN)
        self.cache = MeddledCache(MemoryCache(10**7, clock=self.clock))
        self.source = Source()

    def process(self, min_refresh: float = 1) -> Process:
        return Process(self.cache, self.clock, lifetimes=replace(PACED, min_refresh=min_refresh))

    def asked(self) -> int:
        return len(self.source.asked)

    def refresh(self, process: Process, source: Source | None = None, **more: Any) -> Found | ServiceError:
        """Asked a moment after what came before: what was fetched in the very same would do."""
        self.clock.pass_(MOMENT)
        return process.one(source or self.source, no_cache=True, **more)


@pytest.fixture
def world() -> World:
    return World()


def fetched_at(found: Found | ServiceError) -> float:
    assert isinstance(found, Found), found
    return found.header.fetched_at


def test_the_second_of_two_waits_for_data_of_after_it_asked(world: World) -> None:
    process = world.process()
    assert fetched_at(process.one(world.source, no_cache=True)) == BEGAN
    world.clock.pass_(0.3)
    assert fetched_at(process.one(world.source, no_cache=True)) == pytest.approx(BEGAN + 1)
    assert world.asked() == 2


def test_it_is_so_over_all_processes(world: World) -> None:
    for number in range(5):
        asked_at = world.clock.now
        assert fetched_at(world.refresh(world.process())) >= asked_at
        assert world.clock.now == pytest.approx(BEGAN + number, abs=0.1)
    assert world.asked() == 5


def test_a_fetch_that_nobody_forced_holds_no_refresh_up(world: World) -> None:
    process = world.process()
    process.one(world.source)
    world.refresh(process)
    assert (world.asked(), world.clock.now) == (2, BEGAN + MOMENT)


def test_once_the_time_is_over_nobody_waits(world: World) -> None:
    process = world.process()
    world.refresh(process)
    world.clock.pass_(1.0)
    world.refresh(process)
    assert (world.asked(), world.clock.now) == (2, BEGAN + 1 + 2 * MOMENT)


def test_without_a_distance_each_is_a_fetch_at_once(world: World) -> None:
    process = world.process(min_refresh=0)
    for _ in range(3):
        world.refresh(process)
    assert (world.asked(), world.clock.now) == (3, BEGAN + 3 * MOMENT)


def test_all_who_ask_meanwhile_are_given_one_fetch_together() -> None:
    clock = Waits(BEGAN)
    world = World(clock)
    processes = [Process(world.cache, clock, lifetimes=PACED, sleep=clock.sleep) for _ in range(2)]
    processes[0].one(world.source, no_cache=True)
    clock.pass_(0.2)
    results: list[object] = []
    tasks = [partial(processes[number % 2].one, world.source, no_cache=True) for number in range(12)]
    waiting = threading.Thread(target=lambda: results.extend(together(*tasks)))
    waiting.start()
    eventually(lambda: clock.asleep == len(tasks))
    assert world.asked() == 1
    clock.pass_(0.81)
    waiting.join(PATIENCE)
    assert all(isinstance(found, Found) and fetched_at(found) >= BEGAN + 1 for found in results)
    assert world.asked() == 2


def test_those_who_wait_are_bounded_apart_from_those_who_wait_for_the_runtime() -> None:
    clock = Waits(BEGAN)
    world = World(clock)
    process = Process(world.cache, clock, lifetimes=PACED, sleep=clock.sleep)
    process.one(world.source, no_cache=True)
    clock.pass_(0.2)
    results: list[object] = []
    tasks = [partial(process.one, world.source, no_cache=True)] * (MOST_PAUSING + 3)
    waiting = threading.Thread(target=lambda: results.extend(together(*tasks)))
    waiting.start()
    refusals = partial(
        process.telemetry.registry.get_sample_value, "metric_resource_refusals_total", {"reason": "overloaded"}
    )
    eventually(lambda: clock.asleep == MOST_PAUSING and refusals() == 3)
    assert isinstance(process.one(world.source, "another"), Found), "others read on"
    clock.pass_(1.0)
    waiting.join(PATIENCE)
    assert sum(isinstance(found, Overloaded) for found in results) == 3
    assert sum(isinstance(found, Found) for found in results) == MOST_PAUSING
    assert world.asked() == 3


@pytest.mark.parametrize(
    ("age", "directives", "asked"),
    [
        (0.0, {"max_age": 0}, 0),
        (0.9, {"max_age": 0}, 0),
        (1.0, {"max_age": 0}, 1),
        (0.9, {"max_age": 0, "no_store": True}, 0),
        (0.9, {"min_fresh": 100}, 0),
        (1.1, {"min_fresh": 100}, 1),
        (0.9, {"max_age": 0, "no_cache": True}, 1),
        (0.0, {"no_cache": True}, 1),
    ],
)
def test_who_speaks_of_age_is_content_with_what_is_a_moment_old(
    world: World, age: float, directives: dict[str, Any], asked: int
) -> None:
    process = world.process()
    process.one(world.source)
    world.clock.pass_(age)
    process.one(world.source, asked_at=world.clock.now + 1e-6, **directives)
    assert world.asked() == 1 + asked


def test_polls_of_what_is_never_fresh_are_fetched_once_in_that_time(world: World) -> None:
    process = Process(world.cache, world.clock, lifetimes=replace(PACED, fresh_running=0))
    for _ in range(40):
        found = process.one(world.source, max_age=0)
        assert world.clock.now - fetched_at(found) < 1
        world.clock.pass_(0.1)
    assert world.asked() == 4


@pytest.mark.parametrize(
    "directives",
    [{"no_cache": True}, {"no_cache": True, "no_store": True}, {"max_age": 0, "no_store": True}, {"min_fresh": 400}],
)
def test_whatever_forces_a_fetch_and_however_it_ends_they_keep_their_distance(
    world: World, directives: dict[str, Any]
) -> None:
    process = world.process()
    process.one(world.source)
    world.clock.pass_(2)
    for _ in range(4):
        world.process().one(world.source, **directives)
    elapsed = world.clock.now - BEGAN - 2
    assert world.asked() - 1 <= elapsed + 1


def test_fetches_that_fail_keep_it_too(world: World) -> None:
    failing = Source(says=lambda _: RuntimeUnavailable())
    process = world.process()
    for _ in range(3):
        assert isinstance(world.refresh(process, failing), RuntimeUnavailable)
    assert len(failing.asked) == 3
    assert world.clock.now >= BEGAN + 2


def test_who_forces_nothing_does_not_wait_for_those_who_do(world: World) -> None:
    failing = Source(says=lambda _: RuntimeUnavailable())
    process = world.process()
    world.refresh(process, failing)
    assert fetched_at(process.one(world.source)) == BEGAN + MOMENT
    assert world.clock.now == BEGAN + MOMENT


def test_reading_anew_what_has_gone_is_no_clients_doing(world: World) -> None:
    process = world.process()
    process.one(world.source, no_cache=True)
    anew = replace(RequestCachePolicy.no_cache(), asked_at=BEGAN + MOMENT)
    read(process.reads, ["key"], world.source, anew)
    assert (world.asked(), world.clock.now) == (2, BEGAN)


def test_a_wait_beyond_the_deadline_is_refused_and_says_when(world: World) -> None:
    process = world.process(min_refresh=60)
    process.one(world.source, no_cache=True)
    world.clock.pass_(10)
    refused = process.one(world.source, no_cache=True, seconds=20)
    assert isinstance(refused, Overloaded)
    assert refused.retry_after == 50
    assert isinstance(process.one(world.source, min_fresh=1000, seconds=20), Found), "a stored answer stands in"
    assert (world.asked(), world.clock.now) == (1, BEGAN + 10)


def test_keys_keep_their_distance_each_by_itself(world: World) -> None:
    process = world.process()
    process.one(world.source, "one", no_cache=True)
    world.clock.pass_(MOMENT)
    found = process.read(world.source, "one", "another", no_cache=True)
    assert [fetched_at(found["another"]), fetched_at(found["one"])] == pytest.approx([BEGAN + MOMENT, BEGAN + 1])
    assert world.source.asked == [("one",), ("another",), ("one",)]


def test_without_the_shared_cache_each_process_keeps_it(world: World) -> None:
    world.cache.gone = True
    process = world.process()
    for _ in range(3):
        world.refresh(process)
    assert world.asked() == 3
    assert world.clock.now >= BEGAN + 2


def test_who_waits_gives_the_place_away(world: World) -> None:
    taken: list[str] = []

    class SlotOwner:
        def release_slot(self) -> None:
            taken.append("released")

        def reacquire_slot(self) -> None:
            taken.append("taken back")

    def sleep(seconds: float) -> None:
        taken.append("slept")
        world.clock.pass_(seconds)

    process = Process(world.cache, world.clock, lifetimes=PACED, sleep=sleep)

    def read() -> None:
        set_slot_owner(SlotOwner())
        world.refresh(process)
        taken.clear()
        world.refresh(process)

    together(read)
    assert taken == ["released", "taken back", "released", "slept", "taken back", "released", "taken back"]


@each_row("ahead", [-3600.0, -0.5, 0.0, 0.5, 3600.0])
def test_hosts_whose_clocks_differ_wait_no_longer_than_the_distance(ahead: float) -> None:
    cache = MemoryCache(10**6, clock=lambda: BEGAN)
    assert Pacing(cache, 1, lambda: BEGAN).begin("key", None) == 0
    wait = Pacing(cache, 1, lambda: BEGAN + ahead).begin("key", BEGAN)
    assert 0 < wait <= 1


def test_trouble_with_the_cache_is_no_trouble_of_the_reader() -> None:
    def trouble(_: object) -> None:
        raise CacheUnavailable

    cache, clock = MeddledCache(), Clock(BEGAN)
    cache.before["acquire"] = trouble
    pacing = Pacing(cache, 1, clock)
    begins: list[Callable[[], float]] = [partial(pacing.begin, "key", None)] * 2
    assert [begin() == 0 for begin in begins] == [True, False]
    clock.pass_(1)
    assert pacing.begin("key", None) == 0


def test_a_value_that_came_before_the_asking_is_never_given(world: World) -> None:
    """Whatever the order in which readers come and time goes by."""
    processes = [world.process() for _ in range(3)]
    for number in range(60):
        asked_at = world.clock.now
        found = processes[number * 7 % 3].one(Source(says=lambda _: Fetched(VALUE)), no_cache=True)
        assert fetched_at(found) >= asked_at
        world.clock.pass_((number % 5) * 0.17)


def test_who_does_not_wait_is_told_how_long_it_would_be(world: World) -> None:
    process = world.process()
    world.refresh(process)
    world.clock.pass_(0.25)
    cache_policy = RequestCachePolicy(RequestDirectives(no_cache=True), world.clock.now, waits=False)
    found = read(process.reads, ["key", "new"], world.source, cache_policy)
    assert isinstance(found["new"], Found)
    assert isinstance(found["key"], TooSoon)
    assert found["key"].seconds == pytest.approx(0.75)
    assert world.clock.now == BEGAN + MOMENT + 0.25
