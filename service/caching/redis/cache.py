"""The cache on a Redis or Valkey server: the one seam where the client's exceptions become ``CacheUnavailable``."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from redis import Redis
from redis.exceptions import RedisClusterException

from service.caching.changes import Changes
from service.caching.entry_keys import CHANNEL
from service.caching.protocol import Acquired, Replacement
from service.caching.redis.bounded_connections import within
from service.caching.redis.circuit import TOLERANCE, ServerCircuit
from service.caching.redis.cluster import Cluster
from service.caching.redis.error_kinds import Verdict, reason, verdict
from service.caching.redis.options import pool_of
from service.caching.redis.scripts import (
    ACQUIRE,
    ACQUIRE_AND_READ,
    EXTEND,
    RELEASE,
    REPLACE,
    Call,
    Script,
    run,
    run_many,
)
from service.caching.redis.sentinels import sentinel_servers
from service.caching.redis.servers import Servers, Share, Single
from service.caching.redis.subscription import Subscription
from service.caching.redis.url import Form, ServerUrl, parse_url
from service.concurrency.blocking import waiting
from service.concurrency.circuit_breaker import Tolerance
from service.concurrency.deadline import Deadline
from service.domain.errors import CacheUnavailable

if TYPE_CHECKING:
    from service.telemetry.prometheus import (
        Telemetry,  # importing it decides how metrics are kept, so only in the workers
    )

T = TypeVar("T")


class RedisCache:
    """Implements ``protocol.Cache``. Connects on first use, so it can be made while the server is away.

    ``url`` follows the grammar in ``url`` (``ValueError`` otherwise). ``timeout`` in seconds bounds each wait on the
    network; an operation as a whole ends within twice that, name resolution aside. There are no
    retries: after failures a circuit breaker opens (``circuit``), and operations raise ``CacheUnavailable`` at once.

    An ACL user needs ``MGET``, ``SET``, ``DEL``, ``GET``, ``PEXPIRE``, ``PTTL``, ``EVAL``, ``EVALSHA`` and ``PING``; in
    a cluster also ``CLUSTER SLOTS`` and ``COMMAND``. Announcements need ``PUBLISH``, ``SUBSCRIBE`` and the channel
    ``entry_keys.CHANNEL``; without them, announcements are not used.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 0.25,
        telemetry: Telemetry,
        tolerance: Tolerance = TOLERANCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = _servers(parse_url(url), timeout)
        self._timeout = timeout
        self._telemetry = telemetry
        self._tolerance = tolerance
        self._clock = clock
        self._circuits: dict[str, ServerCircuit] = {}
        self._circuits_lock = threading.Lock()
        self._sender = uuid.uuid4().hex
        self._subscription: Subscription | None = None
        self._is_closed = False

    def get(self, key: str) -> bytes | None:
        return self.get_many([key])[key]

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """Uses ``MGET`` also for one key, which ignores values of another type: they are not ours, and are
        overwritten."""
        found: dict[str, bytes | None] = {}

        def read(share: Share) -> None:
            found.update(zip(share.keys, _values(share.client.mget(share.keys), len(share.keys)), strict=True))

        try:
            self._on_each_server("MGET", keys, read, writes=False)
        except CacheUnavailable:
            if not found:
                raise
        return found

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        self._on_each_server("SET", list(items), lambda share: _write(share, items, _milliseconds(ttl)), writes=True)

    def replace_many(self, items: Mapping[str, Replacement]) -> None:
        calls = {key: self._replacing(key, item) for key, item in items.items()}
        self._run_many("replace", REPLACE, calls, _nothing)

    def subscribe(self, changes: Changes) -> None:
        self._subscription = Subscription(self._servers, self._sender, changes, self._timeout)
        self._subscription.start()

    def delete(self, key: str) -> None:
        with self._operation(), self._share("DEL", key) as share:
            share.client.delete(key)

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        with self._operation(), self._share("EVALSHA acquire", key, writes=True) as share:
            return bool(run(share.client, ACQUIRE, Call((key,), (owner, _milliseconds(ttl)))) == 1)

    def acquire_many(self, locks: Mapping[str, str], owner: str, ttl: float) -> dict[str, Acquired]:
        calls = {key: Call((lock, key), (owner, _milliseconds(ttl))) for key, lock in locks.items()}
        return self._run_many("acquire", ACQUIRE_AND_READ, calls, _acquired)

    def extend(self, key: str, owner: str, ttl: float) -> bool:
        with self._operation(), self._share("EVALSHA extend", key) as share:
            return bool(run(share.client, EXTEND, Call((key,), (owner, _milliseconds(ttl)))) == 1)

    def release(self, key: str, owner: str) -> None:
        with self._operation(), self._share("EVALSHA release", key) as share:
            run(share.client, RELEASE, Call((key,), (owner,)))

    def release_many(self, keys: Sequence[str], owner: str) -> None:
        self._run_many("release", RELEASE, {key: Call((key,), (owner,)) for key in keys}, _nothing)

    def ping(self) -> None:
        """In a cluster every master must answer."""
        with self._operation(), self._attempt("PING", self._servers.name):
            self._servers.connect()
            self._servers.ping()

    def close(self) -> None:
        """Close the connections. Operations raise ``CacheUnavailable`` from now on, as reads under way may go on."""
        self._is_closed = True
        if self._subscription is not None:
            self._subscription.close()
        self._servers.close()

    def _replacing(self, key: str, item: Replacement) -> Call:
        announced = (CHANNEL, f"{self._sender} {key}", item.owner)
        keys = (key, item.lock or key, *item.beside)
        return Call(keys, (item.value, _milliseconds(item.ttl), *announced, *item.beside.values()))

    def _run_many(
        self, name: str, script: Script, calls: Mapping[str, Call], outcome: Callable[[object], T]
    ) -> dict[str, T]:
        """What the script returned for each key, as ``outcome`` reads it, in one trip to each server."""
        done: dict[str, T] = {}

        def call(share: Share) -> None:
            answers = run_many(share.client, script, [calls[key] for key in share.keys])
            done.update(zip(share.keys, map(outcome, answers), strict=True))

        self._on_each_server(f"EVALSHA {name}", list(calls), call, writes=True)
        return done

    def _on_each_server(
        self, command: str, keys: Sequence[str], work: Callable[[Share], None], *, writes: bool
    ) -> None:
        """Have ``work`` done for each server's share of the keys.

        Where one cannot be used, it is done for the others before that is raised.
        """
        failed: dict[str, CacheUnavailable] = {}
        with self._operation():
            for share in self._shares(keys):
                if share.server in failed:
                    continue
                name = f"PIPELINE {command}" if writes and len(share.keys) > 1 else command
                try:
                    with self._attempt(name, share.server, writes=writes, commands=len(share.keys)):
                        work(share)
                except CacheUnavailable as error:
                    failed[share.server] = error
            if failed:
                raise next(iter(failed.values()))

    @contextmanager
    def _operation(self) -> Iterator[None]:
        """The deadline of an operation, and the count of its failures."""
        if self._is_closed:
            raise CacheUnavailable("the cache is closed")
        try:
            with waiting(briefly=True), within(Deadline.after(2 * self._timeout)):
                yield
        except CacheUnavailable:
            self._telemetry.cache_server_error()
            raise
        finally:
            if self._is_closed:  # meanwhile: the client connects again when it is used
                self._servers.close()

    def _shares(self, keys: Sequence[str]) -> list[Share]:
        if not self._servers.connected:
            with self._attempt("CLUSTER SLOTS", self._servers.name):
                self._servers.connect()
        try:
            return self._servers.shares(keys)
        except Exception as error:
            raise CacheUnavailable("no server is known to hold that key") from error

    @contextmanager
    def _share(self, command: str, key: str, *, writes: bool = False) -> Iterator[Share]:
        share = self._shares([key])[0]
        with self._attempt(command, share.server, writes=writes):
            yield share

    @contextmanager
    def _attempt(self, command: str, server: str, *, writes: bool = False, commands: int = 1) -> Iterator[None]:
        """A call of ``server`` through its circuit.

        A misbehaving server can make its client raise any exception, so any exception is translated here.
        """
        circuit = self._circuit(server)
        probe = circuit.enter()
        try:
            with self._telemetry.cache_trip(command, server, commands):
                yield
        except Exception as error:
            self._note(circuit, error, probe=probe)
            raise CacheUnavailable("the cache server cannot be used: " + reason(error)) from error
        except BaseException:
            circuit.abandoned(probe=probe)
            raise
        circuit.worked(probe=probe, wrote=writes)

    def _note(self, circuit: ServerCircuit, error: Exception, *, probe: bool) -> None:
        if isinstance(error, RedisClusterException):
            self._servers.lose()
        match verdict(error):
            case Verdict.DEAD:
                circuit.failed(reason(error), probe=probe)
            case Verdict.REFUSES:
                circuit.refused(reason(error), probe=probe)
            case Verdict.UNKNOWN:
                circuit.abandoned(probe=probe)

    def _circuit(self, server: str) -> ServerCircuit:
        with self._circuits_lock:
            if server not in self._circuits:
                self._circuits[server] = ServerCircuit(server, self._tolerance, self._clock)
            return self._circuits[server]


