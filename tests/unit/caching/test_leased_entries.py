"""Leases and entries in one step: whoever takes a lease knows what was stored before it, and whoever stores an entry
releases no lease but its own."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from service.caching.codec import Header, digest_of
from service.caching.memory import MemoryCache
from service.caching.store import Entry, EntryStore
from testing.clocks import Clock
from testing.effort import effort

TTL = 1.2
KEYS = [f"mr1:{{{number}}}" for number in range(3)]
HOSTS, SOME = st.integers(0, 1), st.lists(st.sampled_from(KEYS), min_size=1, unique=True)


class LeasedEntries(RuleBasedStateMachine):
    """Two processes, each with a memory of its own, over one cache with a clock that is set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(0.0)
        cache = MemoryCache(10**6, self.clock)
        self.stores = [EntryStore(cache, secret="s", memory_bytes=10**6, clock=self.clock) for _ in range(2)]
        self.held: dict[str, tuple[str, float]] = {}
        self.stored: dict[str, float] = {}
        self.number = 0

    def holder(self, key: str) -> str | None:
        owner, ends = self.held.get(key, (None, 0.0))
        return owner if ends > self.clock() else None

    @rule(host=HOSTS, keys=SOME)
    def acquire(self, host: int, keys: list[str]) -> None:
        free = [key for key in keys if self.holder(key) is None]
        taken, headers = self.stores[host].acquire(keys, f"host {host}", TTL)
        assert taken == free
        assert {key: header.fetched_at for key, header in headers.items()} == {
            key: self.stored[key] for key in keys if key in self.stored
        }
        self.held |= dict.fromkeys(free, (f"host {host}", self.clock() + TTL))

    @rule(host=HOSTS, keys=SOME)
    def save(self, host: int, keys: list[str]) -> None:
        """Whether the lease is still held or not: what was fetched is good."""
        self.number += 1
        parts = (b"%d" % self.number,)
        entry = Entry(Header("value", True, float(self.number), digest_of(parts), len(parts[0])), parts)
        assert set(self.stores[host].save_all(dict.fromkeys(keys, (entry, 1e6)), f"host {host}")) == set(keys)
        self.stored |= dict.fromkeys(keys, float(self.number))
        self.let_go(host, keys)

    @rule(host=HOSTS, keys=SOME)
    def release(self, host: int, keys: list[str]) -> None:
        self.stores[host].release(keys, f"host {host}")
        self.let_go(host, keys)

    @rule(host=HOSTS, key=st.sampled_from(KEYS))
    def extend(self, host: int, key: str) -> None:
        self.stores[host].extend(key, f"host {host}", TTL)
        if self.holder(key) == f"host {host}":
            self.held[key] = (f"host {host}", self.clock() + TTL)

    @rule(seconds=st.sampled_from([0.1, 0.7, 1.3]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    def let_go(self, host: int, keys: list[str]) -> None:
        for key in keys:
            if self.holder(key) == f"host {host}":
                del self.held[key]


TestLeasedEntries = LeasedEntries.TestCase
TestLeasedEntries.settings = settings(max_examples=effort(20, 500), stateful_step_count=25, deadline=None)
