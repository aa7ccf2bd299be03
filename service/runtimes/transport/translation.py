"""The one seam where exceptions of ``requests``, urllib3, ``http.client``, ``ssl`` and sockets become domain errors."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport import inflation

FOREIGN: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    *inflation.ERRORS,
)
"""The exceptions of an exchange for reasons outside the service, and ``ValueError`` for unsendable requests."""

_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout)
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, http.client.IncompleteRead)
_WRAPPERS = (ssl.SSLError, requests.RequestException)
_CLOCK_GRAIN = 0.005


def domain_error(error: Exception, deadline: Deadline) -> RuntimeTrouble:
    """The domain's error for ``error``; the deadline distinguishes a timeout from a failure to connect in time."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return RuntimeTimeout() if deadline.remaining() <= _CLOCK_GRAIN else RuntimeUnavailable()
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return BadGateway("the AI runtime's certificate is not valid")
    if any(_is_network_trouble(cause) for cause in causes):
        return RuntimeUnavailable()
    return BadGateway("the AI runtime's answer is not proper HTTP")


def reason(error: BaseException) -> str:
    """The class of the root cause of ``error``, for the log; its text might quote a server."""
    return " < ".join(dict.fromkeys(type(cause).__name__ for cause in _causes(error)))


def _is_network_trouble(cause: BaseException) -> bool:
    """Whether a connection could not be made or broke. All errors of ``requests`` are ``OSError``s."""
    return isinstance(cause, _BROKEN_OFF) or (isinstance(cause, OSError) and not isinstance(cause, _WRAPPERS))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and everything wrapped in it: libraries put causes into ``args``, ``reason`` and ``__cause__``."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__)
        pending.extend(item for item in inner if isinstance(item, BaseException))
