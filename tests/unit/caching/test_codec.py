"""Stored entries: keys that cannot be confused, headers that cannot be forged, bodies that cannot surprise."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caching import codec
from service.caching.codec import Compressed, ContentGone, Header, Sealer, compress, decompress, digest_of
from service.caching.entry_keys import body_key, entry_key, lock_key, rest_key
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.caching.store import Entry, EntryStore
from service.domain.errors import CacheUnavailable

PARTS = st.lists(st.text(st.characters() | st.sampled_from(":{}\0/")), min_size=1, max_size=5)
HEADER = Header("value", True, 1000.5, digest_of((b"bo", b"dy")), 4)


class GoneCache:
    """A cache whose server cannot be used."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise CacheUnavailable

    get = get_many = set_many = replace_many = subscribe = delete = ping = _refuse
    acquire = acquire_many = extend = release = release_many = _refuse

    def close(self) -> None:
        """Nothing to close."""


@given(PARTS, PARTS)
def test_different_entries_never_share_a_key(one: list[str], other: list[str]) -> None:
    assert (entry_key(*one) == entry_key(*other)) == (one == other)


@given(PARTS)
def test_all_keys_of_an_entry_have_one_hash_tag(parts: list[str]) -> None:
    key = entry_key(*parts)
    tag = key[key.index("{") : key.index("}") + 1]
    assert tag in body_key(key, b"\1")
    assert tag in lock_key(key)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_header_is_no_header(position: int, change: int) -> None:
    sealer = Sealer("a secret")
    sealed = bytearray(sealer.seal("key", HEADER))
    sealed[position % len(sealed)] ^= change
    assert sealer.open("key", bytes(sealed)) is None


@given(st.binary(max_size=100))
def test_garbage_is_no_header(garbage: bytes) -> None:
    assert Sealer("a secret").open("key", garbage) is None


def test_a_header_counts_under_its_own_key_and_secret_only() -> None:
    sealed = Sealer("a secret").seal("key", HEADER)
    assert Sealer("a secret").open("key", sealed) == HEADER
    assert Sealer("a secret").open("another key", sealed) is None
    assert Sealer("another secret").open("key", sealed) is None
    assert Sealer(None).open("key", sealed) is None


def read(stored: Compressed, header: Header = HEADER) -> tuple[bytes, ...] | None:
    """All parts of a stored body; ``None`` where it is none."""
    packed = decompress(stored.head, header, lambda: stored.rest)
    try:
        return None if packed is None else tuple(packed)
    except ContentGone:
        return None


def header_of(parts: Sequence[bytes]) -> Header:
    return Header("value", True, 1.0, digest_of(parts), sum(map(len, parts)))


def test_a_body_is_what_its_header_says_or_nothing() -> None:
    stored = compress((b"bo", b"dy"))
    assert read(stored) == (b"bo", b"dy")
    assert read(compress((b"BO", b"DY"))) is None
    assert read(compress((b"body",))) is None
    assert read(compress((b"b", b"ody"))) is None
    assert read(compress((b"x" * 10**8,))) is None
    assert read(Compressed(b"garbage", b"")) is None
    assert read(compress(())) is None
    many = (b"x",) * 60_000
    assert read(compress(many), header_of(many)) is None  # more parts than any answer has
    assert read(Compressed(stored.head[:-2], stored.rest)) is None
    assert read(Compressed(stored.head, stored.rest[:-2])) is None
    assert read(Compressed(stored.head, compress((b"bo", b"DY")).rest)) is None
    assert read(Compressed(stored.head, compress((b"bo", b"d" * 10**8)).rest)) is None


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=20).map(tuple))
def test_bodies_come_back_part_by_part(parts: tuple[bytes, ...]) -> None:
    assert read(compress(parts), header_of(parts)) == parts


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_body_is_no_body(position: int, change: int) -> None:
    parts = (b"some", b"", b"body")
    stored = compress(parts)
    changed = bytearray(stored.head + stored.rest)
    changed[position % len(changed)] ^= change
    length = len(stored.head)
    assert read(Compressed(bytes(changed[:length]), bytes(changed[length:])), header_of(parts)) in {None, parts}


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_garbage_is_no_body(head: bytes, rest: bytes) -> None:
    assert read(Compressed(head, rest)) is None


def test_parts_are_unpacked_when_they_are_looked_at() -> None:
    parts = [bytes([number]) * 1000 for number in range(9)]
    stored = compress(parts)
    loads: list[int] = []

    def rest() -> bytes:
        loads.append(1)
        return stored.rest

    packed = decompress(stored.head, header_of(parts), rest)
    assert packed is not None
    assert packed[0] == parts[0]
    assert not loads
    assert (packed[7], packed[-1], packed[3:5]) == (parts[7], parts[8], parts[3:5])
    assert len(loads) == 1


def test_what_the_version_before_wrote_is_a_miss() -> None:
    cache = MemoryCache(10**6)
    header = header_of((b"text",))
    packed = msgspec.msgpack.encode(header)
    sealer = Sealer("s")
    sealed = sealer.seal("key", header)
    cache.set_many({"key": b"\x04" + sealed[1:]}, 60)
    assert packed in sealed
    assert EntryStore(cache, secret="s", memory_bytes=10**6).headers(["key"]) == {}
    lengths = msgspec.msgpack.encode([4])
    old = len(lengths).to_bytes(4, "big") + lengths + compress((b"text",)).head
    cache.set_many({body_key("key", header.digest): old}, 60)
    assert EntryStore(cache, secret="s", memory_bytes=10**6).body("key", header) is None


