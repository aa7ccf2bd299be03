"""How long a thread waits for a crowd of clients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from service.server.crowd import Crowd
from testing.waiting import eventually


def test_a_crowd_is_waited_for_until_it_is_gone() -> None:
    times: list[float] = []

    def clock() -> float:
        times.append(0.0)
        return 0.0

    crowd = Crowd(longest_wait=60, clock=clock)
    crowd.let_in()
    assert not times, "nobody is waited for"
    crowd.note(there=True)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(crowd.let_in)
        eventually(lambda: times)
        crowd.note(there=True)
        assert not waiting.done()
        crowd.note(there=False)
        waiting.result(timeout=30)


def test_a_crowd_that_stays_is_waited_for_half_of_the_time() -> None:
    times = [0.0, 5.0, 6.0, 9.9, 10.0, 13.0, 15.9]
    crowd = Crowd(longest_wait=0.001, clock=lambda: times.pop(0))
    crowd.note(there=True)
    for number_left in (5, 4, 3, 1, 0):
        crowd.let_in()
        assert len(times) == number_left
