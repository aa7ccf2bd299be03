"""Places are released once, however waits are nested, and come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.concurrency import blocking
from service.concurrency.blocking import waiting
from tests.unit.concurrency.places import Places


def test_a_nested_wait_lends_no_second_place() -> None:
    places = Places()

    def wait() -> list[int]:
        seen = []
        with waiting():
            with waiting():
                seen.append(places.released)
            seen.append(places.released)
        return [*seen, places.released]

    with ThreadPoolExecutor(1, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        assert pool.submit(wait).result(30) == [1, 1, 0]


def test_a_brief_wait_is_made_where_no_place_can_be_lent() -> None:
    places = Places(most=0)

    def wait(briefly: bool) -> int:
        with waiting(briefly=briefly):
            return places.released

    with ThreadPoolExecutor(1, initializer=blocking.set_slot_owner, initargs=(places,)) as pool:
        assert pool.submit(wait, True).result(30) == 0
        with pytest.raises(RuntimeError, match="too many wait"):
            pool.submit(wait, False).result(30)


def test_a_thread_of_nobody_just_waits() -> None:
    def wait() -> str:
        with waiting():
            return "waited"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(wait).result(30) == "waited"
