"""A ``requests`` session whose connections use the budget of the current exchange.

It follows no redirects, has no cookies, and takes nothing from the environment: no proxies, no netrc.
"""

from __future__ import annotations

import ssl
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from service.runtimes.transport.budget import current
from service.runtimes.transport.framing import CheckedResponse
from service.runtimes.transport.inflation import ACCEPTED
from service.runtimes.transport.sockets import BudgetSocket, connect
from service.runtimes.transport.tls import ClientCertificate, Trust, client_context

_DISTRIBUTION = "metric-resource-service"


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


class BudgetAdapter(HTTPAdapter):
    """Keeps connections in pools, one for each server, and makes them within the exchange's budget."""

    def __init__(self, context: ssl.SSLContext, pool_size: int) -> None:
        self._context = context
        super().__init__(pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Does nothing: the TLS context has the authorities, and ``requests`` would load its own for each
        connection."""
        conn.cert_reqs = "CERT_NONE" if self._context.verify_mode is ssl.CERT_NONE else "CERT_REQUIRED"


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Always ``None``: ``requests`` would read a redirect's body without a limit."""


def new_session(pool_size: int, certificate: ClientCertificate | None, trust: Trust) -> requests.Session:
    """A thread-safe session."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.auth = _as_it_is
    session.headers.clear()
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": _user_agent(),
        }
    )
    adapter = BudgetAdapter(client_context(certificate, trust), pool_size)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@cache
def _user_agent() -> str:
    return f"{_DISTRIBUTION}/{metadata.version(_DISTRIBUTION)}"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds no credentials: ``requests`` would prefer a URL's user name to the headers."""
    return request
