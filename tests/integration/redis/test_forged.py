"""A server that others write to, by a service without a secret: what they leave there costs little and stops nothing."""

from __future__ import annotations

import sys
import time

import msgspec

from tests.rows import each_row

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import pytest

from service.caching import codec
from service.caching.codec import Header, Sealer, digest_of
from service.caching.entry_keys import body_key, lock_key
from service.caching.redis.cache import RedisCache
from service.caching.store import EntryStore
from service.reads.leases import TTL, Leases
from service.reads.results import VALUE, Fetched, Found
from testing.clocks import Clock
from testing.waiting import eventually
from testing.work import MEBIBYTE, memory
from tests.integration.redis.conftest import Connect
from tests.servers.valkey import ValkeyServer
from tests.unit.reads.worlds import LIFETIMES, Process, Source

GIBIBYTE = 1024 * MEBIBYTE


def store_on(cache: RedisCache, largest: int = codec.LARGEST) -> EntryStore:
    return EntryStore(cache, secret=None, memory_bytes=MEBIBYTE, largest=largest)


def forge(cache: RedisCache, size: int, body: bytes, digest: bytes = bytes(16)) -> None:
    header = Header(VALUE, True, time.time(), digest, size)
    cache.set_many({"key": Sealer(None).seal("key", header), body_key("key", digest): body}, 60)