def test_the_first_part_is_read_without_the_others() -> None:
    cache = MemoryCache(10**6)
    parts = (b"tags", b"points" * 1000)
    EntryStore(cache, secret=None, memory_bytes=10**6).save("key", Entry(header_of(parts), parts), 60)
    cache.delete(rest_key("key", header_of(parts).digest))
    packed = EntryStore(cache, secret=None, memory_bytes=10**6).body("key", header_of(parts))
    assert packed is not None
    assert packed[0] == b"tags"
    with pytest.raises(ContentGone):
        _ = packed[1]


def entry(text: bytes, at: float) -> Entry:
    return Entry(Header("value", True, at, digest_of((text,)), len(text)), (text,))


def test_two_processes_see_the_newer_entry() -> None:
    cache = MemoryCache(10**6)
    one, other = (EntryStore(cache, secret="s", memory_bytes=10**6) for _ in range(2))
    one.save("key", entry(b"old", 1.0), 60)
    other.save("key", entry(b"new", 2.0), 60)
    header = one.headers(["key"], latest=True)["key"]
    assert one.body("key", header) == (b"new",)


def test_without_the_shared_cache_a_process_remembers_for_itself() -> None:
    store = EntryStore(GoneCache(), secret=None, memory_bytes=10**6)
    assert store.headers(["key"]) == {}
    assert not store.save("key", entry(b"text", 1.0), 60)
    header = store.headers(["key"])["key"]
    assert store.body("key", header) == (b"text",)
    assert store.failure("key", 0.0) is None


class TakesNoLargeBodies(MemoryCache):
    """A shared cache with no room, or no time, for a body of its own."""

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        if max(map(len, items.values())) > 64 * 1024:
            raise CacheUnavailable
        super().set_many(items, ttl)


@pytest.mark.parametrize("cache", [TakesNoLargeBodies(10**7), GoneCache()])
def test_a_large_body_that_cannot_be_stored_keeps_no_other_entry_from_it(cache: Cache) -> None:
    store = EntryStore(cache, secret=None, memory_bytes=10**6)
    entries = {"large": entry(os.urandom(100_000), 1.0), "small": entry(b"text", 1.0)}
    stored = store.save_all({key: (saved, 60) for key, saved in entries.items()})
    assert set(stored) == (set() if isinstance(cache, GoneCache) else {"small"})
    headers = store.headers(["large", "small"])
    assert headers == {key: saved.header for key, saved in entries.items()}
    assert store.body("small", headers["small"]) == (b"text",)


def test_a_header_is_at_hand_until_the_shared_cache_is_to_be_asked_again() -> None:
    cache = MemoryCache(10**6)
    saved = entry(b"text", 1.0)
    stores = {seconds: EntryStore(cache, secret=None, memory_bytes=10**6, coherence=seconds) for seconds in (-1, 60)}
    assert [store.header_at_hand("key") for store in stores.values()] == [None, None]
    stores[60].save("key", saved, 60)
    assert stores[-1].headers(["key"]) == {"key": saved.header}
    cache.delete("key")
    assert [store.header_at_hand("key") for store in stores.values()] == [None, saved.header]


def test_a_body_that_has_gone_is_none() -> None:
    cache = MemoryCache(10**6)
    saved = entry(b"text", 1.0)
    EntryStore(cache, secret=None, memory_bytes=10**6).save("key", saved, 60)
    cache.delete(body_key("key", saved.header.digest))
    assert EntryStore(cache, secret=None, memory_bytes=10**6).body("key", saved.header) is None


def test_memory_is_bounded() -> None:
    store = EntryStore(GoneCache(), secret=None, memory_bytes=20_000)
    for number in range(100):
        store.save(f"key{number}", entry(bytes(str(number), "ascii") * 500, 1.0), 60)
    assert 0 < len(store.headers([f"key{number}" for number in range(100)])) < 50


def test_of_what_is_more_than_memory_takes_the_header_stays() -> None:
    cache = MemoryCache(10**7)
    store = EntryStore(cache, secret=None, memory_bytes=20_000)
    store.save("small", entry(b"text", 1.0), 60)
    parts = (b"head", os.urandom(30_000))
    large = Entry(header_of(parts), parts)
    store.save("large", large, 60)
    packed = store.body("large", large.header)
    assert packed is not None
    assert packed[1] == parts[1]
    cache.close()
    assert set(store.headers(["small", "large"])) == {"small", "large"}
    rest_is_gone = store.body("large", large.header)
    assert rest_is_gone is not None
    with pytest.raises(ContentGone):
        _ = rest_is_gone[1]


def test_memory_counts_what_is_loaded_later() -> None:
    cache = MemoryCache(10**7)
    saved = [Entry(header_of(parts), parts) for parts in ((b"head", os.urandom(5000), bytes([n])) for n in range(20))]
    writer, reader = (EntryStore(cache, secret=None, memory_bytes=20_000) for _ in range(2))
    for number, one in enumerate(saved):
        writer.save(f"key{number}", one, 60)
        packed = reader.body(f"key{number}", one.header)
        assert packed is not None
        assert packed[1] == one.packed[1]
    cache.close()
    kept = [reader.body(f"key{number}", one.header) for number, one in enumerate(saved)]
    assert 0 < sum(one is not None for one in kept) < 5


def test_values_are_packed_and_unpacked() -> None:
    assert codec.unpack(codec.pack(HEADER), Header) == HEADER


def test_a_body_of_no_parts_holds_nothing() -> None:
    with pytest.raises(codec.NotAnEntry):
        codec.unpack((), Header)
