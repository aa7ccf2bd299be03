"""Questions that are asked once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.concurrency.deadline import Deadline
from service.concurrency.once import Once
from service.domain.errors import BadGateway, RuntimeTimeout

LATER = Deadline(time.monotonic() + 36_000)
"""Later than any test run ends: this is worked out when the tests are collected."""


def test_all_who_ask_get_one_answer() -> None:
    once, asked, go = Once(), [], threading.Event()

    def ask() -> str:
        go.wait(20)
        asked.append("a")
        return "answer"

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(once.answer, "question", ask, LATER) for _ in range(8)]
        go.set()
        assert {answer.result(20) for answer in answers} == {"answer"}
    assert once.answer("question", ask, LATER) == "answer"
    assert asked == ["a"]
    assert once.answer("another", lambda: "b", LATER) == "b"


def test_an_error_is_for_those_who_wait_and_the_next_asks_anew() -> None:
    once, begun, go = Once(), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        go.wait(20)
        raise BadGateway("no")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(once.answer, "question", fail, LATER)
        begun.wait(20)
        second = pool.submit(once.answer, "question", fail, LATER)
        with pytest.raises(RuntimeTimeout):
            once.answer("question", fail, Deadline.after(0))
        go.set()
        for answer in (first, second):
            with pytest.raises(BadGateway):
                answer.result(20)
    assert once.answer("question", lambda: "answer", LATER) == "answer"
