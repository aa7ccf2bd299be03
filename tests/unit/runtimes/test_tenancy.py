"""Whether a runtime keeps resource groups apart: asked by one, believed by all, asked again when it is old."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeForbids, RuntimeTimeout, ServiceError
from service.domain.runtime import CacheScope, Capabilities, RequestContext
from service.runtimes.tenancy import LIFETIME, Tenancy
from testing.clocks import Clock

SOON = RequestContext(CacheScope("t", "g"), Deadline.after(24 * 3600), "a-request", "")


def saying(multitenant: bool) -> Callable[[RequestContext], Capabilities]:
    return lambda _: Capabilities(None, None, metrics=None, multitenant=multitenant)


def never(_: RequestContext) -> Capabilities:
    pytest.fail("it is known already")


def failing(error: ServiceError, calls: list[int]) -> Callable[[RequestContext], Capabilities]:
    def ask(_: RequestContext) -> Capabilities:
        calls.append(1)
        raise error

    return ask


@pytest.mark.parametrize("said", [True, False])
def test_what_is_known_is_not_asked(said: bool) -> None:
    tenancy = Tenancy()
    tenancy.note(said)
    assert tenancy.multitenant(SOON, never) is said


def test_what_is_old_is_asked_again_and_holds_until_it_is_answered() -> None:
    clock = Clock(0.0)
    tenancy, calls = Tenancy(clock), list[int]()
    assert tenancy.multitenant(SOON, saying(True))
    clock.now = LIFETIME - 1
    assert tenancy.multitenant(SOON, never)
    clock.now = LIFETIME
    assert tenancy.multitenant(SOON, failing(BadGateway("x"), calls))
    assert tenancy.multitenant(SOON, failing(BadGateway("x"), calls))
    assert len(calls) == 1, "not at once"
    clock.now += 60
    assert not tenancy.multitenant(SOON, saying(False))


@pytest.mark.parametrize(("error", "asked"), [(BadGateway("x"), 1), (RuntimeForbids(), 3)], ids=repr)
def test_trouble_is_not_met_again_at_once_and_a_refused_caller_is_not_everybody(
    error: ServiceError, asked: int
) -> None:
    tenancy, calls = Tenancy(), list[int]()
    for _ in range(3):
        with pytest.raises(type(error)):
            tenancy.multitenant(SOON, failing(error, calls))
    assert len(calls) == asked


def test_one_asks_and_the_others_wait_for_it() -> None:
    tenancy, go, asking, answers, calls = Tenancy(), threading.Event(), threading.Event(), [], []

    def ask(_: RequestContext) -> Capabilities:
        calls.append(1)
        asking.set()
        go.wait(20)
        return saying(False)(SOON)

    threads = [threading.Thread(target=lambda: answers.append(tenancy.multitenant(SOON, ask))) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert asking.wait(20)
    go.set()
    for thread in threads:
        thread.join()
    assert (answers, len(calls)) == ([False] * 6, 1)


def test_nobody_waits_past_its_deadline_nor_at_all_for_what_is_known() -> None:
    clock = Clock(0.0)
    tenancy, go, asking = Tenancy(clock), threading.Event(), threading.Event()

    def ask(_: RequestContext) -> Capabilities:
        asking.set()
        go.wait(20)
        return saying(True)(SOON)

    def slow() -> threading.Thread:
        asking.clear()
        go.clear()
        thread = threading.Thread(target=tenancy.multitenant, args=(SOON, ask))
        thread.start()
        assert asking.wait(20)
        return thread

    first = slow()
    with pytest.raises(RuntimeTimeout):
        tenancy.multitenant(SOON.by(Deadline.after(0)), never)
    go.set()
    first.join()
    clock.now = LIFETIME
    second = slow()
    assert tenancy.multitenant(SOON, never)
    go.set()
    second.join()


def test_what_the_runtime_last_said_of_itself_is_believed_and_not_asked() -> None:
    known = replace(SOON, known=saying(False)(SOON))
    assert not Tenancy().multitenant(known, never)


def test_a_callers_own_token_asks_for_that_caller_alone() -> None:
    tenancy, calls, go, asking = Tenancy(), list[int](), threading.Event(), threading.Event()
    ann, bob = (replace(SOON, cache_scope=CacheScope("t", "g", caller=one, token=one)) for one in ("ann", "bob"))

    def slow(_: RequestContext) -> Capabilities:
        asking.set()
        go.wait(20)
        return saying(True)(SOON)

    thread = threading.Thread(target=tenancy.multitenant, args=(ann, slow))
    thread.start()
    assert asking.wait(20)
    with pytest.raises(RuntimeForbids):
        tenancy.multitenant(bob, failing(RuntimeForbids(), calls))
    go.set()
    thread.join()
    assert calls == [1]
