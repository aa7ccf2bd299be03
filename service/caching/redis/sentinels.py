"""The master that sentinels name."""

from __future__ import annotations

import copy

from redis import Redis
from redis.sentinel import Sentinel, SentinelConnectionPool

from service.caching.redis.connections import MasterConnection, TlsMasterConnection
from service.caching.redis.options import connection_options, tcp_pool
from service.caching.redis.servers import Single
from service.caching.redis.url import ServerUrl


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


def sentinel_servers(url: ServerUrl, timeout: float) -> Single:
    """The master of the service that ``url`` names, and its sentinels."""
    sentinels = Sentinels([])  # type: ignore[no-untyped-call]
    sentinels.sentinels = [
        Redis.from_pool(tcp_pool(url, address, url.sentinel_credentials, timeout)) for address in url.addresses
    ]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        url.service,
        sentinels,
        connection_class=TlsMasterConnection if url.tls else MasterConnection,
        db=url.db,
        **connection_options(url, url.credentials, timeout),
    )
    return Single(url.service, Redis.from_pool(pool), *sentinels.sentinels)
