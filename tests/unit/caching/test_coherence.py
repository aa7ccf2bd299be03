"""What processes agree on: however announcements come, no entry is given long after another process replaced it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.caching.changes import LIVING, Changes
from service.caching.codec import Header, digest_of
from service.caching.memory import MemoryCache
from service.caching.protocol import Replacement
from service.caching.store import COHERENCE, Entry, EntryStore
from testing.effort import effort

KEY = "mr1:{k}"
HOSTS = st.integers(0, 1)


class Server:
    """A shared cache, which has what was announced in a queue for each subscriber, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.values = MemoryCache(10**6)
        self.queues: dict[Changes, deque[Callable[[], None]]] = {}


class Shared(MemoryCache):
    """One process's way to it; ``meanwhile`` happens after the server has answered a read."""

    def __init__(self, server: Server) -> None:
        super().__init__(0)
        self._server = server
        self.changes: Changes
        self.meanwhile: Callable[[], object] = int

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        answer = self._server.values.get_many(keys)
        self.meanwhile()
        return answer

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        self._server.values.set_many(items, ttl)

    def replace_many(self, items: Mapping[str, Replacement]) -> None:
        for key, item in items.items():
            self.set_many({**item.beside, key: item.value}, item.ttl)
            for changes, queue in self._server.queues.items():
                if changes is not self.changes:
                    queue.append(lambda changes=changes, key=key: changes.announced(key))

    def subscribe(self, changes: Changes) -> None:
        self.changes = changes


class Coherence(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.server = Server()
        self.caches = [Shared(self.server) for _ in range(2)]
        self.stores = [
            EntryStore(cache, secret="s", memory_bytes=10**6, clock=lambda: self.server.now) for cache in self.caches
        ]
        for cache, store in zip(self.caches, self.stores, strict=True):
            cache.subscribe(store.changes)
            self.subscribe(self.caches.index(cache))
        self.replaced_at: list[float] = []
        self.replace(0)

    @rule(host=HOSTS)
    def replace(self, host: int) -> None:
        number = len(self.replaced_at)
        self.replaced_at.append(self.server.now)
        parts = (b"%d" % number,)
        self.stores[host].save(KEY, Entry(Header("value", True, float(number), digest_of(parts), 1), parts), 1e6)

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.2, 0.3, 0.9, 5.0]))
    def wait(self, seconds: float) -> None:
        self.server.now += seconds

    @rule(host=HOSTS)
    def subscribe(self, host: int) -> None:
        changes = self.stores[host].changes
        self.server.queues[changes] = deque()
        changes.ended()
        changes.began()
        self.hear(host)

    @rule(host=HOSTS)
    def cut(self, host: int) -> None:
        """The connection ends, and so far nobody has noticed."""
        self.server.queues.pop(self.stores[host].changes, None)

    @rule(host=HOSTS)
    def ping(self, host: int) -> None:
        changes, sent_at = self.stores[host].changes, self.server.now
        if changes in self.server.queues:
            self.server.queues[changes].append(lambda: changes.complete(sent_at))

    @rule(host=HOSTS, most=st.integers(1, 3))
    def deliver(self, host: int, most: int) -> None:
        queue = self.server.queues.get(self.stores[host].changes, deque())
        for _ in range(min(most, len(queue))):
            queue.popleft()()

    @rule(host=HOSTS)
    def hear(self, host: int) -> None:
        self.ping(host)
        self.deliver(host, 1000)

    @rule(host=HOSTS)
    def hear_for_a_while(self, host: int) -> None:
        for _ in range(3):
            self.wait(0.15)
            self.hear(host)

    @rule(host=HOSTS)
    def read(self, host: int) -> None:
        store = self.stores[host]
        number = int(store.headers([KEY])[KEY].fetched_at)
        later = self.replaced_at[number + 1 :]
        known_for = LIVING if store.changes.living else COHERENCE
        assert not later or self.server.now - later[0] <= known_for + 1e-6, "replaced long ago"

    @rule(host=HOSTS)
    def miss_what_is_replaced(self, host: int) -> None:
        self.cut(host)
        self.replace(1 - host)
        self.subscribe(host)
        self.hear_for_a_while(host)

    @invariant()
    def one_reads_all_the_time(self) -> None:
        self.read(0)

    @rule(host=HOSTS)
    def read_while_it_is_replaced(self, host: int) -> None:
        """The other process replaces it, and its announcement overtakes the answer to the read."""

        def meanwhile() -> None:
            self.caches[host].meanwhile = int
            self.replace(1 - host)
            self.deliver(host, 1000)

        self.caches[host].meanwhile = meanwhile
        self.stores[host].headers([KEY], latest=True)
        self.caches[host].meanwhile = int


TestCoherence = Coherence.TestCase
TestCoherence.settings = settings(max_examples=effort(40, 1000), stateful_step_count=25, deadline=None)
