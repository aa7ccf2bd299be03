"""Bulkhead: slow keys hold the slow half at most, and what is not known to be slow still gets through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded
from service.reads.bulkhead import QUEUE, SLOW_FOR, Bulkhead
from service.telemetry.prometheus import Telemetry
from testing.clocks import Clock
from testing.waiting import PATIENCE, eventually

PLACES = 4
PATIENT = BRIEF = PLACES // 2


@dataclass
class Road:
    """Bulkhead, and fetches that take until their key's gate is opened."""

    telemetry: Telemetry = field(default_factory=Telemetry)
    clock: Clock = field(default_factory=lambda: Clock(0.0))
    granted: dict[str, float] = field(default_factory=dict)
    begun: dict[str, Future[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bulkhead = Bulkhead(PLACES, fast_seconds=1.0, telemetry=self.telemetry, clock=self.clock)
        self.gates: dict[str, threading.Event] = {}

    def begin(self, key: str) -> None:
        gate = self.gates.setdefault(key, threading.Event())

        def work(deadline: Deadline) -> None:
            self.granted[key] = deadline.remaining()
            assert gate.wait(PATIENCE)

        self.begun[key] = self.bulkhead.begin((key,), Deadline.after(PATIENCE), work)

    def fill(self, *keys: str) -> None:
        for key in keys:
            self.begin(key)
        eventually(lambda: set(keys) <= set(self.granted))

    def end(self, *keys: str, after: float = 0.0) -> None:
        self.clock.pass_(after)
        for key in keys:
            self.gates[key].set()
        for key in keys:
            self.begun[key].result(PATIENCE)
            del self.gates[key], self.granted[key]

    def under_way(self, partition: str) -> float | None:
        return self.telemetry.registry.get_sample_value(
            "metric_resource_fetches", {"connection": "", "partition": partition}
        )


@pytest.fixture
def road() -> Iterator[Road]:
    made = Road()
    yield made
    for gate in made.gates.values():
        gate.set()
    made.bulkhead.close()


def test_a_fetch_has_all_its_time_while_there_is_room_and_little_when_there_is_not(road: Road) -> None:
    road.fill("a", "b", "c")
    assert min(road.granted["a"], road.granted["b"]) > 1.0
    assert road.granted["c"] <= 1.0
    assert (road.under_way("slow"), road.under_way("fast")) == (2, 1)


def test_what_is_known_to_be_slow_never_takes_a_brief_place(road: Road) -> None:
    road.fill("slow", "b")
    road.end("slow", "b", after=2.0)
    road.fill("other", "another")
    with pytest.raises(Overloaded):
        road.begin("slow")
    road.fill("quick")
    road.end("other")
    road.fill("slow")
    assert road.granted["slow"] > 1.0, "a slow place is for any"


def test_slowness_is_forgotten_after_a_while_and_by_a_quick_fetch(road: Road) -> None:
    road.fill("a", "b")
    road.end("a", "b", after=2.0)
    road.fill("b")
    road.end("b")
    road.fill("c", "d")
    road.fill("b")
    with pytest.raises(Overloaded):
        road.begin("a")
    road.clock.pass_(SLOW_FOR + 1)
    road.fill("a")


def test_the_queue_is_short_and_a_turn_that_comes_too_late_is_none(road: Road) -> None:
    road.fill("a", "b", "c", "d")
    queued = [f"queued-{number}" for number in range(QUEUE * BRIEF)]
    for key in queued:
        road.begin(key)
    with pytest.raises(Overloaded):
        road.begin("one-too-many")
    assert not set(queued) & set(road.granted)
    road.end("c")
    eventually(lambda: queued[0] in road.granted)


def test_every_place_is_given_back_whatever_comes_of_the_fetch(road: Road) -> None:
    def raises(_: Deadline) -> None:
        raise ZeroDivisionError

    for _ in range(3 * PLACES):
        with pytest.raises(ZeroDivisionError):
            road.bulkhead.begin(("key",), Deadline.after(PATIENCE), raises).result(PATIENCE)
    assert not road.under_way("slow")
    road.fill("a", "b", "c", "d")


def test_a_place_is_free_when_those_who_wait_are_woken(road: Road) -> None:
    road.fill("a", "b", "c", "d")
    again: list[str] = []

    def begin_next(_: Future[None]) -> None:
        road.begin("next")
        again.append("next")

    road.begun["a"].add_done_callback(begin_next)
    road.end("a")
    eventually(lambda: again)
    eventually(lambda: "next" in road.granted)
    assert road.granted["next"] > 1.0, "the slow place that was left"


def test_after_closing_nothing_begins(road: Road) -> None:
    road.bulkhead.close()
    for _ in range(2 * PLACES):
        with pytest.raises(Overloaded):
            road.begin("a")
