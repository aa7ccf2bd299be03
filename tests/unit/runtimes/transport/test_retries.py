from __future__ import annotations

from itertools import count

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import RuntimeUnavailable
from service.runtimes.transport.retries import Passing, Retries


class Failing:
    """Fails ``times`` times, then gives its number."""

    def __init__(self, times: int, wait: float | None = None) -> None:
        self.times, self.wait = times, wait
        self.made, self.again = 0, 0

    def __call__(self) -> int:
        self.made += 1
        if self.made <= self.times:
            raise Passing(RuntimeUnavailable(str(self.made)), self.wait)
        return self.made

    def repeated(self) -> None:
        self.again += 1


def run(failing: Failing, seconds: float = 60, share: float = 1.0, **options: float) -> tuple[int, list[float]]:
    pauses: list[float] = []
    retries = Retries(jitter=lambda low, high: low + share * (high - low), sleep=pauses.append, **options)  # type: ignore[arg-type]
    return retries.run(failing, Deadline.after(seconds), failing.repeated), pauses


def test_pauses_grow_to_a_cap() -> None:
    failing = Failing(5)
    assert run(failing, attempts=6, base=0.1, cap=1.0) == (6, [0.2, 0.4, 0.8, 1.0, 1.0])
    assert failing.again == 5


def test_jitter_is_full() -> None:
    assert run(Failing(2), share=0.0) == (3, [0.0, 0.0])


def test_attempts_are_bounded() -> None:
    failing = Failing(99)
    with pytest.raises(RuntimeUnavailable, match="3"):
        run(failing)
    assert (failing.made, failing.again) == (3, 2)


def test_the_server_s_wish_counts_and_is_spread() -> None:
    assert run(Failing(1, wait=7.0)) == (2, [7.1])


@pytest.mark.parametrize(("wait", "seconds"), [(7.0, 5), (None, 0.1)])
def test_a_pause_beyond_the_deadline_is_not_made(wait: float | None, seconds: float) -> None:
    failing = Failing(1, wait)
    with pytest.raises(RuntimeUnavailable):
        run(failing, seconds)
    assert failing.made == 1


def test_anything_else_passes_through() -> None:
    attempts = count()

    def attempt() -> int:
        next(attempts)
        raise KeyError

    with pytest.raises(KeyError):
        Retries().run(attempt, Deadline.after(5), lambda: None)
    assert next(attempts) == 1
