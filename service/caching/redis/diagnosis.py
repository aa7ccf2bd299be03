"""Why the cache server cannot be used, and what to do about it: for ``metric-resource check``."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from redis import exceptions
from redis.sentinel import MasterNotFoundError

from service.caching.entry_keys import entry_key, lock_key
from service.caching.redis.cache import RedisCache
from service.concurrency.circuit_breaker import Tolerance
from service.domain.errors import CacheUnavailable

if TYPE_CHECKING:
    from service.telemetry.prometheus import (
        Telemetry,  # importing it decides how metrics are kept, so only in the workers
    )

_SECONDS = 1.0
_KEYS = 32
_SLOTS = "is a cluster that does not serve all slots: see CLUSTER INFO"
_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (exceptions.AuthenticationError, "authentication required", "wants a password, and {source} has none"),
    (exceptions.AuthenticationError, "without any password configured", "has no password, and {source} gives one"),
    (
        exceptions.AuthenticationError,
        "",
        "refuses user or password: set both in {source} as the server has them, with / ? # % @ and : percent-encoded",
    ),
    (exceptions.NoPermissionError, "'{command}'", "forbids the user the command {command}: allow it with ACL SETUSER"),
    (
        exceptions.ResponseError,
        "run the '{command}' command script",
        "forbids the user the command {command} in scripts: allow it with ACL SETUSER",
    ),
    (exceptions.NoPermissionError, "", "forbids the user the service's keys: allow them with ACL SETUSER … ~mr1:*"),
    (exceptions.ResponseError, "db index is out of range", "has no database of the number in {source}"),
    (exceptions.ResponseError, "select is not allowed", "is a cluster, whose only database is 0"),
    (
        exceptions.ResponseError,
        "cluster support disabled",
        "is no cluster: take +cluster out of the scheme of {source}",
    ),
    (
        exceptions.ResponseError,
        "unknown command 'sentinel'",
        "is no sentinel: {source} must name sentinels, or no +sentinel",
    ),
    (exceptions.AskError, "", "is part of a cluster: write +cluster in the scheme of {source}"),
    (exceptions.ClusterDownError, "", _SLOTS),
    (exceptions.RedisClusterException, "slots are not covered", _SLOTS),
    (exceptions.ReadOnlyError, "", "is a read-only replica: {source} must name the master, or sentinels"),
    (exceptions.OutOfMemoryError, "", "is full: raise its maxmemory, or let it evict (maxmemory-policy allkeys-lru)"),
    (exceptions.BusyLoadingError, "", "is still loading its data: try again"),
    (exceptions.ConnectionError, "max number of clients", "has as many clients as it takes: raise its maxclients"),
    (
        exceptions.ResponseError,
        "protected mode",
        "is in protected mode: give it a password, or bind it to this network",
    ),
    (
        ssl.SSLCertVerificationError,
        "not valid for",
        "has a TLS certificate for another host: name the host that is in it, or set ssl_check_hostname=false",
    ),
    (ssl.SSLCertVerificationError, "expired", "has a TLS certificate that has expired"),
    (
        ssl.SSLCertVerificationError,
        "",
        "has a TLS certificate of an authority that is not trusted: name its file in ssl_ca_certs",
    ),
    (ssl.SSLError, "certificate required", "wants a TLS certificate of the client: name ssl_certfile and ssl_keyfile"),
    (
        ssl.SSLError,
        "",
        "breaks off TLS: it may want a certificate of the client (ssl_certfile, ssl_keyfile), or no TLS at all (redis://)",
    ),
    (
        TimeoutError,
        "handshake",
        "takes connections and does not speak TLS: without it the scheme is redis:// or valkey://",
    ),
    (socket.gaierror, "", "has a host name that cannot be resolved: mind its spelling and this machine's DNS"),
    (ConnectionRefusedError, "", "refuses connections: nothing listens on that host and port"),
    (FileNotFoundError, "", "has no socket at that path"),
    (PermissionError, "", "has a socket that this user may not open"),
    (exceptions.TimeoutError, "", "does not answer: it is down or paused, or a firewall stands in between"),
    (MasterNotFoundError, "", "is a sentinel that knows no master of the name in {source}"),
    (
        exceptions.ConnectionError,
        "",
        "closes the connection: does it want TLS (rediss://, valkeys://), or is another kind of server there?",
    ),
    (exceptions.InvalidResponse, "", "does not speak the protocol of Redis"),
)
"""The type of an error, a part of its text, and the diagnosis; the first match is used."""
_COMMAND = re.compile(r"run the '([a-z|]{1,32})' command", re.ASCII)


def diagnose(url: str, telemetry: Telemetry, source: str = "REDIS_URL") -> str | None:
    """Why the service cannot use the server at ``url``, and the cure, as a predicate about the server; ``None`` where
    everything works. ``source`` names the setting of the URL. The text repeats nothing of the URL or the server's
    messages.
    """
    cache = RedisCache(url, timeout=_SECONDS, telemetry=telemetry, tolerance=Tolerance(failures=1000))
    try:
        _use(cache)
    except CacheUnavailable as error:
        return _explained(error, source)
    finally:
        cache.close()
    return None


def _use(cache: RedisCache) -> None:
    """Try all operations of the service, with unique keys, enough of them to reach each node of a cluster."""
    cache.ping()
    keys = [entry_key("check", secrets.token_hex(16)) for _ in range(_KEYS)]
    for key in keys:
        cache.get_many([key])
    key, owner = keys[0], secrets.token_hex(8)
    cache.set_many({key: b"check"}, 10)
    cache.delete(key)
    cache.acquire(lock_key(key), owner, 10)
    cache.extend(lock_key(key), owner, 10)
    cache.release(lock_key(key), owner)


def _explained(error: BaseException, source: str) -> str:
    """The diagnosis of an error, from its innermost cause outwards: the client wraps errors of network and server."""
    chain = list(_chain(error))
    for kind, text, meaning in _REASONS:
        for one in chain:
            command = found[1] if (found := _COMMAND.search(str(one))) else ""
            if (
                isinstance(one, kind)
                and text.format(command=command) in str(one).lower()
                and (command or "{" not in text)
            ):
                return meaning.format(command=command.upper(), source=source)
    return f"cannot be used ({type(chain[-1]).__name__})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
