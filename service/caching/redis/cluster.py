"""The nodes of a cluster, by the slots that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from redis import Redis
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException

from service.caching.redis.bounded_connections import TcpConnection, TlsConnection
from service.caching.redis.options import connection_options, once
from service.caching.redis.servers import Share
from service.caching.redis.url import Address, ServerUrl
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import CacheUnavailable


class Cluster:
    """The masters of a cluster, each with the slots that it holds (Redis Cluster specification, "Key distribution").

    redis-py's client asks for the slots when it is made, so it is made on the first use. It then learns of moved slots
    and failed nodes by itself. When it can no longer reach any node, the next use makes a new client from the
    nodes of the URL and those known before.
    """

    def __init__(self, url: ServerUrl, timeout: float) -> None:
        self.name = "cluster"
        self._url = url
        self._timeout = timeout
        self._connecting: SingleFlight[None] = SingleFlight()
        self._client: Any = None  # redis-py leaves most of RedisCluster untyped
        self._lost = False

    @property
    def connected(self) -> bool:
        return self._client is not None and not self._lost

    def connect(self) -> None:
        if self.connected:
            return
        try:
            self._connecting.do("", self._renew, self._timeout)
        except StillUnderWay:
            raise CacheUnavailable("another thread is asking the cluster for its slots") from None

    def shares(self, keys: Sequence[str]) -> list[Share]:
        client = self._client
        if client is None:
            raise RedisClusterException("the cluster's slots are not known yet")
        by_slot: dict[int, list[str]] = {}
        for key in keys:
            by_slot.setdefault(client.keyslot(key), []).append(key)
        return [Share(client.get_node_from_key(group[0]).name, client, group) for group in by_slot.values()]

    def clients(self) -> Mapping[str, Redis]:
        client = self._client
        if client is None:
            raise RedisClusterException("the cluster's slots are not known yet")
        return {node.name: client.get_redis_connection(node) for node in client.get_primaries()}

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
        if self.connected:  # by another thread meanwhile
            return
        old = self._client
        known = [Address(node.host, node.port) for node in old.get_nodes()] if old is not None else []
        self._client = _cluster(self._url, list(dict.fromkeys([*self._url.addresses, *known])), self._timeout)
        self._lost = False
        if old is not None:
            old.close()


def _cluster(url: ServerUrl, nodes: Sequence[Address], timeout: float) -> Any:
    """A client of the cluster. redis-py uses ``connection_class`` for the nodes only where the first is given as a
    URL."""
    first, *others = nodes
    host = quote(f"[{first.host}]" if ":" in first.host else first.host, safe="[]:")
    options = connection_options(url, url.credentials, timeout)
    del options["retry"]
    return RedisCluster(
        url=f"redis://{host}:{first.port}",
        startup_nodes=[ClusterNode(*other) for other in others],  # type: ignore[no-untyped-call]
        retry=once(),
        connection_class=TlsConnection if url.tls else TcpConnection,
        **options,
    )
