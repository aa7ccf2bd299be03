from __future__ import annotations

import pytest

from service.domain.errors import RateLimited
from service.runtimes.transport.rate_limits import RateLimits


def test_rate_limits_silence_a_minute_at_most_and_are_each_caller_s_own() -> None:
    """Clients get the runtime's own ``Retry-After``."""
    now = [0.0]
    limits = RateLimits(lambda: now[0])
    limits.note(None, 3600)
    limits.note("mine", 0.5)
    limits.check("another")
    for caller, left in ((None, 3600), ("mine", 1)):
        with pytest.raises(RateLimited) as raised:
            limits.check(caller)
        assert raised.value.retry_after == left
    now[0] = 60.0
    limits.check(None)
    limits.check("mine")


def test_rate_limits_of_many_callers_are_forgotten() -> None:
    now = [0.0]
    limits = RateLimits(lambda: now[0])
    for caller in range(5000):
        now[0] += 0.01
        limits.note(str(caller), 1)
    assert limits._until.weight <= 1000
