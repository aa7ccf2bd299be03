"""Whether a runtime keeps resource groups apart: asked by one, believed by all, asked again when it is old."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeForbids, RuntimeTimeout, ServiceError
from service.runtimes.tenancy import LIFETIME, Tenancy

SOON = Deadline.after(24 * 3600)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def never() -> bool:
    pytest.fail("it is known already")


def failing(error: ServiceError, calls: list[int]) -> Callable[[], bool]:
    def ask() -> bool:
        calls.append(1)
        raise error

    return ask


@pytest.mark.parametrize("said", [True, False])
def test_what_is_known_is_not_asked(said: bool) -> None:
    tenancy = Tenancy()
    tenancy.note(said)
    assert tenancy.multitenant(never, SOON) is said


def test_what_is_old_is_asked_again_and_holds_until_it_is_answered() -> None:
    clock = Clock()
    tenancy, calls = Tenancy(clock), list[int]()
    assert tenancy.multitenant(lambda: True, SOON)
    clock.now = LIFETIME - 1
    assert tenancy.multitenant(never, SOON)
    clock.now = LIFETIME
    assert tenancy.multitenant(failing(BadGateway("x"), calls), SOON)
    assert tenancy.multitenant(failing(BadGateway("x"), calls), SOON)
    assert len(calls) == 1, "not at once"
    clock.now += 60
    assert not tenancy.multitenant(lambda: False, SOON)


@pytest.mark.parametrize(("error", "asked"), [(BadGateway("x"), 1), (RuntimeForbids(), 3)], ids=repr)
def test_trouble_is_not_met_again_at_once_and_a_refused_caller_is_not_everybody(
    error: ServiceError, asked: int
) -> None:
    tenancy, calls = Tenancy(), list[int]()
    for _ in range(3):
        with pytest.raises(type(error)):
            tenancy.multitenant(failing(error, calls), SOON)
    assert len(calls) == asked


def test_one_asks_and_the_others_wait_for_it() -> None:
    tenancy, go, asking, answers, calls = Tenancy(), threading.Event(), threading.Event(), [], []

    def ask() -> bool:
        calls.append(1)
        asking.set()
        go.wait(20)
        return False

    threads = [threading.Thread(target=lambda: answers.append(tenancy.multitenant(ask, SOON))) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert asking.wait(20)
    go.set()
    for thread in threads:
        thread.join()
    assert (answers, len(calls)) == ([False] * 6, 1)


def test_nobody_waits_past_its_deadline_nor_at_all_for_what_is_known() -> None:
    clock = Clock()
    tenancy, go, asking = Tenancy(clock), threading.Event(), threading.Event()

    def ask() -> bool:
        asking.set()
        go.wait(20)
        return True

    def slow() -> threading.Thread:
        asking.clear()
        go.clear()
        thread = threading.Thread(target=tenancy.multitenant, args=(ask, SOON))
        thread.start()
        assert asking.wait(20)
        return thread

    first = slow()
    with pytest.raises(RuntimeTimeout):
        tenancy.multitenant(never, Deadline.after(0))
    go.set()
    first.join()
    clock.now = LIFETIME
    second = slow()
    assert tenancy.multitenant(never, SOON)
    go.set()
    second.join()
