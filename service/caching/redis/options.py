"""The options of all connections of the cache."""

from __future__ import annotations

from typing import Any

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from service.caching.redis.bounded_connections import SocketConnection, TcpConnection, TlsConnection
from service.caching.redis.url import Address, Credentials, Form, ServerUrl

_MOST_CONNECTIONS = 1024
"""The most connections to each server. A thread uses one at a time, so the number of threads is the real bound."""


def pool_of(url: ServerUrl, timeout: float) -> ConnectionPool:
    """A pool of connections to the single server of a URL, by TCP or a Unix socket."""
    if url.form is Form.SOCKET:
        options = connection_options(url, url.credentials, timeout)
        return ConnectionPool(connection_class=SocketConnection, path=url.path, db=url.db, **options)
    return tcp_pool(url, url.addresses[0], url.credentials, timeout, db=url.db)


def tcp_pool(url: ServerUrl, address: Address, credentials: Credentials, timeout: float, **more: Any) -> ConnectionPool:
    """A pool of connections to ``address``; ``more`` are further options of redis-py."""
    options = connection_options(url, credentials, timeout) | more
    return ConnectionPool(
        connection_class=TlsConnection if url.tls else TcpConnection, host=address.host, port=address.port, **options
    )


def connection_options(url: ServerUrl, credentials: Credentials, timeout: float) -> dict[str, Any]:
    """redis-py's options of a connection. RESP2 suffices, and has no messages that the server sends unrequested."""
    options: dict[str, Any] = {
        "protocol": 2,
        "driver_info": None,
        "decode_responses": False,
        "retry": once(),
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


def once() -> Retry:
    """No retries: failures are handled by ``ServerCircuit``."""
    return Retry(NoBackoff(), 0)
