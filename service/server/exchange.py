"""One request served by the application (PEP 3333), on a thread that waits for the client only where it streams."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, cast

from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request

from service.domain.errors import Overloaded
from service.server import refusals
from service.server.connection import Connection
from service.server.loop import Loop
from service.server.outgoing import Outgoing

Application = Callable[..., Iterable[bytes]]
Waiting = Callable[[], AbstractContextManager[None]]
_DIRECTLY = 1024 * 1024
"""Bytes up to which the thread that made an answer tries to send it; the loop may refuse a longer one."""


class ClientGone(Exception):
    """Nobody takes the answer any more, or nobody may wait any longer for who does."""


class Exchanges:
    """Has the WSGI ``application`` answer. Where it streams, ``stream_bytes`` are made ahead of its client."""

    def __init__(self, application: Application, loop: Loop, config: Config, stream_bytes: int) -> None:
        self._application = application
        self._loop = loop
        self._config = config
        self._stream_bytes = stream_bytes

    def serve(self, connection: Connection, request: Request, waiting: Waiting) -> None:
        """Answer a request, on the calling thread. Whatever comes of it ends this connection at most.

        Within ``waiting`` the thread waits for a client; it raises ``Overloaded`` where too many do.
        """
        outgoing = connection.outgoing
        outgoing.begin()
        try:
            response, environ = wsgi.create(
                request, cast(socket.socket, _Sink(outgoing)), connection.peer, connection.server, self._config
            )
            self._answer(connection, response, environ, waiting)
            self._finish(connection, close=response.should_close())
        except ClientGone:
            self._loop.call(self._loop.end, connection)
        except BaseException as error:  # noqa: BLE001 - told as the service's failure, with the stack in the log
            self._failed(connection, error)

    def _answer(
        self, connection: Connection, response: wsgi.Response, environ: MutableMapping[str, Any], waiting: Waiting
    ) -> None:
        environ["wsgi.multithread"] = True
        if self._loop.stopping:
            response.force_close()
        body = self._application(environ, response.start_response)
        try:
            if isinstance(body, tuple | list):  # in memory as it is: nothing is won by waiting for the client
                for piece in body:
                    response.write(piece)
            else:
                for piece in body:
                    response.write(piece)
                    self._flush(connection, waiting)
            response.close()
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

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


class _Sink:
    """Stands where gunicorn's response has a socket."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.sendall = outgoing.append

    def send(self, data: bytes) -> int:
        """Nothing: it would be ``100 Continue``, which the loop has sent when it was due."""
        return len(data)
