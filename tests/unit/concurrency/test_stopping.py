"""A server that stops wakes those who wait for something else."""

from __future__ import annotations

import threading

from service.concurrency.pushed_body import Stopping


def test_a_server_that_stops_sets_what_is_waited_for_meanwhile_and_nothing_else() -> None:
    stopping, waiting, over = Stopping(), threading.Event(), threading.Event()
    with stopping.setting(over):
        pass
    with stopping.setting(waiting):
        assert not waiting.is_set()
        stopping.set()
        assert waiting.is_set()
    assert not over.is_set()
    with stopping.setting(over):
        assert over.is_set(), "it had stopped before"
