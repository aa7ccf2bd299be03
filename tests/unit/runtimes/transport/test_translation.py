"""No exception of the libraries below is without a meaning."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport.translation import FOREIGN, domain_error, reason
from tests.rows import each_row


def kinds(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


ROOTS: tuple[type[Exception], ...] = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
)
ALL = {kind for root in ROOTS for kind in kinds(root)}


@each_row("kind", sorted(ALL, key=str))
def test_every_exception_is_caught_and_has_a_meaning(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    assert isinstance(error, FOREIGN)
    assert isinstance(domain_error(error, Deadline.after(5)), RuntimeTrouble)


@each_row(
    "bottom, meaning",
    [
        (TimeoutError(), RuntimeUnavailable),
        (ConnectionResetError(), RuntimeUnavailable),
        (ConnectionRefusedError(), RuntimeUnavailable),
        (BrokenPipeError(), RuntimeUnavailable),
        (OSError(113, "no route to host"), RuntimeUnavailable),
        (socket.gaierror(-2, "unknown"), RuntimeUnavailable),
        (http.client.RemoteDisconnected("closed"), RuntimeUnavailable),
        (http.client.IncompleteRead(b""), RuntimeUnavailable),
        (ssl.SSLEOFError(), RuntimeUnavailable),
        (ssl.SSLCertVerificationError(), BadGateway),
        (ssl.SSLError(), BadGateway),
        (http.client.BadStatusLine("x"), BadGateway),
        (http.client.LineTooLong("header line"), BadGateway),
        (ValueError(), BadGateway),
    ],
)
def test_what_is_at_the_bottom_decides(bottom: Exception, meaning: type[RuntimeTrouble]) -> None:
    protocol = urllib3.exceptions.ProtocolError("Connection aborted.", bottom)
    for error in (bottom, protocol, requests.ConnectionError(protocol)):
        assert type(domain_error(error, Deadline.after(5))) is meaning
    chained = requests.ConnectionError()
    chained.__cause__ = bottom
    assert type(domain_error(chained, Deadline.after(5))) is meaning


def test_a_timeout_at_the_deadline_is_one() -> None:
    error = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", TimeoutError()))
    assert type(domain_error(error, Deadline.after(0))) is RuntimeTimeout


def test_the_reason_names_classes_and_quotes_nothing() -> None:
    error = requests.ConnectionError(urllib3.exceptions.ProtocolError("secret", http.client.BadStatusLine("secret")))
    assert reason(error) == "ConnectionError < ProtocolError < BadStatusLine"


def test_causes_may_go_in_circles() -> None:
    one, two = requests.ConnectionError(), requests.ConnectionError()
    one.__cause__, two.__cause__ = two, one
    assert type(domain_error(one, Deadline.after(5))) is BadGateway
