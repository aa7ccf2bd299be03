"""Small worlds for trying reads: a clock that is set by hand, a cache that can be meddled with, a runtime to order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.caching.changes import Changes
from service.caching.memory import MemoryCache
from service.caching.protocol import Acquired, Cache, Replacement
from service.caching.store import EntryStore
from service.concurrency.deadline import Deadline
from service.domain.errors import CacheUnavailable, ServiceError
from service.domain.freshness import RequestCachePolicy, RequestDirectives
from service.domain.freshness import Source as From
from service.reads.bulkhead import Bulkhead
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.policy import Lifetimes
from service.reads.read_through import ReadThrough
from service.reads.results import VALUE, Fetched, Found
from service.telemetry.prometheus import Telemetry
from testing.clocks import Clock
from testing.waiting import PATIENCE

LIFETIMES = Lifetimes(
    fresh_running=5, fresh_finished=300, stale_while_revalidate=30, stale_if_error=1000, min_refresh=0
)

Fetch = Callable[[Sequence[str], Deadline], Mapping[str, Fetched | ServiceError]]


def read(
    reads: ReadThrough, keys: Sequence[str], fetch: Fetch, cache_policy: RequestCachePolicy, seconds: float = PATIENCE
) -> dict[str, Found | ServiceError]:
    """Read entries and wait for them."""
    deadline = Deadline.after(seconds)
    return reads.begin(keys, fetch, cache_policy, deadline).outcome(deadline)


class MeddledCache:
    """A cache with a test's clock in it: before each call ``before[method]`` is called with the key or keys.

    With ``gone`` set it is a cache whose server cannot be used.
    """

    def __init__(self, inner: Cache | None = None) -> None:
        self.inner = inner or MemoryCache(10**7)
        self.before: dict[str, Callable[[object], None]] = {}
        self.gone = False
        self.calls: list[tuple[str, object]] = []

    def get(self, key: str) -> bytes | None:
        self._enter("get", key)
        return self.inner.get(key)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        self._enter("get_many", tuple(keys))
        return self.inner.get_many(keys)

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        self._enter("set_many", tuple(items))
        self.inner.set_many(items, ttl)

    def replace_many(self, items: Mapping[str, Replacement]) -> None:
        for key, item in items.items():
            self.set_many({**item.beside, key: item.value}, item.ttl)
            if item.lock:
                self.release(item.lock, item.owner)

    def subscribe(self, changes: Changes) -> None:
        """Nothing is announced."""

    def delete(self, key: str) -> None:
        self._enter("delete", key)
        self.inner.delete(key)

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        self._enter("acquire", key)
        return self.inner.acquire(key, owner, ttl)

    def acquire_many(self, locks: Mapping[str, str], owner: str, ttl: float) -> dict[str, Acquired]:
        taken = {key: self.acquire(lock, owner, ttl) for key, lock in locks.items()}
        values = self.get_many(list(locks))
        return {key: Acquired(taken[key], values[key]) for key in locks}

    def release_many(self, keys: Sequence[str], owner: str) -> None:
        for key in keys:
            self.release(key, owner)

    def extend(self, key: str, owner: str, ttl: float) -> bool:
        self._enter("extend", key)
        return self.inner.extend(key, owner, ttl)

    def release(self, key: str, owner: str) -> None:
        self._enter("release", key)
        self.inner.release(key, owner)

    def ping(self) -> None:
        self._enter("ping", None)

    def close(self) -> None:
        self.inner.close()

    def _enter(self, method: str, subject: object) -> None:
        self.calls.append((method, subject))
        if self.gone:
            raise CacheUnavailable
        meddle = self.before.get(method)
        if meddle is not None:
            meddle(subject)


@dataclass
class Source:
    """What reads fetch from: numbered answers, or what ``says`` makes of the number; ``gate`` holds fetches up."""

    says: Callable[[int], Fetched | ServiceError] | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    answered: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.gate.set()

    def __call__(self, keys: Sequence[str], _: Deadline | None = None) -> dict[str, Fetched | ServiceError]:
        with self._lock:
            self.asked.append(tuple(keys))
            number = len(self.asked)
        assert self.gate.wait(PATIENCE)
        said = Fetched(VALUE, True, (b"answer %d" % number,)) if self.says is None else self.says(number)
        with self._lock:
            self.answered += 1
        return dict.fromkeys(keys, said)


class Process:
    """One process of the service: its own memory and leases, over a cache and a clock that it shares with others."""

    def __init__(
        self,
        cache: Cache,
        clock: Clock,
        *,
        fetches: int = 64,
        lifetimes: Lifetimes = LIFETIMES,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.telemetry = Telemetry()
        self.clock = clock
        self.store = EntryStore(cache, secret="s", memory_bytes=10**6)
        self.reads = ReadThrough(
            self.store,
            Leases(self.store),
            Pacing(cache, lifetimes.min_refresh, clock),
            lifetimes=lifetimes,
            bulkhead=Bulkhead(fetches, fast_seconds=PATIENCE, telemetry=self.telemetry),
            telemetry=self.telemetry,
            now=clock,
            sleep=sleep or clock.pass_,
        )

    def read(
        self, source: Fetch, *keys: str, seconds: float = PATIENCE, asked_at: float | None = None, **directives: Any
    ) -> dict[str, Found | ServiceError]:
        cache_policy = RequestCachePolicy(
            RequestDirectives(**directives), self.clock() if asked_at is None else asked_at
        )
        return read(self.reads, keys or ("key",), source, cache_policy, seconds)

    def one(self, source: Fetch, key: str = "key", **more: Any) -> Found | ServiceError:
        return self.read(source, key, **more)[key]

    def text(self, source: Fetch, key: str = "key", **more: Any) -> Sequence[bytes] | None:
        found = self.one(source, key, **more)
        assert isinstance(found, Found), found
        return self.reads.body(found)

    def came(self, source: Fetch, key: str = "key", **more: Any) -> From:
        """Where what was found came from."""
        found = self.one(source, key, **more)
        assert isinstance(found, Found), found
        return found.provenance.source

    def texts(self, found: Iterable[Any]) -> set[tuple[bytes, ...] | None]:
        """The bodies of what was found."""
        bodies = [self.reads.body(each) for each in found]
        return {body if body is None else tuple(body) for body in bodies}

    def waiting(self) -> float:
        """How many readers have joined a fetch that was under way."""
        return self.telemetry.registry.get_sample_value("metric_resource_flight_waits_total") or 0.0
