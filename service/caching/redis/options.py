"""How every connection of the cache is set up, whichever way it goes."""

from __future__ import annotations

from typing import Any

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from service.caching.redis.bounded_connections import SocketConnection, TcpConnection, TlsConnection
from service.caching.redis.url import Address, Credentials, Form, ServerUrl

_MOST_CONNECTIONS = 1024
"""For each server. A thread uses one at a time, so the number of threads is the bound that counts."""


def pool_of(url: ServerUrl, timeout: float) -> ConnectionPool:
    """To the one server of a URL, by TCP or by a socket."""
    if url.form is Form.SOCKET:
        options = connection_options(url, url.credentials, timeout)
        return ConnectionPool(connection_class=SocketConnection, path=url.path, db=url.db, **options)
    return tcp_pool(url, url.addresses[0], url.credentials, timeout, db=url.db)


def tcp_pool(url: ServerUrl, address: Address, credentials: Credentials, timeout: float, **more: Any) -> ConnectionPool:
    """To ``address``; ``more`` is redis-py's."""
    options = connection_options(url, credentials, timeout) | more
    return ConnectionPool(
        connection_class=TlsConnection if url.tls else TcpConnection, host=address.host, port=address.port, **options
    )


def connection_options(url: ServerUrl, credentials: Credentials, timeout: float) -> dict[str, Any]:
    """redis-py's options. RESP2 has all that is used here, and no messages that the server sends unasked."""
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
    """No attempt but the first: what is to be done about a failure is ``ServerCircuit``'s business."""
    return Retry(NoBackoff(), 0)
