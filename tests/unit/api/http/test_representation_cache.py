"""What was made is found, what was refused is refused, and neither is made twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.api.http.large_work import LargeWork
from service.api.http.representation_cache import ReadyAnswers, TooLarge
from service.concurrency import blocking
from service.concurrency.time_limit import checkpoint
from service.domain.errors import Fault, InvalidParameter, Overloaded
from tests.unit.concurrency.places import Places

PATIENCE = 30


def ready(max_bytes: int = 1000, **work: float) -> ReadyAnswers:
    return ReadyAnswers(max_bytes, LargeWork(**work))  # type: ignore[arg-type]


class Maker:
    """Counts how often it makes."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.count = 0
        self._pieces = pieces
        self._error = error

    def __call__(self) -> Iterator[bytes]:
        self.count += 1
        if self._error is not None:
            raise self._error
        yield from self._pieces


def test_what_was_made_is_found_while_there_is_room() -> None:
    answers, maker, large = ready(), Maker(b"a" * 400), Maker(b"b" * 2000)
    for _ in range(2):
        assert answers.get_or_make("tag", maker) == (b"a" * 400,)
        assert answers.get_or_make("large", large) == (b"b" * 2000,)
    assert (maker.count, large.count) == (1, 2)
    for number in range(5):
        answers.get_or_make(f"other {number}", Maker(b"c" * 400))
    assert answers.get("tag") is None


def test_bodies_without_bytes_take_room_as_well() -> None:
    answers, empty = ready(10_000), Maker()
    for number in range(200):
        assert answers.get_or_make(f"tag {number}", empty) == ()
    kept = [number for number in range(200) if answers.get(f"tag {number}") is not None]
    assert kept == list(range(150, 200))


def test_a_refusal_is_remembered_for_its_content_and_form() -> None:
    answers = ready()
    refused = Maker(error=InvalidParameter([Fault("name", "is too much")]))
    for _ in range(3):
        with pytest.raises(InvalidParameter) as error:
            answers.get_or_make("tag", refused)
        assert error.value.faults == (Fault("name", "is too much"),)
    assert refused.count == 1
    assert answers.get_or_make("another tag", Maker(b"a")) == (b"a",)


def test_refusals_are_bounded_in_memory() -> None:
    answers = ready()
    refused = Maker(error=InvalidParameter([Fault("name", "x" * 100_000)]))
    for number in range(50):
        with pytest.raises(InvalidParameter):
            answers.get_or_make(f"tag {number}", refused)
    with pytest.raises(InvalidParameter):
        answers.get_or_make("tag 49", refused)
    assert refused.count == 50
    with pytest.raises(InvalidParameter):
        answers.get_or_make("tag 0", refused)
    assert refused.count == 51


def test_other_failures_are_not_remembered() -> None:
    answers, fails = ready(), Maker(error=Overloaded("now"))
    for count in (1, 2):
        with pytest.raises(Overloaded):
            answers.get_or_make("tag", fails)
        assert fails.count == count


def test_those_who_wait_give_their_places_away_and_share_what_goes_wrong() -> None:
    answers, places, begun, go = ready(), Places(), threading.Event(), threading.Event()
    made: list[int] = []

    def make() -> Iterator[bytes]:
        made.append(1)
        begun.set()
        assert go.wait(PATIENCE)
        raise Overloaded("the drawing process is busy")

    with ThreadPoolExecutor(9, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        tasks = [pool.submit(answers.get_or_make, "tag", make) for _ in range(9)]
        assert begun.wait(PATIENCE)
        places.until_lent(8)
        go.set()
        for task in tasks:
            with pytest.raises(Overloaded, match="drawing process"):
                task.result(PATIENCE)
    assert len(made) == 1


def test_a_body_is_not_made_beyond_its_bound() -> None:
    pieces: list[int] = []

    def make() -> Iterator[bytes]:
        for number in range(100):
            pieces.append(number)
            yield b"x" * 100

    with pytest.raises(TooLarge):
        ready().get_or_make("tag", make, at_most=1000)
    assert len(pieces) == 11


def test_work_ends_with_its_time_and_leaves_the_gate_free() -> None:
    answers = ready(longest=0.0, capacity=10, free=0)

    def make() -> Iterator[bytes]:
        checkpoint()
        yield b"never"

    for _ in range(2):
        with pytest.raises(Overloaded, match="in time"):
            answers.get_or_make("tag", make, 10)
    assert answers.get_or_make("quick", Maker(b"a"), 10) == (b"a",)


def test_work_within_work_is_a_part_of_it_and_small_work_is_not() -> None:
    work = LargeWork(10, free=1, most_waiting=0)
    with work.admitted(10), work.admitted(10):
        assert work.is_admitted
    with work.admitted(1):
        assert not work.is_admitted
        with work.admitted(10):
            assert work.is_admitted
    assert not work.is_admitted
