"""What several want at once is made once, and what goes wrong with it is theirs together."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from service.concurrency import blocking
from service.concurrency.single_flight import Flight, Memo, SingleFlight, StillUnderWay
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
    assert places.released == 0
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
        with pytest.raises(StillUnderWay):
            flights.do("key", call, 0.01)
        call.go.set()
        assert first.result(PATIENCE) == 1


def test_a_timeout_of_the_work_is_distinguished_from_the_end_of_a_wait() -> None:
    flights, call, places = SingleFlight[int](), Call(TimeoutError("the work's own")), Places()
    with ThreadPoolExecutor(2, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        second = pool.submit(flights.do, "key", call, PATIENCE)
        places.until_lent(1)
        call.go.set()
        for each in (first, second):
            with pytest.raises(TimeoutError, match="the work's own"):
                each.result(PATIENCE)


class Batches:
    """Work for several keys at once, each batch done when the test says so."""

    def __init__(self) -> None:
        self.flights = SingleFlight[str]()
        self.begun: list[tuple[tuple[str, ...], Future[Mapping[str, str]]]] = []

    def begin(self, keys: tuple[str, ...]) -> Future[Mapping[str, str]]:
        self.begun.append((keys, Future()))
        return self.begun[-1][1]

    def join(self, *keys: str) -> dict[str, tuple[Flight[str], bool]]:
        return self.flights.join(keys, self.begin)


def test_keys_without_a_flight_are_begun_together_and_only_they() -> None:
    batches = Batches()
    first = batches.join("a", "b")
    second = batches.join("c", "b", "d")
    assert [joined for _, joined in (*first.values(), *second.values())] == [False, False, True, False, False]
    assert [keys for keys, _ in batches.begun] == [("a", "b"), ("c", "d")]
    assert second["b"][0] is first["b"][0]
    batches.begun[0][1].set_result({"a": "A", "b": "B"})
    assert second["b"][0].result(0) == "B"
    assert not second["c"][0].wait(0)
    assert batches.join("b", "c")["b"][1] is False, "what has ended is begun anew"
    assert batches.begun[-1][0] == ("b",)


def test_who_is_woken_finds_the_flight_forgotten() -> None:
    batches, seen = Batches(), list[object]()
    flight = batches.join("a")["a"][0]
    flight.outcome.add_done_callback(lambda _: seen.append(batches.flights.get("a")))
    batches.begun[0][1].set_result({"a": "A"})
    assert seen == [None]


def test_what_cannot_begin_leaves_nothing_behind() -> None:
    batches = Batches()
    batches.join("a")

    def refuses(_: tuple[str, ...]) -> Future[Mapping[str, str]]:
        raise RuntimeError("no thread")

    with pytest.raises(RuntimeError, match="no thread"):
        batches.flights.join(("a", "b"), refuses)
    assert batches.join("b")["b"][1] is False
    assert batches.join("a")["a"][1] is True


def test_a_batch_that_forgets_a_key_is_an_error_and_not_an_endless_wait() -> None:
    batches = Batches()
    joined = batches.join("a", "b")
    batches.begun[0][1].set_result({"a": "A"})
    for flight, _ in joined.values():
        with pytest.raises(KeyError):
            flight.result(0)


def test_a_batch_that_is_cancelled_wakes_those_who_wait() -> None:
    batches = Batches()
    flight = batches.join("a")["a"][0]
    batches.begun[0][1].cancel()
    with pytest.raises(CancelledError):
        flight.result(0)


def test_a_flight_that_is_forgotten_goes_on_for_those_who_have_it_and_is_shared_by_nobody_else() -> None:
    batches = Batches()
    before = batches.join("a")["a"][0]
    batches.flights.forget("a")
    after, joined = batches.join("a")["a"]
    assert not joined
    batches.begun[0][1].set_result({"a": "old"})
    assert before.result(0) == "old"
    assert batches.flights.get("a") is after, "the end of the old one does not end the new one"
    batches.begun[1][1].set_result({"a": "new"})
    assert after.result(0) == "new"


def test_other_keys_do_not_wait() -> None:
    flights, call = SingleFlight[int](), Call()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.do, "key", call, PATIENCE)
        assert call.begun.wait(PATIENCE)
        assert flights.do("another", lambda: 7, 0) == 7
        call.go.set()
        assert first.result(PATIENCE) == 1


def test_all_who_ask_a_memo_get_one_answer() -> None:
    memo, asked, go = Memo(), [], threading.Event()

    def ask() -> str:
        go.wait(20)
        asked.append("a")
        return "answer"

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(memo.get, "key", ask, PATIENCE) for _ in range(8)]
        go.set()
        assert {answer.result(20) for answer in answers} == {"answer"}
    assert memo.get("key", ask, PATIENCE) == "answer"
    assert asked == ["a"]
    assert memo.get("another", lambda: "b", PATIENCE) == "b"


def test_an_error_of_a_memo_is_for_those_who_wait_and_the_next_asks_anew() -> None:
    memo, begun, go = Memo(), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        go.wait(20)
        raise ZeroDivisionError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memo.get, "key", fail, PATIENCE)
        begun.wait(20)
        second = pool.submit(memo.get, "key", fail, PATIENCE)
        with pytest.raises(StillUnderWay):
            memo.get("key", fail, 0)
        go.set()
        for answer in (first, second):
            with pytest.raises(ZeroDivisionError):
                answer.result(20)
    assert memo.get("key", lambda: "answer", PATIENCE) == "answer"
