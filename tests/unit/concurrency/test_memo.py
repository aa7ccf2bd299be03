"""Results that are worked out once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.concurrency.single_flight import Memo, StillUnderWay

LATER = 60.0


def test_all_who_ask_get_one_answer() -> None:
    memo, asked, go = Memo(), [], threading.Event()

    def ask() -> str:
        go.wait(20)
        asked.append("a")
        return "answer"

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(memo.get, "key", ask, LATER) for _ in range(8)]
        go.set()
        assert {answer.result(20) for answer in answers} == {"answer"}
    assert memo.get("key", ask, LATER) == "answer"
    assert asked == ["a"]
    assert memo.get("another", lambda: "b", LATER) == "b"


def test_an_error_is_for_those_who_wait_and_the_next_asks_anew() -> None:
    memo, begun, go = Memo(), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        go.wait(20)
        raise ZeroDivisionError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memo.get, "key", fail, LATER)
        begun.wait(20)
        second = pool.submit(memo.get, "key", fail, LATER)
        with pytest.raises(StillUnderWay):
            memo.get("key", fail, 0)
        go.set()
        for answer in (first, second):
            with pytest.raises(ZeroDivisionError):
                answer.result(20)
    assert memo.get("key", lambda: "answer", LATER) == "answer"
