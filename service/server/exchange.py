"""Serves a request by the application (PEP 3333): on the loop's own thread where the answer is at hand, otherwise on a
request thread, which waits for the client only while streaming."""

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
"""Bytes up to which the thread that made an answer sends it directly; the loop may refuse a longer one."""


class ClientGone(Exception):
    """The client has gone, or is too slow."""


class Exchanges:
    """Calls the WSGI ``application``, within ``limits``.

    ``has_answers_at_hand`` is whether the application supports ``AT_HAND_ONLY``.
    """

    def __init__(
        self,
        application: Application,
        loop: Loop,
        config: Config,
        limits: Limits,
        *,
        has_answers_at_hand: bool = False,
    ) -> None:
        self._application = application
        self._loop = loop
        self._config = config
        self._stream_bytes = limits.stream_bytes
        self._progress_seconds = limits.progress_seconds
        self._has_answers_at_hand = has_answers_at_hand

    def start(
        self, connection: Connection, request: Request, threads: RequestThreads, *, may_be_at_hand: bool = True
    ) -> None:
        """Answer a request, on one of ``threads`` unless the answer is at hand. Belongs to the loop's thread.

        An answer that is at hand takes less time than passing the request to a thread. An exception ends this
        connection only.
        """
        connection.outgoing.begin()
        self._safely(connection, self._start, connection, request, threads, may_be_at_hand)

    def _start(self, connection: Connection, request: Request, threads: RequestThreads, may_be_at_hand: bool) -> None:
        if may_be_at_hand and self._has_answers_at_hand:
            exchange = self._created(connection, request)
            if self._answer_at_hand(connection, *exchange):
                return
            serve = partial(self._serve, connection, *exchange, threads.waiting_for_client)
        else:
            serve = partial(self._create_and_serve, connection, request, threads.waiting_for_client)
        threads.start(partial(self._safely, connection, serve))

    def _created(self, connection: Connection, request: Request) -> tuple[wsgi.Response, Environment]:
        sink = cast(socket.socket, _Sink(connection.outgoing))
        response, environ = wsgi.create(
            request, sink, connection.peer, connection.server, self._config, response_class=DatedResponse
        )
        environ["wsgi.multithread"] = True
        environ[STOPPING] = self._loop.stops
        return response, environ

    def _create_and_serve(self, connection: Connection, request: Request, waiting: Waiting) -> None:
        self._serve(connection, *self._created(connection, request), waiting)

    def _answer_at_hand(self, connection: Connection, response: wsgi.Response, environ: Environment) -> bool:
        """Answer if the answer is at hand; whether it was."""
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
        """Answer on the calling thread. ``waiting`` is the context of waits for the client, and raises ``Overloaded``
        where too many threads wait."""
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
        """Make the answer; whether it is complete. The rest of a pushed body needs no thread."""
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
            if isinstance(body, tuple | list):  # it is in memory already: there is no need to wait for the client
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
        """Leave the rest of an answer to its producer and to the loop."""
        connection.stream = body
        connection.drop_unacknowledged(self._progress_seconds)
        body.attach(_PushedAnswer(self, connection, response))
        if connection.outgoing.broken:  # the loop has ended the connection without knowing the body
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
        """Send the pending part of a streamed answer, and wait for the client where too much is left."""
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
        """Send what the socket accepts, unless the loop sends; whether the loop has to take over. The lock is held."""
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
    """Takes the place of the socket in gunicorn's response."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.sendall = outgoing.append

    def send(self, data: bytes) -> int:
        """Does nothing: only ``100 Continue`` would be sent here, which the loop has done."""
        return len(data)
