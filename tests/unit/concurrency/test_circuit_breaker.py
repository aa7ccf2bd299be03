"""The circuit breaker against a plain model of it, and what it reports. How a runtime's errors count: ``test_circuit``."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.concurrency.circuit_breaker import CircuitBreaker, CircuitOpen, State, Tolerance
from testing.clocks import Clock

TOLERANCE = Tolerance(failures=3, patience=0.0, cooldown=1.0, longest=4.0)


class Changes:
    """A breaker, and the changes that it reported."""

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.seen: list[tuple[State, str]] = []
        self.breaker = CircuitBreaker(TOLERANCE, lambda state, why: self.seen.append((state, why)), self.clock)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failed("it is down", probe=self.breaker.enter())


def test_each_change_is_reported_once_with_its_reason() -> None:
    made = Changes()
    made.fail(3)
    made.clock.pass_(1)
    probe = made.breaker.enter()
    assert probe
    assert made.breaker.succeeded(probe=probe)
    assert made.seen == [
        (State.OPEN, "it is down"),
        (State.HALF_OPEN, "the cool-down is over"),
        (State.CLOSED, "it answers again"),
    ]


def test_an_open_breaker_says_how_long_it_stays_so() -> None:
    made = Changes()
    made.fail(3)
    made.clock.pass_(0.25)
    for step in (made.breaker.check, made.breaker.enter):
        with pytest.raises(CircuitOpen) as refused:
            step()
        assert refused.value.seconds == 0.75


FAILS, SUCCEEDS, SECOND = "fails", "succeeds", "a second passes"
LASTING = (
    [FAILS] * 3
    + [SECOND, FAILS]
    + [SECOND, FAILS] * 2
    + [SECOND, FAILS] * 4
    + [SECOND, SUCCEEDS] * 4
    + [FAILS] * 3
    + [SECOND, FAILS]
)


@example(LASTING)
@given(st.lists(st.sampled_from([FAILS, SUCCEEDS, SECOND]), max_size=40))
def test_calls_pass_while_fewer_than_three_failed_in_a_row_and_one_after_each_cool_down(steps: list[str]) -> None:
    made = Changes()
    failures, cooldown, closed_until = 0, 1.0, None
    for step in steps:
        if step == SECOND:
            made.clock.pass_(1)
            continue
        if closed_until is not None and made.clock.now < closed_until:
            with pytest.raises(CircuitOpen):
                made.breaker.enter()
            continue
        probe = made.breaker.enter()
        assert probe is (closed_until is not None)
        if step == SUCCEEDS:
            assert made.breaker.succeeded(probe=probe)
            failures, cooldown, closed_until = 0, 1.0, None
        else:
            made.breaker.failed("it is down", probe=probe)
            failures += 1
            if probe:
                cooldown = min(2 * cooldown, 4.0)
            if failures >= 3:
                closed_until = made.clock.now + cooldown
        assert made.breaker.state is (State.CLOSED if closed_until is None else State.OPEN)
