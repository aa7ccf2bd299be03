"""When the circuit breaker lets operations through, on a clock that the test moves."""

import logging

import pytest

from service.caching.redis.circuit import TOLERANCE, ServerCircuit
from service.domain.errors import CacheUnavailable
from testing.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock, caplog: pytest.LogCaptureFixture) -> ServerCircuit:
    caplog.set_level(logging.INFO, "service.caching")
    return ServerCircuit("server:1", TOLERANCE, clock)


def states(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record.__dict__ for record in caplog.records]
    return [each["state"] for each in records if each.get("server") == "server:1"]


def fail(circuit: ServerCircuit) -> None:
    circuit.failed("broken", probe=circuit.enter())


def opened(circuit: ServerCircuit) -> None:
    fail(circuit)
    fail(circuit)


def is_open(circuit: ServerCircuit) -> bool:
    try:
        circuit.abandoned(probe=circuit.enter())
    except CacheUnavailable:
        return True
    return False


def test_one_failure_is_borne_and_a_success_forgets_it(
    circuit: ServerCircuit, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        fail(circuit)
        assert not is_open(circuit)
        circuit.worked(probe=circuit.enter())
    assert states(caplog) == []


def test_failures_in_a_row_open_it(circuit: ServerCircuit, caplog: pytest.LogCaptureFixture) -> None:
    opened(circuit)
    assert is_open(circuit)
    assert states(caplog) == ["down"]


def test_pauses_double_up_to_the_longest(
    circuit: ServerCircuit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    opened(circuit)
    for pause in (1, 2, 4, 5, 5):
        clock.now += pause - 0.01
        assert is_open(circuit)
        clock.now += 0.02
        fail(circuit)
    assert states(caplog) == ["down"]


def test_one_probe_at_a_time_decides(circuit: ServerCircuit, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    opened(circuit)
    clock.now += 1
    assert circuit.enter() is True
    assert is_open(circuit)
    circuit.worked(probe=True)
    assert circuit.enter() is False
    assert states(caplog) == ["down", "up"]


def test_after_coming_back_the_first_pause_is_short_again(circuit: ServerCircuit, clock: Clock) -> None:
    opened(circuit)
    clock.now += 1
    fail(circuit)
    clock.now += 2
    circuit.worked(probe=circuit.enter())
    opened(circuit)
    clock.now += 1
    assert not is_open(circuit)


def test_a_probe_that_is_broken_off_lets_the_next_one_try(circuit: ServerCircuit, clock: Clock) -> None:
    opened(circuit)
    clock.now += 1
    circuit.abandoned(probe=circuit.enter())
    assert circuit.enter() is True


@pytest.mark.parametrize("ending", ["failed", "refused", "worked"])
def test_operations_that_entered_before_it_was_open_change_nothing(
    ending: str, circuit: ServerCircuit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    late = [circuit.enter() for _ in range(10)]
    opened(circuit)
    clock.now += 1
    assert circuit.enter() is True
    for probe in late:
        if ending == "worked":
            circuit.worked(probe=probe, wrote=True)
        else:
            getattr(circuit, ending)("late", probe=probe)
    assert is_open(circuit)
    assert states(caplog) == ["down"]


def test_a_refusal_is_said_once_and_leaves_it_closed(circuit: ServerCircuit, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        circuit.refused("OutOfMemoryError", probe=circuit.enter())
        circuit.worked(probe=circuit.enter())
        assert not is_open(circuit)
    assert states(caplog) == ["refusing"]


def test_a_refusal_ends_with_a_write_that_works_after_a_while(
    circuit: ServerCircuit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    circuit.refused("OutOfMemoryError", probe=circuit.enter())
    circuit.worked(probe=circuit.enter(), wrote=True)
    assert states(caplog) == ["refusing"]
    clock.now += 5
    circuit.worked(probe=circuit.enter())
    assert states(caplog) == ["refusing"]
    circuit.worked(probe=circuit.enter(), wrote=True)
    assert states(caplog) == ["refusing", "up"]


def test_a_server_that_refuses_is_there(circuit: ServerCircuit, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    opened(circuit)
    clock.now += 1
    circuit.refused("ReadOnlyError", probe=circuit.enter())
    assert not is_open(circuit)
    assert states(caplog) == ["down", "up", "refusing"]
