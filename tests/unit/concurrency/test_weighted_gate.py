"""Work by its weight: as much as there is room for, in the order that it came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from service.concurrency import blocking
from service.concurrency.weighted_gate import GateFull, WeightedGate
from tests.unit.concurrency.places import Places

PATIENCE = 30


class Work:
    """Stays inside until it is let go."""

    def __init__(self, gate: WeightedGate, weight: int, order: list[Work]) -> None:
        self.inside = threading.Event()
        self.go = threading.Event()
        self._gate, self._weight, self._order = gate, weight, order

    def __call__(self) -> None:
        with self._gate.admitted(self._weight, PATIENCE):
            self._order.append(self)
            self.inside.set()
            assert self.go.wait(PATIENCE)


def test_work_waits_for_room_in_its_order_without_a_place() -> None:
    gate, places = WeightedGate(10, free=1, most_waiting=9), Places()
    order: list[Work] = []
    first, heavy, light = (Work(gate, weight, order) for weight in (6, 100, 4))
    with ThreadPoolExecutor(3, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        begin: Callable[[Work], Future[None]] = pool.submit
        tasks = [begin(first)]
        assert first.inside.wait(PATIENCE)
        tasks.append(begin(heavy))  # heavier than all the room: it goes alone
        places.until_lent(1)
        tasks.append(begin(light))  # there is room for it, but it is not its turn
        places.until_lent(2)
        with gate.admitted(1, 0):
            assert order == [first]  # what is small passes
        first.go.set()
        assert heavy.inside.wait(PATIENCE)
        places.until_lent(1)
        heavy.go.set()
        assert light.inside.wait(PATIENCE)
        light.go.set()
        for task in tasks:
            task.result(PATIENCE)
    assert order == [first, heavy, light]
    assert places.released == 0


def test_the_wait_is_bounded_in_number_and_time_and_leaves_no_trace() -> None:
    gate, places = WeightedGate(10, free=0, most_waiting=1), Places()
    with ThreadPoolExecutor(1, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        with gate.admitted(10, 0):
            with pytest.raises(TimeoutError), gate.admitted(10, 0.01):
                pass
            waiter = Work(gate, 10, [])
            task = pool.submit(waiter)
            places.until_lent(1)
            with pytest.raises(GateFull), gate.admitted(1, PATIENCE):
                pass
        assert waiter.inside.wait(PATIENCE)
        waiter.go.set()
        task.result(PATIENCE)
    with gate.admitted(10, 0):
        pass


def test_a_refused_wait_leaves_no_trace() -> None:
    gate = WeightedGate(10, free=0, most_waiting=5)

    def refused() -> None:
        blocking.set_slot_owner(Places(most=0))
        with gate.admitted(10, PATIENCE):
            pass

    with ThreadPoolExecutor(1) as pool, gate.admitted(10, 0), pytest.raises(RuntimeError, match="too many wait"):
        pool.submit(refused).result(PATIENCE)
    with gate.admitted(10, 0):
        pass


def test_what_goes_wrong_inside_gives_the_room_back() -> None:
    gate = WeightedGate(10, free=0, most_waiting=0)
    with pytest.raises(ValueError, match="inside"), gate.admitted(10, 0):
        raise ValueError("inside")
    with gate.admitted(10, 0):
        pass
