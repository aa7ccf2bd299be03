"""Large answers leave working threads to others: two are made at once, and one stretch of those that are streamed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

from service.api.http.large_work import LargeWork
from testing.threads import together

MIB = 1024 * 1024
SOON = 0.2
PATIENCE = 30


def at_once(enter: Callable[[], AbstractContextManager[None]], tasks: int, expected: int = 1) -> int:
    """How many of ``tasks`` are within ``enter`` at once, where all come at once, wait for those that are expected and
    stay for a moment."""
    within, most = 0, 0
    lock = threading.Lock()
    enough, full = threading.Event(), threading.Event()

    def work() -> None:
        nonlocal within, most
        with enter():
            with lock:
                within += 1
                most = max(most, within)
                if within == expected:
                    enough.set()
                if within == tasks:
                    full.set()
            enough.wait(PATIENCE)
            full.wait(SOON)
            with lock:
                within -= 1

    with ThreadPoolExecutor(tasks) as pool:
        for done in [pool.submit(work) for _ in range(tasks)]:
            done.result(PATIENCE)
    return most


def test_large_answers_are_made_by_two_threads_at_most_and_medium_ones_by_one() -> None:
    expected = {MIB // 4: 4, MIB: 1, 4 * MIB: 1, 5 * MIB: 2, 90 * MIB: 2, 500 * MIB: 1}

    def found(size: int) -> int:
        work = LargeWork()
        return at_once(lambda: work.admitted(size), 4, expected[size])

    assert together(*[partial(found, size) for size in expected]) == [*expected.values()]


def test_streamed_answers_are_made_in_turns() -> None:
    expected = {MIB // 4: 4, MIB: 1, 5 * MIB: 1}

    def found(size: int) -> int:
        work = LargeWork()
        return at_once(lambda: work.turn(size), 4, expected[size])

    assert together(*[partial(found, size) for size in expected]) == [*expected.values()]


def test_what_is_medium_does_not_wait_for_what_is_large() -> None:
    work = LargeWork()
    with work.admitted(500 * MIB), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: at_once(lambda: work.admitted(MIB), 1)).result(PATIENCE) == 1


def test_a_stream_takes_its_turn_beside_what_is_made_as_a_whole() -> None:
    work = LargeWork()
    with work.admitted(500 * MIB), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: at_once(lambda: work.turn(500 * MIB), 1)).result(PATIENCE) == 1
