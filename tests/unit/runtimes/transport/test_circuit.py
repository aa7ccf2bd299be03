from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from service.concurrency.circuit_breaker import State, Tolerance
from service.domain.errors import BadGateway, RateLimited, RuntimeTimeout, RuntimeUnavailable
from service.runtimes.transport.circuit import Circuit
from service.telemetry.prometheus import Telemetry
from testing.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Callable[[], float]) -> Circuit:
    tolerance = Tolerance(failures=3, patience=2, cooldown=1, longest=4)
    return Circuit(tolerance, telemetry=Telemetry(), clock=clock)


def fail(circuit: Circuit, times: int = 1, error: BaseException | None = None, seconds: float = 5) -> None:
    for _ in range(times):
        circuit.failed(error or RuntimeUnavailable(), probe=circuit.enter(), seconds=seconds)


def test_opens_after_failures_in_a_row(circuit: Circuit) -> None:
    fail(circuit, 2)
    assert circuit.state is State.CLOSED
    fail(circuit)
    assert circuit.state is State.OPEN
    for step in (circuit.check, circuit.enter):
        with pytest.raises(RuntimeUnavailable):
            step()


def test_failures_among_successes_do_not_open_it(circuit: Circuit, clock: Clock) -> None:
    """Some runs are slow and time out by the dozen; others answer."""
    for _ in range(10):
        circuit.worked(probe=False)
        fail(circuit, 20, RuntimeTimeout())
        fail(circuit, 20, RuntimeUnavailable())
        clock.now += 1.9
    assert circuit.state is State.CLOSED
    fail(circuit, 20)
    clock.now += 0.2
    fail(circuit, 1)
    assert circuit.state is State.OPEN


def test_a_timeout_tells_nothing_where_another_exchange_succeeded_meanwhile(circuit: Circuit, clock: Clock) -> None:
    circuit.worked(probe=False)
    clock.now += 4.9
    fail(circuit, 20, RuntimeTimeout(), seconds=5)
    assert circuit.state is State.CLOSED
    fail(circuit, 3, RuntimeTimeout(), seconds=4.8)
    assert circuit.state is State.OPEN


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(BadGateway("odd"), 5), (RateLimited(), 5), (RuntimeTimeout(), 0.4), (KeyboardInterrupt(), 5), (ValueError(), 5)],
)
def test_what_is_not_the_runtime_s_failure_does_not_open_it(
    circuit: Circuit, error: BaseException, seconds: float
) -> None:
    fail(circuit, 10, error, seconds)
    assert circuit.state is State.CLOSED


def test_one_probe_at_a_time_tells_how_it_goes_on(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 1
    assert circuit.enter()
    assert circuit.state is State.HALF_OPEN
    with pytest.raises(RuntimeUnavailable):
        circuit.enter()
    circuit.worked(probe=True)
    assert circuit.state is State.CLOSED
    assert not circuit.enter()


def test_each_probe_that_fails_doubles_the_cool_down(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    waits = []
    for _ in range(4):
        with pytest.raises(RuntimeUnavailable) as raised:
            circuit.check()
        waits.append(raised.value.retry_after)
        clock.now += raised.value.retry_after
        fail(circuit)
    assert waits == [1, 2, 4, 4]


def test_a_probe_that_hangs_lets_another_go(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 1
    assert circuit.enter()
    clock.now += 4
    assert circuit.enter()


def test_a_probe_broken_off_lets_another_go(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 1
    circuit.failed(KeyboardInterrupt(), probe=circuit.enter(), seconds=1)
    assert circuit.enter()


def test_stragglers_say_nothing_new(circuit: Circuit, clock: Clock) -> None:
    """Exchanges that began before it opened end after."""
    fail(circuit, 3)
    clock.now += 0.9
    circuit.failed(RuntimeUnavailable(), probe=False, seconds=5)
    circuit.worked(probe=False)
    assert circuit.state is State.OPEN
    clock.now += 0.1
    assert circuit.enter()


def half_open(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 1
    assert circuit.enter()


@pytest.mark.parametrize("worked", [True, False])
def test_those_beside_a_probe_wait_for_it_and_share_its_fate(clock: Clock, worked: bool) -> None:
    circuit = Circuit(Tolerance(failures=3, promptly=30), telemetry=Telemetry(), clock=clock)
    half_open(circuit, clock)
    circuit.check()
    with ThreadPoolExecutor(3) as pool:
        beside = [pool.submit(circuit.enter) for _ in range(3)]
        assert not wait(beside, 0.05).done
        if worked:
            circuit.worked(probe=True)
        else:
            circuit.failed(RuntimeUnavailable(), probe=True, seconds=1)
        for one in beside:
            if worked:
                assert one.result(20) is False
            else:
                with pytest.raises(RuntimeUnavailable):
                    one.result(20)


def test_a_probe_that_hangs_is_not_waited_for_by_those_who_come_later(circuit: Circuit, clock: Clock) -> None:
    half_open(circuit, clock)
    clock.now += 0.4
    for step in (circuit.check, circuit.enter):
        with pytest.raises(RuntimeUnavailable):
            step()
