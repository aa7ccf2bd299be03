"""The threads that serve requests: as many work as may, those that wait give their place away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import pytest

from service.concurrency.blocking import waiting
from service.domain.errors import Overloaded
from service.server.threads import RequestThreads
from testing.waiting import eventually

PATIENCE = 30


@pytest.fixture
def threads() -> Iterator[RequestThreads]:
    made = RequestThreads(2, 3, 3)
    yield made
    made.shutdown()


def submit(threads: RequestThreads, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(task(*arguments))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever submitted the task
            future.set_exception(error)

    threads.start(run)
    return future


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


def test_results_and_errors_reach_whoever_asked(threads: RequestThreads) -> None:
    def fails() -> None:
        raise ValueError("so it is")

    assert [each.result(PATIENCE) for each in [submit(threads, pow, 2, n) for n in range(50)]] == [
        2**n for n in range(50)
    ]
    with pytest.raises(ValueError, match="so it is"):
        submit(threads, fails).result(PATIENCE)
    assert submit(threads, int, "7").result(PATIENCE) == 7


def test_no_more_work_at_once_than_may(threads: RequestThreads) -> None:
    gate = Gate()
    tasks = [submit(threads, gate.stay) for _ in range(10)]
    gate.until(2)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done
    assert gate.most == 2


def test_those_that_wait_hold_no_other_up(threads: RequestThreads) -> None:
    gate = Gate()
    tasks = [submit(threads, gate.stay_waiting) for _ in range(3)]
    gate.until(3)
    assert [submit(threads, int, str(n)).result(PATIENCE) for n in range(20)] == list(range(20))
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_more_than_may_wait_are_refused_and_work_goes_on(threads: RequestThreads) -> None:
    gate = Gate()
    tasks = [submit(threads, gate.stay_waiting) for _ in range(3)]
    gate.until(3)
    with pytest.raises(Overloaded):
        submit(threads, gate.stay_waiting).result(PATIENCE)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done
    assert submit(threads, gate.stay_waiting).result(PATIENCE) is None


def test_places_come_back_when_the_wait_is_over(threads: RequestThreads) -> None:
    for _ in range(20):
        first, second = Gate(), Gate()
        waits = [submit(threads, first.stay_waiting) for _ in range(3)]
        first.until(3)
        first.open.set()
        assert not wait(waits, PATIENCE).not_done
        works = [submit(threads, second.stay) for _ in range(6)]
        second.until(2)
        second.open.set()
        assert not wait(works, PATIENCE).not_done
        assert second.most == 2


@pytest.mark.parametrize("for_client", [False, True])
def test_those_that_are_woken_together_go_on_a_few_at_a_time(for_client: bool) -> None:
    threads = RequestThreads(1, 20, 20, stuck=PATIENCE)
    crowd, work = Gate(), Gate()
    own_wait = threads.waiting_for_client if for_client else waiting

    def stay_and_work() -> None:
        with own_wait():
            crowd.stay()
        work.stay()

    tasks = [submit(threads, stay_and_work) for _ in range(20)]
    crowd.until(20)
    crowd.open.set()
    eventually(lambda: work.inside >= 2)
    time.sleep(0.05)  # in which others would come
    work.open.set()
    assert not wait(tasks, PATIENCE).not_done
    assert work.most == 2
    threads.shutdown()


def test_those_that_are_waited_for_by_the_working_ones_go_on_all_the_same() -> None:
    threads, crowd = RequestThreads(1, 20), Gate()
    together = threading.Barrier(20)

    def stay_and_meet() -> None:
        crowd.stay_waiting()
        together.wait(PATIENCE)

    tasks = [submit(threads, stay_and_meet) for _ in range(20)]
    crowd.until(20)
    crowd.open.set()
    assert [each.result(PATIENCE) for each in tasks] == [None] * 20
    threads.shutdown()


def test_after_the_end_nothing_begins_but_what_was_queued_is_done() -> None:
    threads, gate = RequestThreads(1, 1, 1), Gate()
    tasks: list[Future[None]] = [submit(threads, gate.stay) for _ in range(3)]
    gate.until(1)
    threads.shutdown()
    with pytest.raises(RuntimeError):
        submit(threads, gate.stay)
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_waits_for_clients_are_counted_apart_from_those_for_the_runtime(threads: RequestThreads) -> None:
    gate = Gate()

    def stay_for_client() -> None:
        with threads.waiting_for_client():
            gate.stay()

    tasks = [submit(threads, task) for task in [gate.stay_waiting] * 3 + [stay_for_client] * 3]
    gate.until(6)
    for task in (gate.stay_waiting, stay_for_client):
        with pytest.raises(Overloaded):
            submit(threads, task).result(PATIENCE)
    assert submit(threads, int, "7").result(PATIENCE) == 7
    gate.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_where_no_thread_can_be_had_those_there_are_go_on(threads: RequestThreads) -> None:
    gate = Gate()
    first = submit(threads, gate.stay)
    gate.until(1)
    before = threading.stack_size(1 << 46)  # more than any system gives
    try:
        queued = [submit(threads, gate.stay) for _ in range(3)]
    finally:
        threading.stack_size(before)
    gate.open.set()
    assert not wait([first, *queued], PATIENCE).not_done
    again = Gate()
    tasks = [submit(threads, again.stay) for _ in range(4)]
    again.until(2)
    again.open.set()
    assert not wait(tasks, PATIENCE).not_done


def test_waiting_on_a_thread_of_nobodys_is_just_waiting() -> None:
    with waiting():
        pass
    assert threading.current_thread().is_alive()


def test_who_comes_behind_a_crowd_does_not_wait_for_all_of_it_nor_the_crowd_for_all_behind_it() -> None:
    threads, gate, served = RequestThreads(1, 1, 1), Gate(), list[int]()
    held = submit(threads, gate.stay)
    gate.until(1)
    crowd = [submit(threads, served.append, number) for number in range(100)]
    gate.open.set()
    assert not wait([held, *crowd], PATIENCE).not_done
    assert served[:6] == [99, 0, 98, 1, 97, 2]
    threads.shutdown()


def test_without_a_crowd_first_come_is_first_served() -> None:
    threads, gate, served = RequestThreads(1, 1, 1), Gate(), list[int]()
    held = submit(threads, gate.stay)
    gate.until(1)
    queued = [submit(threads, served.append, number) for number in range(8)]
    gate.open.set()
    assert not wait([held, *queued], PATIENCE).not_done
    assert served == list(range(8))
    threads.shutdown()


def test_a_thread_may_have_to_wait_before_each_task() -> None:
    gate = Gate()
    threads, served = RequestThreads(1, 1, 1, before_each=gate.stay), list[int]()
    queued = [submit(threads, served.append, number) for number in range(3)]
    gate.until(1)
    assert served == []
    gate.open.set()
    assert not wait(queued, PATIENCE).not_done
    assert served == [0, 1, 2]
    threads.shutdown()


def test_they_are_idle_while_nothing_is_worked_on_or_waits(threads: RequestThreads) -> None:
    gate = Gate()
    assert threads.are_idle
    for stay in (gate.stay, gate.stay_waiting):
        gate.open.clear()
        done = submit(threads, stay)
        eventually(lambda: gate.inside == 1)
        assert not threads.are_idle
        gate.open.set()
        done.result(PATIENCE)
        eventually(lambda: threads.are_idle)
