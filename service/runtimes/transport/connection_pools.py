"""urllib3's pools of connections that use the budget of the current exchange.

They have no cookies, follow no redirects, send no credentials of their own, and take nothing from the environment: no
proxies, no netrc.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

from service.runtimes.transport.budget import current
from service.runtimes.transport.framing import CheckedResponse
from service.runtimes.transport.inflation import ACCEPTED
from service.runtimes.transport.sockets import BudgetSocket, connect
from service.runtimes.transport.tls import ClientCertificate, Trust, client_context

_DISTRIBUTION = "metric-resource-service"
NO_RETRIES = Retry(total=False, redirect=False)
"""Errors are raised as they are."""


class _Connecting(HTTPConnection):
    """The base of both kinds of connections."""

    response_class = CheckedResponse

    def _new_conn(self) -> BudgetSocket:
        try:
            return connect(self._dns_host, self.port, self.socket_options or (), current())
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


class PlainConnection(_Connecting):
    """``http``."""


class SecureConnection(_Connecting, HTTPSConnection):
    """``https``."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection

    def _validate_conn(self, conn: Any) -> None:
        """Connects first, like urllib3, but without a warning for each unverified request: there is one for the setting
        (``settings.risks``)."""
        if conn.is_closed:
            conn.connect()


def new_pools(pool_size: int, certificate: ClientCertificate | None, trust: Trust) -> PoolManager:
    """Thread-safe pools, one for each server, of ``pool_size`` idle connections; all TLS is by one context."""
    pools = PoolManager(maxsize=pool_size, ssl_context=client_context(certificate, trust))
    pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return pools


@cache
def own_headers() -> dict[str, str]:
    """The headers of every request."""
    return {
        "Accept": "application/json",
        "Accept-Encoding": ACCEPTED,
        "User-Agent": f"{_DISTRIBUTION}/{metadata.version(_DISTRIBUTION)}",
    }
