"""The in-process cache against a model: a list of items in order of use, and nothing clever."""

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.caching.memory import ITEM_OVERHEAD, MemoryCache
from testing.clocks import Clock
from testing.effort import effort

KEYS = st.sampled_from(["a", "b", "c", "dé", "e"])
OWNERS = st.sampled_from(["me", "you"])
TTLS = st.integers(1, 20)
LIMIT = 3 * ITEM_OVERHEAD + 40


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.cache = MemoryCache(LIMIT, self.clock)
        self.items: list[tuple[str, bytes, float]] = []  # least recently used first
        self.locks: dict[str, tuple[str, float]] = {}

    def size(self) -> int:
        return sum(len(key.encode()) + len(value) + ITEM_OVERHEAD for key, value, _ in self.items)

    def take(self, key: str) -> tuple[str, bytes, float] | None:
        found = next((item for item in self.items if item[0] == key), None)
        self.items = [item for item in self.items if item[0] != key]
        return found

    def read(self, key: str) -> bytes | None:
        item = self.take(key)
        if item is None or item[2] <= self.clock.now:
            return None
        self.items.append(item)
        return item[1]

    def holder(self, key: str) -> str | None:
        owner, ends = self.locks.get(key, ("", 0.0))
        return owner if ends > self.clock.now else None

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(key=KEYS, value=st.binary(max_size=30) | st.just(b"x" * LIMIT), ttl=TTLS)
    def write(self, key: str, value: bytes, ttl: int) -> None:
        self.cache.set_many({key: value}, ttl)
        self.take(key)
        if len(key.encode()) + len(value) + ITEM_OVERHEAD > LIMIT:
            return
        self.items.append((key, value, self.clock.now + ttl))
        while self.size() > LIMIT:
            self.items.pop(0)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self.cache.get(key) == self.read(key)

    @rule(keys=st.lists(KEYS, max_size=4))
    def get_many(self, keys: list[str]) -> None:
        assert self.cache.get_many(keys) == {key: self.read(key) for key in keys}

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.cache.delete(key)
        self.take(key)

    @rule(key=KEYS, owner=OWNERS, ttl=TTLS)
    def acquire(self, key: str, owner: str, ttl: int) -> None:
        free = self.holder(key) is None
        assert self.cache.acquire(key, owner, ttl) is free
        if free:
            self.locks[key] = (owner, self.clock.now + ttl)

    @rule(key=KEYS, owner=OWNERS, ttl=TTLS)
    def extend(self, key: str, owner: str, ttl: int) -> None:
        held = self.holder(key) == owner
        assert self.cache.extend(key, owner, ttl) is held
        if held:
            self.locks[key] = (owner, self.clock.now + ttl)

    @rule(key=KEYS, owner=OWNERS)
    def release(self, key: str, owner: str) -> None:
        self.cache.release(key, owner)
        if self.holder(key) == owner:
            del self.locks[key]

    @invariant()
    def within_bounds(self) -> None:
        assert self.cache.bytes_used == self.size() <= LIMIT


TestMemoryCache = Model.TestCase
TestMemoryCache.settings = settings(max_examples=effort(15, 60), stateful_step_count=40)


def test_an_item_too_large_to_keep_takes_the_one_it_replaces_with_it() -> None:
    cache = MemoryCache(LIMIT)
    cache.set_many({"a": b"old"}, 60)
    cache.set_many({"a": b"x" * LIMIT}, 60)
    assert cache.get("a") is None


def test_locks_that_have_ended_are_forgotten() -> None:
    clock = Clock()
    cache = MemoryCache(LIMIT, clock)
    for number in range(10_000):
        assert cache.acquire(f"lock {number}", "me", 1)
        clock.now += 0.01
    assert len(cache._locks) < 2000


def test_threads_leave_the_count_of_bytes_right() -> None:
    cache = MemoryCache(LIMIT)

    def work(seed: int) -> None:
        for number in range(500):
            key = f"k{(seed * number) % 7}"
            cache.set_many({key: b"x" * (number % 40)}, 60)
            cache.get_many([key, "k0"])
            cache.delete("k1")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for key in range(7):
        cache.delete(f"k{key}")
    assert cache.bytes_used == 0
