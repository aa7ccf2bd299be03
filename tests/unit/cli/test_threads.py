"""The threads that serve requests: as many work as may, those that wait give their place away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from service.cli.threads import LendingThreads
from service.concurrency.blocking import waiting
from service.domain.errors import Overloaded

PATIENCE = 30


@pytest.fixture
def threads() -> Iterator[LendingThreads]:
    made = LendingThreads(2, 3)
    yield made
    made.shutdown()


class Gate:
    """Tasks that stay until they are let go, and how many were in at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self._changed = threading.Condition()

    def stay(self) -> None:
        with self._changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self._changed.notify_all()
        assert self.open.wait(PATIENCE)
        with self._changed:
            self.inside -= 1

    def stay_waiting(self) -> None:
        with waiting():
            self.stay()

    def until(self, inside: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.inside == inside, PATIENCE)


def test_results_and_errors_reach_whoever_asked(threads: LendingThreads) -> None:
    def fails() -> None:
        raise ValueError("so it is")

    assert [each.result(PATIENCE) for each in [threads.submit(pow, 2, n) for n in range(50)]] == [
        2**n for n in range(50)
    ]
    with pytest.raises(ValueError, match="so it is"):
        threads.submit(fails).result(PATIENCE)
    assert threads.submit(int, "7").result(PATIENCE) == 7


def test_no_more_work_at_once_than_may(threads: LendingThreads) -> None:
    gate = Gate()
    tasks = [threads.submit(gate.stay) for _ in range(10)]
    gate.until(2)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done
    assert gate.most == 2


def test_those_that_wait_hold_nobody_up(threads: LendingThreads) -> None:
    gate = Gate()
    tasks = [threads.submit(gate.stay_waiting) for _ in range(3)]
    gate.until(3)
    assert [threads.submit(int, str(n)).result(PATIENCE) for n in range(20)] == list(range(20))
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_more_than_may_wait_are_refused_and_work_goes_on(threads: LendingThreads) -> None:
    gate = Gate()
    tasks = [threads.submit(gate.stay_waiting) for _ in range(3)]
    gate.until(3)
    with pytest.raises(Overloaded):
        threads.submit(gate.stay_waiting).result(PATIENCE)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done
    assert threads.submit(gate.stay_waiting).result(PATIENCE) is None


def test_places_come_back_when_the_wait_is_over(threads: LendingThreads) -> None:
    for _ in range(20):
        first, second = Gate(), Gate()
        waits = [threads.submit(first.stay_waiting) for _ in range(3)]
        first.until(3)
        first.open.set()
        assert not wait(waits, PATIENCE).not_done
        works = [threads.submit(second.stay) for _ in range(6)]
        second.until(2)
        second.open.set()
        assert not wait(works, PATIENCE).not_done
        assert second.most == 2


def test_after_the_end_nothing_begins_but_what_was_queued_is_done() -> None:
    threads, gate = LendingThreads(1, 1), Gate()
    tasks: list[Future[None]] = [threads.submit(gate.stay) for _ in range(3)]
    gate.until(1)
    threads.shutdown(wait=False)
    with pytest.raises(RuntimeError):
        threads.submit(gate.stay)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_waiting_on_a_thread_of_nobodys_is_just_waiting() -> None:
    with waiting():
        pass
    assert threading.current_thread().is_alive()
