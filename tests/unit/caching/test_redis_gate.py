"""When the gate lets operations through, on a clock that the test moves."""

import logging

import pytest

from service.caching.redis.gate import Cooldown, Gate
from service.domain.errors import CacheUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock, caplog: pytest.LogCaptureFixture) -> Gate:
    caplog.set_level(logging.INFO, "service.caching")
    return Gate("server:1", Cooldown(tolerance=2, first=1, longest=5), clock)


def states(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["state"] for record in caplog.records if record.__dict__["event"] == "cache-server"]


def fail(gate: Gate) -> None:
    gate.failed("broken", probe=gate.enter())


def shut(gate: Gate) -> None:
    fail(gate)
    fail(gate)


def is_shut(gate: Gate) -> bool:
    try:
        gate.left(probe=gate.enter())
    except CacheUnavailable:
        return True
    return False


def test_one_failure_is_borne_and_a_success_forgets_it(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        fail(gate)
        assert not is_shut(gate)
        gate.worked(probe=gate.enter())
    assert states(caplog) == []


def test_failures_in_a_row_shut_it(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    shut(gate)
    assert is_shut(gate)
    assert states(caplog) == ["down"]


def test_pauses_double_up_to_the_longest(gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    shut(gate)
    for pause in (1, 2, 4, 5, 5):
        clock.now += pause - 0.01
        assert is_shut(gate)
        clock.now += 0.02
        fail(gate)
    assert states(caplog) == ["down"]


def test_one_probe_at_a_time_decides(gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    shut(gate)
    clock.now += 1
    assert gate.enter() is True
    assert is_shut(gate)
    gate.worked(probe=True)
    assert gate.enter() is False
    assert states(caplog) == ["down", "up"]


def test_after_coming_back_the_first_pause_is_short_again(gate: Gate, clock: Clock) -> None:
    shut(gate)
    clock.now += 1
    fail(gate)
    clock.now += 2
    gate.worked(probe=gate.enter())
    shut(gate)
    clock.now += 1
    assert not is_shut(gate)


def test_a_probe_that_is_broken_off_lets_the_next_one_try(gate: Gate, clock: Clock) -> None:
    shut(gate)
    clock.now += 1
    gate.left(probe=gate.enter())
    assert gate.enter() is True


@pytest.mark.parametrize("ending", ["failed", "refused", "worked"])
def test_operations_that_entered_before_it_was_shut_change_nothing(
    ending: str, gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    late = [gate.enter() for _ in range(10)]
    shut(gate)
    clock.now += 1
    assert gate.enter() is True
    for probe in late:
        if ending == "worked":
            gate.worked(probe=probe, wrote=True)
        else:
            getattr(gate, ending)("late", probe=probe)
    assert is_shut(gate)
    assert states(caplog) == ["down"]


def test_a_refusal_is_said_once_and_leaves_it_open(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        gate.refused("OutOfMemoryError", probe=gate.enter())
        gate.worked(probe=gate.enter())
        assert not is_shut(gate)
    assert states(caplog) == ["refusing"]


def test_a_refusal_ends_with_a_write_that_works_after_a_while(
    gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    gate.refused("OutOfMemoryError", probe=gate.enter())
    gate.worked(probe=gate.enter(), wrote=True)
    assert states(caplog) == ["refusing"]
    clock.now += 5
    gate.worked(probe=gate.enter())
    assert states(caplog) == ["refusing"]
    gate.worked(probe=gate.enter(), wrote=True)
    assert states(caplog) == ["refusing", "up"]


def test_a_server_that_refuses_is_there(gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    shut(gate)
    clock.now += 1
    gate.refused("ReadOnlyError", probe=gate.enter())
    assert not is_shut(gate)
    assert states(caplog) == ["down", "up", "refusing"]