def bomb(size: int) -> bytes:
    """``size`` bytes, compressed to nearly nothing; never as large as that in this process."""
    compressor = zstd.ZstdCompressor(1)
    lengths = msgspec.msgpack.encode([size])
    pieces = [compressor.compress(bytes(MEBIBYTE)) for _ in range(size // MEBIBYTE)]
    return b"".join([len(lengths).to_bytes(4, "big"), lengths, *pieces, compressor.flush()])


def test_a_body_larger_than_any_answer_may_be_is_not_unpacked(cache: RedisCache) -> None:
    """65 kB became 5.3 GB."""
    body = bomb(2 * GIBIBYTE)
    assert len(body) < MEBIBYTE
    forge(cache, 2 * GIBIBYTE, body)

    def read() -> None:
        assert store_on(cache).headers(["key"]) == {}

    assert memory(read) < 2 * MEBIBYTE


def test_how_large_an_answer_may_be_is_the_stores_to_say(cache: RedisCache) -> None:
    forge(cache, 5, codec.compress((b"12345",)).head, digest_of((b"12345",)))
    assert store_on(cache, 5).headers(["key"]).keys() == {"key"}
    assert store_on(cache, 4).headers(["key"]) == {}


@each_row(
    "body",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\0\0\0\5\xdd\xff\xff\xff\xff",
        (8 * MEBIBYTE).to_bytes(4, "big") + b"\xdd\0\x7f\xff\xf6" + bytes(8 * MEBIBYTE),
        (b"x" * 16 * MEBIBYTE,),
        (b"x",) * 100_000,
    ],
)
def test_a_body_that_is_not_what_its_header_says_is_none_and_takes_little_room(
    cache: RedisCache, body: bytes | tuple[bytes, ...]
) -> None:
    """Parts are packed as the service packs them, anything else is as it stands."""
    if isinstance(body, tuple):
        body = codec.compress(body).head
    forge(cache, 3, body)
    store = store_on(cache)
    header = store.headers(["key"])["key"]

    def read() -> None:
        assert store.body("key", header) is None

    assert memory(read) < 3 * len(body) + 2 * MEBIBYTE


@each_row(
    "fields",
    [
        ["value", True, float("nan"), b"", 0],
        ["value", True, float("inf"), b"", 0],
        ["value", True, -1.0, b"", 0],
        ["value", True, 1.0, b"", -1],
        ["value", True, 1.0, b"", 2**63],
        ["value", True, 1.0, bytes(17), 0],
        ["value", True, 1.0, b"", 0, float("inf")],
        ["v" * 300, True, 1.0, b"", 0],
        ["value", True, 1.0, b"", 0, 0.0, [[[[]]]] * 300],
        [],
        "value",
    ],
)
def test_a_header_that_the_service_would_not_write_is_none(cache: RedisCache, fields: object) -> None:
    packed = msgspec.msgpack.encode(fields)
    cache.set_many({"key": b"\x02" + Sealer(None)._code("key", packed) + packed}, 60)
    assert store_on(cache).headers(["key"]) == {}


def world(connect: Connect, server: ValkeyServer) -> tuple[Clock, Process]:
    clock = Clock(time.time())
    return clock, Process(connect(server.url), clock)


def milliseconds_left(server: ValkeyServer, key: str) -> int:
    left = server.ask("PTTL", key)
    assert isinstance(left, int)
    return left


def test_runs_that_never_were_are_forgotten_soon(connect: Connect, server: ValkeyServer) -> None:
    """2,000 made-up ids left 2,000 keys for a day."""
    clock, process = world(connect, server)
    absent = Source(says=lambda _: Fetched("absent"))
    made_up = [f"made-up {number}" for number in range(50)]
    for _ in range(2):
        process.read(absent, *made_up)
        clock.pass_(LIFETIMES.remembered_absence)
    assert len(absent.asked) == 2
    most = 1000 * LIFETIMES.remembered_absence
    assert all(milliseconds_left(server, key) <= most for key in made_up)


def test_a_run_that_was_stays_ended_for_as_long_as_its_last_answer_could_come_up(
    connect: Connect, server: ValkeyServer
) -> None:
    clock, process = world(connect, server)
    other = Process(connect(server.url), clock)
    source = Source()
    assert isinstance(process.one(source), Found)
    assert isinstance(other.one(source), Found)
    kept = milliseconds_left(server, "key") / 1000
    source.says = lambda _: Fetched("absent")
    for passed in (400, 500):
        clock.pass_(passed)
        found = process.one(source)
        assert isinstance(found, Found)
        assert found.header.outcome == "absent"
    assert kept - 900 - 60 < milliseconds_left(server, "key") / 1000 < kept - 900 + 5
    clock.pass_(kept)
    process.one(source)
    assert milliseconds_left(server, "key") / 1000 <= LIFETIMES.remembered_absence


def test_what_was_found_again_is_kept_like_any_answer(connect: Connect, server: ValkeyServer) -> None:
    clock, process = world(connect, server)
    source = Source(says=lambda _: Fetched("absent"))
    process.one(source)
    source.says = None
    clock.pass_(10)
    process.one(source)
    assert milliseconds_left(server, "key") > 1000 * LIFETIMES.stale_if_error


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "{}", "forged"),
        ("SET", "{}", "forged", "PX", 86_400_000),
        ("SET", "{}", "forged", "PX", int(3000 * TTL)),
        ("RPUSH", "{}", "forged"),
        ("HSET", "{}", "forged", "forged"),
    ],
)
def test_a_lock_that_is_no_lease_holds_no_other_up(
    cache: RedisCache, server: ValkeyServer, command: tuple[str | int, ...]
) -> None:
    name, _, *arguments = command

    def is_a_lease_then() -> bool:
        """Whether it is; a lease ends while this process is held up."""
        server.ask("DEL", lock_key("key"))
        server.ask(name, lock_key("key"), *arguments)
        leases, others = Leases(store_on(cache)), Leases(store_on(cache))
        assert leases.acquire(["key"]).keys
        held = not others.acquire(["key"]).keys and 0 < milliseconds_left(server, lock_key("key")) <= 1000 * TTL
        for each in (leases, others):
            each.release(["key"])
        assert others.acquire(["key"]).keys
        for each in (leases, others):
            each.close()
        return held

    eventually(is_a_lease_then)


def test_a_lock_as_long_as_a_lease_is_one_until_it_ends(cache: RedisCache, server: ValkeyServer) -> None:
    leases = Leases(store_on(cache))

    def is_one() -> bool:
        """Whether it is; it has ended where this process is held up."""
        server.ask("SET", lock_key("key"), "another process", "PX", int(1000 * TTL))
        taken = leases.acquire(["key"]).keys
        leases.release(taken)
        return not taken and server.ask("GET", lock_key("key")) == b"another process"

    eventually(is_one)
    eventually(lambda: leases.acquire(["key"]).keys)
    assert server.ask("GET", lock_key("key")) not in {None, b"another process"}
    leases.close()
