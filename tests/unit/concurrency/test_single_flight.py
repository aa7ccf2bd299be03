"""What several want at once is made once, and what goes wrong with it is theirs together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.concurrency import blocking
from service.concurrency.single_flight import SingleFlight
from tests.unit.concurrency.places import Places

PATIENCE = 30


class Call:
    """Something that is made when it is let go; counts how often."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self.begun = threading.Event()
        self.go = threading.Event()
        self._error = error

    def __call__(self) -> int:
        self.count += 1
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if self._error is not None:
            raise self._error
        return self.count


def test_one_call_for_all_who_ask_meanwhile() -> None:
    flights, call, places = SingleFlight[int](), Call(), Places()
    with ThreadPoolExecutor(9, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        others = [pool.submit(flights.do, "key", call, PATIENCE) for _ in range(8)]
        places.until_lent(8)  # all but the one that makes it have given their places away
        call.go.set()
        assert {each.result(PATIENCE) for each in (first, *others)} == {1}
    assert places.lent == 0
    assert flights.do("key", call, PATIENCE) == 2


def test_a_failure_is_shared_and_not_repeated() -> None:
    flights, call, places = SingleFlight[int](), Call(ValueError("so it is")), Places()
    with ThreadPoolExecutor(5, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        others = [pool.submit(flights.do, "key", call, PATIENCE) for _ in range(4)]
        places.until_lent(4)
        call.go.set()
        for each in (first, *others):
            with pytest.raises(ValueError, match="so it is"):
                each.result(PATIENCE)
    assert call.count == 1


def test_who_waits_gives_up_at_its_own_time_and_leaves_the_call_alone() -> None:
    flights, call = SingleFlight[int](), Call()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        with pytest.raises(TimeoutError):
            flights.do("key", call, 0.01)
        call.go.set()
        assert first.result(PATIENCE) == 1


def test_other_keys_do_not_wait() -> None:
    flights, call = SingleFlight[int](), Call()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        assert flights.do("another", lambda: 7, 0) == 7
        call.go.set()
        assert first.result(PATIENCE) == 1
