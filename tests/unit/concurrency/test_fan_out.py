"""Calls at once: results in their order, and given up together at the deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut
from service.domain.errors import RunNotFound, RuntimeTimeout, ServiceError
from testing.waiting import PATIENCE, eventually
from testing.work import calls


@pytest.fixture
def fan_out() -> Iterator[FanOut[ServiceError]]:
    made = FanOut(3, ServiceError, RuntimeTimeout)
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_calls_are_made_at_once_and_results_are_in_their_order(fan_out: FanOut[ServiceError]) -> None:
    meeting = threading.Barrier(3)

    def call(number: int) -> int:
        meeting.wait(PATIENCE)
        return number

    calls = [lambda number=number: call(number) for number in range(3)]
    assert fan_out.gather(calls, Deadline.after(PATIENCE)) == [0, 1, 2]


def test_more_calls_than_threads_are_all_made(fan_out: FanOut[ServiceError]) -> None:
    calls = [lambda number=number: number for number in range(50)]
    assert fan_out.gather(calls, Deadline.after(PATIENCE)) == list(range(50))
    assert fan_out.gather([], Deadline.after(PATIENCE)) == []


def test_a_domain_error_is_an_answer_like_any_other(fan_out: FanOut[ServiceError]) -> None:
    error = RunNotFound("run1")

    def fails() -> None:
        raise error

    assert fan_out.gather([fails, lambda: 1], Deadline.after(PATIENCE)) == [error, 1]


def test_any_other_error_is_raised(fan_out: FanOut[ServiceError]) -> None:
    with pytest.raises(ZeroDivisionError):
        fan_out.gather([lambda: 1, lambda: 1 // 0], Deadline.after(PATIENCE))
    assert fan_out.gather([lambda: 1], Deadline.after(PATIENCE)) == [1]


def test_at_the_deadline_what_has_ended_counts_and_the_rest_is_a_timeout(fan_out: FanOut[ServiceError], gate) -> None:
    ended = threading.Event()

    def slow() -> None:
        ended.wait(PATIENCE)  # until the other call has ended, and the time is up
        gate.wait(PATIENCE)

    deadline = Deadline.after(0.05)
    late, quick, never = fan_out.gather([slow, lambda: ended.set() or "quick", slow], deadline)
    assert isinstance(late, RuntimeTimeout)
    assert quick == "quick", "an answer that is there is given, however late"
    assert isinstance(never, RuntimeTimeout)


def test_a_call_given_up_before_its_turn_is_never_made(fan_out: FanOut[ServiceError], gate) -> None:
    begun: list[str] = []
    started = threading.Barrier(4)

    def slow() -> None:
        started.wait(PATIENCE)
        gate.wait(PATIENCE)

    taking_all = threading.Thread(target=fan_out.gather, args=([slow] * 3, Deadline.after(PATIENCE)))
    taking_all.start()
    started.wait(PATIENCE)
    [late] = fan_out.gather([lambda: begun.append("late")], Deadline.after(0))
    assert isinstance(late, RuntimeTimeout)
    gate.set()
    taking_all.join(PATIENCE)
    assert fan_out.gather([lambda: begun.append("next")], Deadline.after(PATIENCE)) == [None]
    eventually(lambda: begun)
    assert begun == ["next"]


def test_no_more_calls_are_under_way_than_may_be() -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def call(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.002)
        with lock:
            under_way -= 1
        if number == 7:
            raise RunNotFound("seven")
        return number

    fan_out = FanOut[ServiceError](16, ServiceError, RuntimeTimeout)
    try:
        found = fan_out.gather([partial(call, number) for number in range(30)], Deadline.after(20), at_once=3)
    finally:
        fan_out.close()
    assert most <= 3
    assert [one for one in found if isinstance(one, int)] == [number for number in range(30) if number != 7]
    assert isinstance(found[7], RunNotFound)


def test_what_has_not_begun_by_the_deadline_is_late_and_never_begins() -> None:
    release, begun = threading.Event(), list[int]()

    def call(number: int) -> None:
        begun.append(number)
        release.wait(20)

    fan_out = FanOut[ServiceError](16, ServiceError, RuntimeTimeout)
    try:
        found = fan_out.gather([partial(call, number) for number in range(9)], Deadline.after(0.1), at_once=2)
        release.set()
    finally:
        fan_out.close()
    assert all(isinstance(one, RuntimeTimeout) for one in found)
    assert sorted(begun) == [0, 1]


def test_calls_that_are_late_take_next_to_nothing(fan_out: FanOut[ServiceError], gate) -> None:
    """A run may name as many metrics as it likes; its reader does not wait longer for that."""

    def work(count: int) -> int:
        return calls(lambda: fan_out.gather([gate.wait] * count, Deadline.after(0), at_once=2))

    work(10)
    assert work(2000) < work(1000) + 5 * 1000
