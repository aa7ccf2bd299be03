"""Questions side by side: all at once, in their order, and given up together at the deadline."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import SideBySide
from service.domain.errors import RunNotFound, RuntimeTimeout
from tests.unit.runtimes.worlds import PATIENCE, eventually


@pytest.fixture
def asks() -> Iterator[SideBySide]:
    made = SideBySide(3)
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_questions_are_asked_at_once_and_answered_in_their_order(asks: SideBySide) -> None:
    meeting = threading.Barrier(3)

    def question(number: int) -> int:
        meeting.wait(PATIENCE)
        return number

    asked = [lambda number=number: question(number) for number in range(3)]
    assert asks.ask(asked, Deadline.after(PATIENCE)) == [0, 1, 2]


def test_more_questions_than_threads_are_all_answered(asks: SideBySide) -> None:
    asked = [lambda number=number: number for number in range(50)]
    assert asks.ask(asked, Deadline.after(PATIENCE)) == list(range(50))
    assert asks.ask([], Deadline.after(PATIENCE)) == []


def test_a_domain_error_is_an_answer_like_any_other(asks: SideBySide) -> None:
    error = RunNotFound("run1")

    def fails() -> None:
        raise error

    assert asks.ask([fails, lambda: 1], Deadline.after(PATIENCE)) == [error, 1]


def test_any_other_error_is_raised(asks: SideBySide) -> None:
    with pytest.raises(ZeroDivisionError):
        asks.ask([lambda: 1, lambda: 1 // 0], Deadline.after(PATIENCE))
    assert asks.ask([lambda: 1], Deadline.after(PATIENCE)) == [1]


def test_at_the_deadline_what_is_answered_counts_and_the_rest_is_a_timeout(asks: SideBySide, gate) -> None:
    quick = asks.begin(lambda: "quick")
    assert quick.answer(Deadline.after(PATIENCE)) == "quick"
    slow, never = asks.ask([lambda: gate.wait(PATIENCE), lambda: gate.wait(PATIENCE)], Deadline.after(0.01))
    assert isinstance(slow, RuntimeTimeout)
    assert isinstance(never, RuntimeTimeout)
    assert quick.answer(Deadline.after(0)) == "quick", "an answer that is there is given, however late"


def test_a_question_given_up_before_its_turn_is_never_asked(asks: SideBySide, gate) -> None:
    begun: list[str] = []
    started = threading.Barrier(4)

    def slow() -> None:
        started.wait(PATIENCE)
        gate.wait(PATIENCE)

    for _ in range(3):
        asks.begin(slow)
    started.wait(PATIENCE)
    late = asks.begin(lambda: begun.append("late"))
    assert isinstance(late.answer(Deadline.after(0)), RuntimeTimeout)
    gate.set()
    assert asks.ask([lambda: begun.append("next")], Deadline.after(PATIENCE)) == [None]
    eventually(lambda: begun)
    assert begun == ["next"]
