"""From a URL to redis-py's clients: one server, the master that sentinels name, or the nodes of a cluster."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import ConnectionPool
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from service.caching.redis.connections import (
    MasterConnection,
    SocketConnection,
    TcpConnection,
    TlsConnection,
    TlsMasterConnection,
)
from service.caching.redis.url import Address, Credentials, Form, ServerUrl

_MOST_CONNECTIONS = 1024
"""For each server. A thread uses one at a time, so the number of threads is the bound that counts."""


class Share(NamedTuple):
    """Keys that one server holds and that may stand together in one command."""

    server: str
    client: Any
    keys: list[str]


class Servers(Protocol):
    """Where keys are. Every method raises whatever redis-py raises."""

    name: str

    @property
    def connected(self) -> bool:
        """Whether ``shares`` can be called without ``connect`` before it."""
        ...

    def connect(self) -> None: ...

    def shares(self, keys: Sequence[str]) -> list[Share]:
        """``keys`` by the server that holds them. Asks nobody."""
        ...

    def lose(self) -> None:
        """No server that is known can be reached: forget that they are ``connected``."""
        ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


def servers_of(url: ServerUrl, timeout: float) -> Servers:
    """The servers that ``url`` names, not connected yet; ``timeout`` in seconds is for each wait on the network."""
    if url.form is Form.CLUSTER:
        return Cluster(url, timeout)
    if url.form is Form.SENTINEL:
        return Single(url.service, _master(url, timeout))
    name = url.path or "{}:{}".format(*url.addresses[0])
    return Single(name, Redis.from_pool(_pool(url, timeout)))


class Single:
    """One server, or one master at a time."""

    connected = True

    def __init__(self, name: str, client: Redis) -> None:
        self.name = name
        self._client = client

    def connect(self) -> None:
        """A connection is made when it is needed."""

    def lose(self) -> None:
        """There is nothing to forget."""

    def shares(self, keys: Sequence[str]) -> list[Share]:
        return [Share(self.name, self._client, list(keys))]

    def ping(self) -> None:
        self._client.ping()

    def close(self) -> None:
        self._client.close()


class Cluster:
    """The masters of a cluster, each with the slots that it holds (Redis Cluster specification, "Key distribution").

    redis-py's client asks for the slots when it is made, so it is made on the first use. It then learns of moved slots
    and failed nodes by itself. When it has lost sight of all nodes, the next use makes a new client from the nodes of
    the URL and those known before.
    """

    def __init__(self, url: ServerUrl, timeout: float) -> None:
        self.name = "cluster"
        self._url = url
        self._timeout = timeout
        self._mutex = threading.Lock()
        self._client: Any = None  # redis-py leaves most of RedisCluster untyped
        self._lost = False

    @property
    def connected(self) -> bool:
        return self._client is not None and not self._lost

    def connect(self) -> None:
        if self.connected:
            return
        if not self._mutex.acquire(timeout=self._timeout):
            raise TimeoutError("another thread is asking the cluster for its slots")
        try:
            if not self.connected:
                self._renew()
        finally:
            self._mutex.release()

    def shares(self, keys: Sequence[str]) -> list[Share]:
        client = self._client
        if client is None:
            raise RedisClusterException("the cluster's slots are not known yet")
        by_slot: dict[int, list[str]] = {}
        for key in keys:
            by_slot.setdefault(client.keyslot(key), []).append(key)
        return [Share(client.get_node_from_key(group[0]).name, client, group) for group in by_slot.values()]

    def lose(self) -> None:
        self._lost = True

    def ping(self) -> None:
        client = self._client
        if client is not None:
            client.ping(target_nodes=RedisCluster.PRIMARIES)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _renew(self) -> None:
        old = self._client
        known = [Address(node.host, node.port) for node in old.get_nodes()] if old is not None else []
        self._client = _cluster(self._url, list(dict.fromkeys([*self._url.addresses, *known])), self._timeout)
        self._lost = False
        if old is not None:
            old.close()


class Sentinels(Sentinel):
    """redis-py's reorders its list in place, which loses sentinels when two threads do; this one never changes a list.

    The sentinel that knew the master is asked first next time, and one that none answered is asked last.
    """

    def discover_master(self, service_name: str) -> tuple[str, int]:
        view = copy.copy(self)
        view.sentinels = list(self.sentinels)
        try:
            address: tuple[str, int] = Sentinel.discover_master(view, service_name)  # type: ignore[no-untyped-call]
        except Exception:
            self.sentinels = [*view.sentinels[1:], view.sentinels[0]]
            raise
        self.sentinels = view.sentinels
        return address


def _pool(url: ServerUrl, timeout: float) -> ConnectionPool:
    if url.form is Form.SOCKET:
        options = _options(url, url.credentials, timeout)
        return ConnectionPool(connection_class=SocketConnection, path=url.path, db=url.db, **options)
    return _tcp_pool(url, url.addresses[0], url.credentials, timeout, db=url.db)


def _tcp_pool(
    url: ServerUrl, address: Address, credentials: Credentials, timeout: float, **more: Any
) -> ConnectionPool:
    options = _options(url, credentials, timeout) | more
    return ConnectionPool(
        connection_class=TlsConnection if url.tls else TcpConnection, host=address.host, port=address.port, **options
    )


def _master(url: ServerUrl, timeout: float) -> Redis:
    sentinels = Sentinels([])  # type: ignore[no-untyped-call]
    sentinels.sentinels = [
        Redis.from_pool(_tcp_pool(url, address, url.sentinel_credentials, timeout)) for address in url.addresses
    ]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        url.service,
        sentinels,
        connection_class=TlsMasterConnection if url.tls else MasterConnection,
        db=url.db,
        **_options(url, url.credentials, timeout),
    )
    return Redis.from_pool(pool)


def _cluster(url: ServerUrl, nodes: Sequence[Address], timeout: float) -> Any:
    """redis-py passes ``connection_class`` on to the nodes only when it is given the first of them as a URL."""
    first, *others = nodes
    host = quote(f"[{first.host}]" if ":" in first.host else first.host, safe="[]:")
    options = _options(url, url.credentials, timeout)
    del options["retry"]
    return RedisCluster(
        url=f"redis://{host}:{first.port}",
        startup_nodes=[ClusterNode(*other) for other in others],  # type: ignore[no-untyped-call]
        retry=_once(),
        connection_class=TlsConnection if url.tls else TcpConnection,
        **options,
    )


def _options(url: ServerUrl, credentials: Credentials, timeout: float) -> dict[str, Any]:
    """RESP2 has all that is used here, and no messages that the server sends unasked."""
    options: dict[str, Any] = {
        "protocol": 2,
        "driver_info": None,
        "decode_responses": False,
        "retry": _once(),
        "max_connections": _MOST_CONNECTIONS,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "username": credentials.username,
        "password": credentials.password,
    }
    if url.form is not Form.SOCKET:
        options["socket_keepalive"] = True
    if url.tls:
        options |= {
            "ssl_ca_certs": url.tls.ca_certs,
            "ssl_certfile": url.tls.certfile,
            "ssl_keyfile": url.tls.keyfile,
            "ssl_check_hostname": url.tls.check_hostname and url.tls.verify,
            "ssl_cert_reqs": "required" if url.tls.verify else "none",
        }
    return options


def _once() -> Retry:
    """No attempt but the first: what is to be done about a failure is ``Gate``'s business."""
    return Retry(NoBackoff(), 0)
