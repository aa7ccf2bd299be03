"""Limits on a thread's working time: its own, and no longer than the outer one."""

from __future__ import annotations

import pytest

from service.concurrency.time_limit import TookTooLong, checkpoint, time_limit
from testing.threads import together


def test_without_a_limit_a_thread_may_go_on() -> None:
    checkpoint()


def test_a_limit_ends_with_its_context() -> None:
    with time_limit(0), pytest.raises(TookTooLong):
        checkpoint()
    checkpoint()


def test_an_inner_limit_does_not_extend_the_outer_one() -> None:
    with time_limit(0), time_limit(60), pytest.raises(TookTooLong):
        checkpoint()
    with time_limit(60):
        with time_limit(0), pytest.raises(TookTooLong):
            checkpoint()
        checkpoint()


def test_a_limit_is_its_threads_own() -> None:
    with time_limit(0):
        assert together(checkpoint, checkpoint) == [None, None]
