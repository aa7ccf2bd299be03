"""An adapter of ``requests`` whose connections use the budget of the current exchange.

It is used without a session, which would merge settings, cookies and hooks for each request, as much work as the rest:
there are no cookies and no redirects to follow, and nothing is taken from the environment, no proxies and no netrc.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
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

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Status, headers and the body to read; ``requests`` would look for cookies and a charset."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response


def new_adapter(pool_size: int, certificate: ClientCertificate | None, trust: Trust) -> BudgetAdapter:
    """A thread-safe adapter."""
    return BudgetAdapter(client_context(certificate, trust), pool_size)


def prepared(
    method: str, url: str, headers: Mapping[str, str], content: bytes | Mapping[str, str] | None
) -> requests.PreparedRequest:
    """A request with these headers beside those of every request, and no credentials but those in them.

    A mapping is sent as a form.
    """
    request = requests.PreparedRequest()
    request.prepare_method(method)
    request.prepare_url(url, None)
    request.prepare_headers({**_own_headers(), **headers})
    request.prepare_body(content, None)
    return request


@cache
def _own_headers() -> Mapping[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": ACCEPTED,
        "User-Agent": f"{_DISTRIBUTION}/{metadata.version(_DISTRIBUTION)}",
    }
