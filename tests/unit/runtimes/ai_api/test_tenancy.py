"""Whether a runtime takes resource groups: asked by one, believed by all, and by the latest news."""

from __future__ import annotations

import threading

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeForbids, ServiceError
from service.domain.runtime import Capabilities
from service.runtimes.ai_api.tenancy import Tenancy

MANY, ONE = (Capabilities("r", "2", metrics=True, multitenant=many) for many in (True, False))
SOON = Deadline.after(24 * 3600)


def never() -> None:
    pytest.fail("it is known already")


@pytest.mark.parametrize(("said", "takes"), [(MANY, True), (ONE, False)])
def test_what_is_known_is_not_asked(said: Capabilities, takes: bool) -> None:
    tenancy = Tenancy()
    tenancy.observe(said, 1.0)
    assert tenancy.takes_groups(never, SOON) is takes


def test_the_latest_news_counts_whatever_comes_last() -> None:
    tenancy = Tenancy()
    tenancy.observe(ONE, 5.0)
    tenancy.observe(MANY, 4.0)
    assert not tenancy.takes_groups(never, SOON)
    tenancy.observe(MANY, 6.0)
    assert tenancy.takes_groups(never, SOON)


@pytest.mark.parametrize(("error", "asked"), [(BadGateway("x"), 1), (RuntimeForbids(), 3)], ids=repr)
def test_trouble_is_not_met_again_at_once_and_a_refused_caller_is_not_everybody(
    error: ServiceError, asked: int
) -> None:
    tenancy, calls = Tenancy(), []

    def ask() -> None:
        calls.append(1)
        raise error

    assert [tenancy.takes_groups(ask, SOON) for _ in range(3)] == [True] * 3
    assert len(calls) == asked


def test_one_asks_and_the_others_wait_for_it() -> None:
    tenancy, go, asking, answers, calls = Tenancy(), threading.Event(), threading.Event(), [], []

    def ask() -> None:
        calls.append(1)
        asking.set()
        go.wait(20)
        tenancy.observe(ONE, 1.0)

    threads = [threading.Thread(target=lambda: answers.append(tenancy.takes_groups(ask, SOON))) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert asking.wait(20)
    go.set()
    for thread in threads:
        thread.join()
    assert (answers, len(calls)) == ([False] * 6, 1)


def test_nobody_waits_past_its_deadline() -> None:
    tenancy, go, asking = Tenancy(), threading.Event(), threading.Event()

    def ask() -> None:
        asking.set()
        go.wait(20)

    first = threading.Thread(target=tenancy.takes_groups, args=(ask, SOON))
    first.start()
    assert asking.wait(20)
    assert tenancy.takes_groups(never, Deadline.after(0))
    go.set()
    first.join()
