"""Receives requests: their bytes are buffered until one is complete, which is then served."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request

from service.server import refusals
from service.server.connection import Connection, State
from service.server.connection_table import Connections
from service.server.poller import READ, Poller
from service.server.sending import Sender

_RECEIVED = 16 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Parse = Callable[[Connection, bytes], Request]
Serve = Callable[[Connection, Request], None]


class Receiver:
    """``parse`` makes a request from a head, or raises like gunicorn's parser; ``serve`` lets a thread answer it."""

    def __init__(self, poller: Poller, connections: Connections, sender: Sender, parse: Parse, serve: Serve) -> None:
        self._poller = poller
        self._connections = connections
        self._refuse = sender.refuse
        self._limits = connections.limits
        self._parse = parse
        self._serve = serve

    def read(self, connection: Connection) -> None:
        """Read what a client has sent."""
        match connection.state:
            case State.RUNNING:
                if connection.stream is not None and self._has_left(connection):
                    self._connections.end(connection)
                else:
                    self._park(connection)
            case State.IDLE | State.BODY | State.LINGERING:
                try:
                    data = connection.socket.recv(_RECEIVED)
                except (BlockingIOError, InterruptedError):
                    return
                if connection.state is State.LINGERING:
                    self._discard(connection, data)
                else:
                    self._received(connection, data)
            case _:  # the state has changed in this very turn
                pass

    def read_again(self, connection: Connection) -> None:
        """Read from a client again that was paused while its request was served."""
        if connection.parked and connection.state in {State.IDLE, State.LINGERING}:
            connection.parked = False
            self._poller.watch(connection, READ)

    def read_next(self, connection: Connection) -> None:
        """Continue after an answer: the next request may be in the buffer already."""
        connection.parked = False
        self._poller.watch(connection, READ)
        if connection.state is State.IDLE:
            self._read_head(connection)

    def refuse_slow(self, connection: Connection) -> None:
        """Refuse a request that is not complete in time."""
        self._refuse(connection, refusals.TOO_SLOW)

    def _received(self, connection: Connection, data: bytes) -> None:
        if not data:
            self._client_ended(connection)
            return
        connection.buffer += data
        if connection.state is State.BODY:
            self._read_body(connection)
        else:
            self._read_head(connection)

    def _discard(self, connection: Connection, data: bytes) -> None:
        """Ignore what a client sends after its last answer, until it closes."""
        connection.drained += len(data)
        if not data or connection.drained > self._limits.linger_bytes:
            self._connections.end(connection)

    def _has_left(self, connection: Connection) -> bool:
        """Whether the client of a stream has closed; other data is not read."""
        try:
            return not connection.socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False

    def _park(self, connection: Connection) -> None:
        """Stop reading until the answer is sent: there may be a next request, or the end of input."""
        connection.parked = True
        self._poller.watch(connection, 0)
        if connection.state is not State.RUNNING:
            self.read_again(connection)

    def _read_head(self, connection: Connection) -> None:
        head = connection.take_head()
        if head is not None:
            self._begin(connection, head)
        elif len(connection.buffer) > self._limits.head_bytes:
            self._refuse(connection, refusals.HEAD_TOO_LARGE)
        elif connection.line_is_longer_than(self._limits.line_bytes):
            self._refuse(connection, refusals.LINE_TOO_LONG)
        elif connection.cannot_be_http():
            self._refuse(connection, refusals.BAD_REQUEST)
        elif connection.buffer:
            self._wait_for_more(connection)

    def _wait_for_more(self, connection: Connection) -> None:
        ends = time.monotonic() + self._limits.request_seconds
        begins = connection.state is State.IDLE and connection.requests and not connection.counted
        connection.deadline = ends if begins else min(connection.deadline, ends)
        self._connections.count_incoming(connection, len(connection.buffer))

    def _begin(self, connection: Connection, head: bytes) -> None:
        """Serve the request of this head, or refuse it."""
        connection.requests += 1
        try:
            request = self._parse(connection, head)
        except ParseException as error:
            self._refuse(connection, refusals.refusal_of(error), error)
        except (NoMoreData, StopIteration):
            self._refuse(connection, refusals.BAD_REQUEST)
        except Exception as error:  # noqa: BLE001 - answered as the service's failure, with the stack in the log
            self._refuse(connection, refusals.FAILED, error)
        else:
            if _has_one_host(request):
                self._begin_body(connection, request)
            else:
                self._refuse(connection, refusals.BAD_REQUEST)

    def _begin_body(self, connection: Connection, request: Request) -> None:
        reader = request.body.reader if request.body else None
        if not isinstance(reader, LengthReader):
            self._refuse(connection, refusals.NO_LENGTH)
        elif reader.length > self._limits.body_bytes:
            self._refuse(connection, refusals.TOO_LARGE)
        else:
            connection.request, connection.body_bytes = request, reader.length
            if len(connection.buffer) < reader.length:
                connection.state = State.BODY
                connection.deadline = time.monotonic() + self._limits.request_seconds
                if _expects_continue(request) and connection.socket.send(_CONTINUE) != len(_CONTINUE):
                    self._connections.end(connection)
                    return
            self._read_body(connection)

    def _read_body(self, connection: Connection) -> None:
        request = connection.request
        if request is None or len(connection.buffer) < connection.body_bytes:
            self._wait_for_more(connection)
            return
        connection.request = None
        if connection.body_bytes:
            request.unreader.unread(connection.take(connection.body_bytes))
        self._connections.count_incoming(connection, 0)
        connection.deadline = math.inf
        connection.state = State.RUNNING
        self._serve(connection, request)

    def _client_ended(self, connection: Connection) -> None:
        """The client has closed its side: an incomplete request is dropped, but it may still wait for an answer."""
        if connection.buffer or connection.state is State.BODY:
            self._refuse(connection, refusals.BAD_REQUEST)
        else:
            self._connections.end(connection)


def _expects_continue(request: Request) -> bool:
    """Whether the client waits for ``100 Continue``; the parser has refused any other expectation."""
    return (request.version or ()) >= (1, 1) and any(name == "EXPECT" for name, _ in request.headers)


def _has_one_host(request: Request) -> bool:
    """RFC 9112, 3.2: a request of HTTP/1.1 has one ``Host``, and no request has two."""
    hosts = sum(name == "HOST" for name, _ in request.headers)
    return hosts == 1 or (hosts == 0 and (request.version or (1, 0)) < (1, 1))
