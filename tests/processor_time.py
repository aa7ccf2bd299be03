"""What tests cost: processor time, which another load of the machine changes little, printed behind the tests.

Of this process and of those that it has waited for; a host that was killed is not among them. What a session's tests
share, a demo and a browser, ends behind the last of them and is named by itself.
"""

from __future__ import annotations

import heapq
import resource
from collections.abc import Iterator

import pytest

DEAR = 5.0
"""Seconds, with what a session has to start first: a test of more is to share what it starts, or to be marked ``slow``."""
_PROPERTY = "processor seconds"
_SHARED = "processor seconds of what was shared"
_NAMED = 10


def _seconds() -> float:
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class ProcessorTime:
    """A plugin of pytest, in each process that tests and in the one that reports."""

    def __init__(self) -> None:
        self._before = 0.0
        self._shared: list[float] = []
        self._spent: dict[str, float] = {}

    def pytest_runtest_logstart(self) -> None:
        self._before = _seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        if nextitem is None:
            item.user_properties.append((_PROPERTY, _seconds() - self._before))
            self._before = _seconds()
        try:
            yield
        finally:
            item.user_properties.append((_SHARED if nextitem is None else _PROPERTY, _seconds() - self._before))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self._shared += [
                seconds for name, seconds in report.user_properties if name == _SHARED and isinstance(seconds, float)
            ]
            self._spent[report.nodeid] = sum(
                seconds for name, seconds in report.user_properties if name == _PROPERTY and isinstance(seconds, float)
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The sum, and the dearest tests."""
        if not self._spent:
            return
        dear = heapq.nlargest(_NAMED, self._spent.items(), key=lambda one: one[1])
        dear = [(name, seconds) for name, seconds in dear if seconds > DEAR]
        shared = sum(self._shared)
        total = shared + sum(self._spent.values())
        terminalreporter.write_line(
            f"processor time of {len(self._spent)} tests: {total:.0f} s, {shared:.0f} of it by demos and browsers that they share"
        )
        for name, seconds in dear:
            terminalreporter.write_line(f"{seconds:6.1f} s {name}")
