"""Each fuzz target for a moment, with the same examples each time; ``make fuzz`` looks further."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from testing.effort import effort
from tests.fuzz.targets import TARGETS
from tests.rows import each_row


@each_row("name", TARGETS)
def test_nothing_is_found_in_a_moment(name: str) -> None:
    target = TARGETS[name]
    once = settings(
        max_examples=effort(30, 150),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    once(given(target.inputs)(target.check))()
