"""Work that is begun now and waited for later."""

from __future__ import annotations

from threading import Event, get_ident

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut
from service.concurrency.pending import Pending
from service.domain.errors import RuntimeTimeout, ServiceError


def test_a_change_is_made_when_the_result_is_waited_for_and_by_the_same_deadline() -> None:
    waited: list[Deadline] = []

    def wait(until: Deadline) -> int:
        waited.append(until)
        return 20

    deadline = Deadline.after(1)
    pending = Pending(wait).map(lambda number: number + 1).map(str)
    assert waited == []
    assert pending.outcome(deadline) == "21"
    assert waited == [deadline]


def test_a_call_begins_at_once_on_another_thread_and_is_late_after_its_deadline() -> None:
    gate, fan_out = Event(), FanOut[ServiceError](2, ServiceError, RuntimeTimeout)
    try:
        assert fan_out.begin(get_ident).outcome(Deadline.after(20)) != get_ident()
        assert isinstance(fan_out.begin(gate.wait).outcome(Deadline.after(0)), RuntimeTimeout)
    finally:
        gate.set()
        fan_out.close()