def _servers(url: ServerUrl, timeout: float) -> Servers:
    """The servers of ``url``, not connected yet; ``timeout`` in seconds is for each wait on the network."""
    match url.form:
        case Form.CLUSTER:
            return Cluster(url, timeout)
        case Form.SENTINEL:
            return sentinel_servers(url, timeout)
        case Form.SINGLE | Form.SOCKET:
            name = url.path or "{}:{}".format(*url.addresses[0])
            return Single(name, Redis.from_pool(pool_of(url, timeout)))


def _write(share: Share, items: Mapping[str, bytes], milliseconds: int) -> None:
    if len(share.keys) == 1:
        share.client.set(share.keys[0], items[share.keys[0]], px=milliseconds)
        return
    with share.client.pipeline(transaction=False) as pipeline:
        for key in share.keys:
            pipeline.set(key, items[key], px=milliseconds)
        pipeline.execute()


def _values(answer: object, count: int) -> list[bytes | None]:
    """The values of an answer to ``MGET``. Raises ``ValueError`` for one of another form."""
    if not isinstance(answer, list) or len(answer) != count:
        raise ValueError("the server answered something else than was asked")
    if not all(value is None or isinstance(value, bytes) for value in answer):
        raise ValueError("the server answered values of another kind")
    return answer


def _acquired(answer: object) -> Acquired:
    """Raises ``ValueError`` for an answer of another form."""
    taken, value = answer if isinstance(answer, list) and len(answer) == 2 else (None, None)
    if not isinstance(taken, int):
        raise ValueError("the server answered something else than was asked")
    return Acquired(taken == 1, *_values([value], 1))


def _nothing(_: object) -> None:
    """The script's answer says nothing."""


def _milliseconds(ttl: float) -> int:
    return max(1, math.ceil(ttl * 1000))
