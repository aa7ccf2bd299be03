"""The master found by sentinels."""

from __future__ import annotations

import copy
from typing import Any

from redis import Redis
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from service.caching.redis.bounded_connections import MasterConnection, TlsMasterConnection
from service.caching.redis.options import connection_options, tcp_pool
from service.caching.redis.servers import Single
from service.caching.redis.url import ServerUrl


class _SentinelClient(Redis):
    """A sentinel that keeps the error of its last call, of which redis-py keeps only the text."""

    trouble: Exception | None = None

    def sentinel_masters(self) -> Any:
        self.trouble = None
        try:
            return super().sentinel_masters()
        except Exception as error:
            self.trouble = error
            raise


class Sentinels(Sentinel):
    """redis-py's reorders its list in place, which loses sentinels when two threads do so; this one copies the list.

    The sentinel that knew the master is asked first next time; where none answered, the first one moves to the end.
    Where none can be reached, the error has the reason as its cause.
    """

    def discover_master(self, service_name: str) -> tuple[str, int]:
        view = copy.copy(self)
        view.sentinels = list(self.sentinels)
        try:
            address: tuple[str, int] = Sentinel.discover_master(view, service_name)  # type: ignore[no-untyped-call]
        except Exception as error:
            self.sentinels = [*view.sentinels[1:], view.sentinels[0]]
            troubles = [one.trouble for one in view.sentinels if isinstance(one, _SentinelClient)]
            if isinstance(error, MasterNotFoundError) and all(troubles):
                raise error from troubles[0]
            raise
        self.sentinels = view.sentinels
        return address


def sentinel_servers(url: ServerUrl, timeout: float) -> Single:
    """The master of the service in ``url``, and its sentinels."""
    sentinels = Sentinels([])  # type: ignore[no-untyped-call]
    sentinels.sentinels = [
        _SentinelClient.from_pool(tcp_pool(url, address, url.sentinel_credentials, timeout))
        for address in url.addresses
    ]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        url.service,
        sentinels,
        connection_class=TlsMasterConnection if url.tls else MasterConnection,
        db=url.db,
        **connection_options(url, url.credentials, timeout),
    )
    return Single(url.service, Redis.from_pool(pool), *sentinels.sentinels)
