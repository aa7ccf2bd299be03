"""A shared cache of which only some servers can be used."""

from __future__ import annotations

from collections.abc import Sequence

from service.caching.codec import Header, digest_of
from service.caching.memory import MemoryCache
from service.caching.store import Entry, EntryStore


class PartlyAway(MemoryCache):
    """A cache whose servers cannot be used for the keys that are ``away``."""

    def __init__(self) -> None:
        super().__init__(10**6)
        self.away: set[str] = set()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        return {key: value for key, value in super().get_many(keys).items() if key not in self.away}


def entry(fetched_at: float) -> Entry:
    parts = (b"%d" % int(fetched_at),)
    return Entry(Header("value", True, fetched_at, digest_of(parts), 1), parts)


def test_an_entry_whose_server_is_away_is_not_taken_for_checked() -> None:
    """Another process may have replaced it: once the server is back, it is read anew."""
    cache = PartlyAway()
    here, elsewhere = (EntryStore(cache, secret="s", memory_bytes=10**6, clock=lambda: 0.0) for _ in range(2))
    here.changes.began()
    here.changes.complete(0.0)
    for key in "ab":
        here.save(key, entry(1.0), 60)
        elsewhere.save(key, entry(2.0), 60)
        here.changes.announced(key)
    cache.away = {"a"}
    assert {key: header.fetched_at for key, header in here.headers(["a", "b"]).items()} == {"a": 1.0, "b": 2.0}
    cache.away = set()
    assert here.headers(["a"])["a"].fetched_at == 2.0
