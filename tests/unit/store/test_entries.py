"""Stored entries: keys that cannot be confused, headers that cannot be forged, bodies that cannot surprise."""

from hypothesis import given
from hypothesis import strategies as st

from service.caching import codec
from service.caching.codec import Header, Sealer, compress, decompress, digest_of
from service.caching.keys import body_key, entry_key, lock_key
from service.caching.memory import MemoryCache
from service.caching.store import Entry, EntryStore
from service.domain.errors import CacheUnavailable

PARTS = st.lists(st.text(st.characters() | st.sampled_from(":{}\0/")), min_size=1, max_size=5)
HEADER = Header("value", True, 1000.5, digest_of((b"bo", b"dy")), 4)


class GoneCache:
    """A cache whose server cannot be used."""

    def _refuse(self, *_: object, **__: object) -> None:
        raise CacheUnavailable

    get = get_many = set_many = delete = acquire = extend = release = ping = _refuse

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


def test_a_body_is_what_its_header_says_or_nothing() -> None:
    assert decompress(compress((b"bo", b"dy")), HEADER) == (b"bo", b"dy")
    assert decompress(compress((b"BO", b"DY")), HEADER) is None
    assert decompress(compress((b"body",)), HEADER) is None
    assert decompress(compress((b"b", b"ody")), HEADER) is None
    assert decompress(compress((b"x" * 10**8,)), HEADER) is None
    assert decompress(b"garbage", HEADER) is None
    assert decompress(compress((b"bo", b"dy"))[:-2], HEADER) is None


@given(st.lists(st.binary(max_size=2000), max_size=20).map(tuple))
def test_bodies_come_back_part_by_part(parts: tuple[bytes, ...]) -> None:
    header = Header("value", True, 1.0, digest_of(parts), sum(map(len, parts)))
    assert decompress(compress(parts), header) == parts


@given(st.integers(0, 80), st.integers(1, 255))
def test_a_changed_body_is_no_body(position: int, change: int) -> None:
    parts = (b"some", b"", b"body")
    header = Header("value", True, 1.0, digest_of(parts), 8)
    stored = bytearray(compress(parts))
    stored[position % len(stored)] ^= change
    assert decompress(bytes(stored), header) in {None, parts}


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


def test_a_body_that_has_gone_is_none() -> None:
    cache = MemoryCache(10**6)
    saved = entry(b"text", 1.0)
    EntryStore(cache, secret=None, memory_bytes=10**6).save("key", saved, 60)
    cache.delete(body_key("key", saved.header.digest))
    assert EntryStore(cache, secret=None, memory_bytes=10**6).body("key", saved.header) is None


def test_memory_is_bounded() -> None:
    store = EntryStore(None, secret=None, memory_bytes=20_000)
    for number in range(100):
        store.save(f"key{number}", entry(bytes(str(number), "ascii") * 500, 1.0), 60)
    assert 0 < len(store.headers([f"key{number}" for number in range(100)])) < 50


def test_values_are_packed_and_unpacked() -> None:
    assert codec.unpack(codec.pack(HEADER), Header) == HEADER
