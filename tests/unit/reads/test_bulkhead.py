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
FAST = PLACES // 2


@dataclass
class Filled:
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
def bulkhead() -> Iterator[Filled]:
    made = Filled()
    yield made
    for gate in made.gates.values():
        gate.set()
    made.bulkhead.close()


def test_a_fetch_has_all_its_time_while_there_is_room_and_little_when_there_is_not(bulkhead: Filled) -> None:
    bulkhead.fill("a", "b", "c")
    assert min(bulkhead.granted["a"], bulkhead.granted["b"]) > 1.0
    assert bulkhead.granted["c"] <= 1.0
    assert (bulkhead.under_way("slow"), bulkhead.under_way("fast")) == (2, 1)


def test_what_is_known_to_be_slow_never_takes_a_fast_place(bulkhead: Filled) -> None:
    bulkhead.fill("slow", "b")
    bulkhead.end("slow", "b", after=2.0)
    bulkhead.fill("other", "another")
    with pytest.raises(Overloaded):
        bulkhead.begin("slow")
    bulkhead.fill("quick")
    bulkhead.end("other")
    bulkhead.fill("slow")
    assert bulkhead.granted["slow"] > 1.0, "a slow place is for any"


def test_slowness_is_forgotten_after_a_while_and_by_a_quick_fetch(bulkhead: Filled) -> None:
    bulkhead.fill("a", "b")
    bulkhead.end("a", "b", after=2.0)
    bulkhead.fill("b")
    bulkhead.end("b")
    bulkhead.fill("c", "d")
    bulkhead.fill("b")
    with pytest.raises(Overloaded):
        bulkhead.begin("a")
    bulkhead.clock.pass_(SLOW_FOR + 1)
    bulkhead.fill("a")


def test_the_queue_is_short_and_a_turn_that_comes_too_late_is_none(bulkhead: Filled) -> None:
    bulkhead.fill("a", "b", "c", "d")
    queued = [f"queued-{number}" for number in range(QUEUE * FAST)]
    for key in queued:
        bulkhead.begin(key)
    with pytest.raises(Overloaded):
        bulkhead.begin("one-too-many")
    assert not set(queued) & set(bulkhead.granted)
    bulkhead.end("c")
    eventually(lambda: queued[0] in bulkhead.granted)


def test_every_place_is_given_back_whatever_comes_of_the_fetch(bulkhead: Filled) -> None:
    def raises(_: Deadline) -> None:
        raise ZeroDivisionError

    for _ in range(3 * PLACES):
        with pytest.raises(ZeroDivisionError):
            bulkhead.bulkhead.begin(("key",), Deadline.after(PATIENCE), raises).result(PATIENCE)
    assert not bulkhead.under_way("slow")
    bulkhead.fill("a", "b", "c", "d")


def test_a_place_is_free_when_those_who_wait_are_woken(bulkhead: Filled) -> None:
    bulkhead.fill("a", "b", "c", "d")
    again: list[str] = []

    def begin_next(_: Future[None]) -> None:
        bulkhead.begin("next")
        again.append("next")

    bulkhead.begun["a"].add_done_callback(begin_next)
    bulkhead.end("a")
    eventually(lambda: again)
    eventually(lambda: "next" in bulkhead.granted)
    assert bulkhead.granted["next"] > 1.0, "the slow place that was left"


def test_after_closing_nothing_begins(bulkhead: Filled) -> None:
    bulkhead.bulkhead.close()
    for _ in range(2 * PLACES):
        with pytest.raises(Overloaded):
            bulkhead.begin("a")
