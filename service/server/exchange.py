"""One request served by the application (PEP 3333): on the loop's own thread where the answer is at hand, otherwise on
one that waits for the client only where it streams."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request

from service.concurrency.at_hand import AT_HAND_ONLY, NOT_AT_HAND
from service.concurrency.pushed_body import STOPPING, PushedBody
from service.domain.errors import Overloaded
from service.server import refusals
from service.server.connection import Connection
from service.server.limits import Limits
from service.server.loop import Loop
from service.server.messages import DatedResponse
from service.server.outgoing import Outgoing
from service.server.threads import RequestThreads

Application = Callable[..., Iterable[bytes]]
Environment = MutableMapping[str, Any]
Waiting = Callable[[], AbstractContextManager[None]]
_DIRECTLY = 1024 * 1024
"""Bytes up to which the thread that made an answer tries to send it; the loop may refuse a longer one."""


class ClientGone(Exception):
    """The client has gone, or is too slow to be waited for any longer."""


class Exchanges:
    """Has the WSGI ``application`` answer, within ``limits``.

    ``tells_at_hand`` is whether the application knows ``AT_HAND_ONLY``.
    """

    def __init__(
        self,
        application: Application,
        loop: Loop,
        config: Config,
        limits: Limits,
        *,
        tells_at_hand: bool = False,
    ) -> None:
        self._application = application
        self._loop = loop
        self._config = config
        self._stream_bytes = limits.stream_bytes
        self._progress_seconds = limits.progress_seconds
        self._tells_at_hand = tells_at_hand

    def start(self, connection: Connection, request: Request, threads: RequestThreads) -> None:
        """Answer a request, on one of ``threads`` unless the answer is at hand. Belongs to the loop's thread.

        An answer that is at hand takes less time than handing the request over. Whatever comes of it ends this
        connection at most.
        """
        connection.outgoing.begin()
        self._safely(connection, self._start, connection, request, threads)

    def _start(self, connection: Connection, request: Request, threads: RequestThreads) -> None:
        sink = cast(socket.socket, _Sink(connection.outgoing))
        response, environ = wsgi.create(
            request, sink, connection.peer, connection.server, self._config, response_class=DatedResponse
        )
        environ["wsgi.multithread"] = True
        environ[STOPPING] = self._loop.stops
        if not self._tells_at_hand or not self._answer_at_hand(connection, response, environ):
            serve = partial(self._serve, connection, response, environ, threads.waiting_for_client)
            threads.start(partial(self._safely, connection, serve))

    def _answer_at_hand(self, connection: Connection, response: wsgi.Response, environ: Environment) -> bool:
        """Whether the answer is at hand, and was given."""
        body = self._application({**environ, AT_HAND_ONLY: True}, response.start_response)
        if body is NOT_AT_HAND:
            return False
        if self._loop.stopping:
            response.force_close()
        for piece in body:
            response.write(piece)
        response.close()
        self._finish(connection, close=response.should_close())
        return True

    def _serve(self, connection: Connection, response: wsgi.Response, environ: Environment, waiting: Waiting) -> None:
        """Answer on the calling thread. Within ``waiting`` it waits for a client, which raises ``Overloaded`` where too
        many do."""
        if self._answer(connection, response, environ, waiting):
            self._finish(connection, close=response.should_close())

    def _safely(self, connection: Connection, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(*arguments)
        except ClientGone:
            self._loop.call(self._loop.end, connection)
        except BaseException as error:  # noqa: BLE001 - answered as the service's failure, with the stack in the log
            self._failed(connection, error)

    def _answer(self, connection: Connection, response: wsgi.Response, environ: Environment, waiting: Waiting) -> bool:
        """Whether the answer is whole: a body that goes on is pushed, and no thread waits for the rest of it."""
        if self._loop.stopping:
            response.force_close()
        body = self._application(environ, response.start_response)
        pushed = False
        try:
            if isinstance(body, PushedBody):
                response.force_close()
                self._write(connection, response, body.beginning(), waiting)
                if body.goes_on:
                    pushed = True
                    self._push(connection, response, body)
                    return False
                return self._closed(response)
            if isinstance(body, tuple | list):  # in memory as it is: nothing is won by waiting for the client
                for piece in body:
                    response.write(piece)
            else:
                self._write(connection, response, body, waiting)
            return self._closed(response)
        finally:
            close = getattr(body, "close", None)
            if close is not None and not pushed:
                close()

    def _closed(self, response: wsgi.Response) -> bool:
        response.close()
        return True

    def _write(
        self, connection: Connection, response: wsgi.Response, pieces: Iterable[bytes], waiting: Waiting
    ) -> None:
        for piece in pieces:
            response.write(piece)
            self._flush(connection, waiting)

    def _push(self, connection: Connection, response: wsgi.Response, body: PushedBody) -> None:
        """Leave the rest of an answer to who pushes it, and to the loop."""
        connection.stream = body
        connection.drop_unacknowledged(self._progress_seconds)
        body.attach(_PushedAnswer(self, connection, response))
        if connection.outgoing.broken:  # the loop has ended it before it could know of the body
            body.close()
        elif self._loop.stopping:
            body.stop()

    def push(self, connection: Connection, response: wsgi.Response, data: bytes) -> bool:
        """Send a piece of a pushed answer, on any thread; false where the client has gone or is too slow."""
        outgoing = connection.outgoing
        try:
            if outgoing.size > self._stream_bytes:
                raise ClientGone
            response.write(data)
            with outgoing.lock:
                left = self._send(outgoing)
        except ClientGone:
            self._loop.call(self._loop.end, connection)
            return False
        if left:
            self._loop.hand_over(connection)
        return True

    def finish_pushed(self, connection: Connection, response: wsgi.Response) -> None:
        """End a pushed answer, on any thread."""
        body, connection.stream = connection.stream, None
        try:
            response.close()
            self._finish(connection, close=True)
        except ClientGone:
            self._loop.call(self._loop.end, connection)
        if body is not None:
            body.close()

    def _failed(self, connection: Connection, error: BaseException) -> None:
        outgoing = connection.outgoing
        with outgoing.lock:
            begun = outgoing.begun or outgoing.handed_over or outgoing.broken
        answer = refusals.answer(refusals.FAILED, error)
        if begun:
            self._loop.call(self._loop.end, connection)
            return
        outgoing.replace(answer)
        try:
            self._finish(connection, close=True)
        except ClientGone:
            self._loop.call(self._loop.end, connection)

    def _flush(self, connection: Connection, waiting: Waiting) -> None:
        """Send what there is of a streamed answer, and wait for the client where too much is left of it."""
        outgoing = connection.outgoing
        with outgoing.lock:
            left = self._send(outgoing)
        if left:
            self._loop.hand_over(connection)
        if outgoing.size > self._stream_bytes:
            try:
                with waiting():
                    there = outgoing.wait_for_room(self._stream_bytes // 2)
            except Overloaded as error:
                raise ClientGone from error
            if not there:
                raise ClientGone

    def _finish(self, connection: Connection, *, close: bool) -> None:
        outgoing = connection.outgoing
        with outgoing.lock:
            outgoing.ended, outgoing.close_after = True, close
            if outgoing.handed_over:
                return
            if outgoing.size > _DIRECTLY and not outgoing.begun:
                left = outgoing.handed_over = True
            else:
                left = self._send(outgoing)
        if left:
            self._loop.hand_over(connection)
        else:
            self._loop.answered_by_thread(connection)

    def _send(self, outgoing: Outgoing) -> bool:
        """Send what the socket takes, unless the loop does; whether the loop has to begin. The lock is held."""
        if outgoing.broken:
            raise ClientGone
        if outgoing.handed_over:
            return False
        try:
            outgoing.send(outgoing.size)
        except OSError as error:
            raise ClientGone from error
        outgoing.handed_over = bool(outgoing.pieces)
        return outgoing.handed_over


class _PushedAnswer:
    """See ``concurrency.pushed_body.Sink``."""

    def __init__(self, exchanges: Exchanges, connection: Connection, response: wsgi.Response) -> None:
        self._exchanges = exchanges
        self._connection = connection
        self._response = response

    def send(self, data: bytes) -> bool:
        return self._exchanges.push(self._connection, self._response, data)

    def finish(self) -> None:
        self._exchanges.finish_pushed(self._connection, self._response)


class _Sink:
    """Stands where gunicorn's response has a socket."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.sendall = outgoing.append

    def send(self, data: bytes) -> int:
        """Nothing: it would be ``100 Continue``, which the loop has sent when it was due."""
        return len(data)
