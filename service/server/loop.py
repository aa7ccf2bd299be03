"""The loop that owns a worker's connections: it accepts, reads requests, sends what is left of answers, and closes.

Nothing in it waits for one client. Whoever is silent, slow or does not leave costs a file descriptor and some memory,
both bounded, until a deadline; a thread is asked for once a request is there as a whole.
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import selectors
import socket
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request

from service.server import refusals
from service.server.connection import Connection, State
from service.server.limits import Limits
from service.server.outgoing import Held, whole
from service.server.refusals import Refusal

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_RECEIVED = 16 * 1024
_SENT_AT_ONCE = 1024 * 1024
_SENDING_SECONDS = 0.01
"""How long one turn of the loop sends before it looks at requests again."""
_SWEEP, _SWEEP_OF_A_STOP = 1.0, 0.1
"""Seconds between two looks at all deadlines."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ROOM_FROM = {State.LINGERING: 0, State.IDLE: 1, State.BODY: 3, State.SENDING: 4}

_log = logging.getLogger("service.server")

Parse = Callable[[Connection, bytes], Request]
Serve = Callable[[Connection, Request], None]


_NOT_BEGUN = frozenset({State.IDLE, State.BODY, State.LINGERING})
"""States in which no answer is under way."""


class Loop:
    """``parse`` makes a request of a head, or raises what gunicorn's parser does; ``serve`` has a thread answer it.

    All methods belong to the loop's own thread but ``call``, ``answered_by_thread`` and ``hand_over``.
    """

    def __init__(self, listeners: Sequence[socket.socket], parse: Parse, serve: Serve, limits: Limits) -> None:
        self._listeners = {listener: listener.getsockname() for listener in listeners}
        self._parse = parse
        self._serve = serve
        self._limits = limits
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._woken = False
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._accepting = False
        self._accept_from = 0.0
        self._full = False
        self._next_sweep = time.monotonic() + _SWEEP
        self._incoming = 0
        self._turn = 0
        self._held = Held()
        self.connections: set[Connection] = set()
        self.stopping = False
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, READ, None)
        for listener in listeners:
            listener.setblocking(False)
            _buffer_little(listener, limits.unsent_bytes)
        self._accept(on=True)

    @property
    def bytes_held(self) -> int:
        """Bytes of answers that clients are still to take, those that several take counted once."""
        return self._held.bytes

    @property
    def bytes_incoming(self) -> int:
        """Bytes of requests that are not whole yet."""
        return self._incoming

    def call(self, step: Callable[..., None], *arguments: Any) -> None:
        """Have the loop's thread do ``step`` soon. Any thread, and a signal handler, may call this."""
        self._calls.append((step, arguments))
        if not self._woken:
            self._woken = True
            with suppress(OSError):  # it is full, which wakes as well, or the loop has ended
                os.write(self._wake_write, b"\0")

    def turn(self, timeout: float) -> int:
        """Wait for something to do for ``timeout`` seconds at most, and do it; how many things there were."""
        events = self._selector.select(max(0.0, min(timeout, self._next_sweep - time.monotonic())))
        writable: list[Connection] = []
        for key, mask in events:
            what = key.data
            if what is None:
                self._do_calls()
            elif not isinstance(what, Connection):
                self._accept_from_queue(what)
            elif mask & WRITE:
                writable.append(what)
            else:
                self._safely(self._read, what)
        if writable:
            self._send_to(writable)
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + (_SWEEP_OF_A_STOP if self.stopping else _SWEEP)
            self._sweep(now)
        if not self._accepting and not self.stopping and now >= self._accept_from:
            self._accept(on=self._has_room())
        return len(events)

    def stop(self) -> None:
        """Accept nobody any more but who is connected already. Requests that are there are answered; idle connections,
        requests that are not complete and clients that do not leave end soon."""
        for listener in self._listeners:
            while self._accepting and self._accept_from_queue(listener):
                pass
        self.stopping = True
        self._next_sweep = 0.0
        self._accept(on=False)
        soon = time.monotonic() + self._limits.stop_seconds
        for connection in self.connections:
            if connection.state in _NOT_BEGUN:
                connection.deadline = min(connection.deadline, soon)

    def close(self) -> None:
        """End all connections, whatever their state, and the loop with them."""
        self._accept(on=False)
        for connection in list(self.connections):
            self.end(connection)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1

    # What threads do.

    def answered_by_thread(self, connection: Connection) -> None:
        """A thread has sent all of an answer itself: the usual case, in which the loop need not even be woken."""
        now = time.monotonic()
        if connection.outgoing.close_after:
            try:
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.call(self.end, connection)
                return
            connection.deadline = now + self._limits.linger_seconds
            connection.state = State.LINGERING
        elif connection.buffer or self.stopping:
            self.call(self._safely, self._answered, connection)
            return
        else:
            connection.deadline = now + self._limits.keepalive_seconds
            connection.state = State.IDLE
        if connection.parked:  # looked at after the state is set, as the loop sets it before it looks at the state
            self.call(self._safely, self._read_again, connection)

    def hand_over(self, connection: Connection) -> None:
        """Have the loop send what is left. ``outgoing.handed_over`` is set already."""
        self.call(self._safely, self._take_over, connection)

    # Accepting.

    def _accept(self, *, on: bool) -> None:
        if on == self._accepting:
            return
        self._accepting = on
        for listener in self._listeners:
            if on:
                self._selector.register(listener, READ, listener)
            else:
                self._selector.unregister(listener)

    def _accept_from_queue(self, listener: socket.socket) -> bool:
        """Accept one client; whether there may be another."""
        if not self._accepting:
            return False
        if not self._has_room():
            self._accept(on=False)
            return False
        try:
            sock, peer = listener.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionAbortedError:
            return True
        except OSError:  # no file descriptors, no memory: whoever is there goes first
            _log.exception("cannot accept connections", extra={"event": "connections"})
            self._make_room()
            self._accept(on=False)
            self._accept_from = time.monotonic() + _SWEEP
            return False
        sock.setblocking(False)
        deadline = time.monotonic() + self._limits.request_seconds
        connection = Connection(sock, peer, self._listeners[listener], deadline)
        self.connections.add(connection)
        self._safely(self._read_on, connection)
        return True

    def _has_room(self) -> bool:
        """Whether one more connection may be had, where need be in place of another."""
        full = len(self.connections) >= self._limits.connections
        if full != self._full:
            self._full = full
            if full:
                _log.warning("as many connections as may be", extra={"event": "connections"})
        return not full or self._make_room()

    def _make_room(self) -> bool:
        """End those that cost others least: who lingers, who is idle, who has not sent a request, who takes nothing.

        In each kind who has waited longest goes first.
        """
        stalled = self._stalled()
        candidates = [
            (_rank(connection), connection.deadline, connection)
            for connection in self.connections
            if connection.state in _ROOM_FROM
            and (connection.state is not State.SENDING or connection.deadline < stalled)
        ]
        candidates.sort(key=lambda candidate: candidate[:2])
        for _, _, connection in candidates[: 1 + self._limits.connections // 32]:
            self.end(connection)
        return bool(candidates)

    def _stalled(self) -> float:
        """The deadline before which those are that have taken nothing for long."""
        return time.monotonic() + self._limits.progress_seconds - self._limits.stalled_seconds

    # Reading.

    def _read(self, connection: Connection) -> None:
        if connection.state is State.RUNNING:
            self._park(connection)
            return
        if connection.state in {State.SENDING, State.CLOSED}:  # it has come to be so in this very turn
            return
        try:
            data = connection.socket.recv(_RECEIVED)
        except (BlockingIOError, InterruptedError):
            return
        if connection.state is State.LINGERING:
            connection.drained += len(data)
            if not data or connection.drained > self._limits.linger_bytes:
                self.end(connection)
        elif not data:
            self._client_ended(connection)
        else:
            connection.buffer += data
            if connection.state is State.BODY:
                self._read_body(connection)
            else:
                self._read_head(connection)

    def _read_on(self, connection: Connection) -> None:
        self._watch(connection, READ)

    def _park(self, connection: Connection) -> None:
        """Leave alone what a client sends before it is answered: its next request, or that it sends no more."""
        connection.parked = True
        self._watch(connection, 0)
        if connection.state is not State.RUNNING:
            self._read_again(connection)

    def _read_again(self, connection: Connection) -> None:
        if connection.parked and connection.state in {State.IDLE, State.LINGERING}:
            connection.parked = False
            self._read_on(connection)

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
        self._count(connection)
        while self._incoming > self._limits.incoming_bytes:
            waiting = [each for each in self.connections if each.counted]
            self.end(min(waiting, key=lambda each: each.deadline))

    def _begin(self, connection: Connection, head: bytes) -> None:
        """Serve the request of this head, or refuse it."""
        connection.requests += 1
        try:
            request = self._parse(connection, head)
        except ParseException as error:
            self._refuse(connection, refusals.refusal_of(error), error)
        except (NoMoreData, StopIteration):
            self._refuse(connection, refusals.BAD_REQUEST)
        except Exception as error:  # noqa: BLE001 - told as the service's failure, with the stack in the log
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
                if _expects_to_be_told(request) and connection.socket.send(_CONTINUE) != len(_CONTINUE):
                    self.end(connection)
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
        self._count(connection, 0)
        connection.deadline = math.inf
        connection.state = State.RUNNING
        self._serve(connection, request)

    def _client_ended(self, connection: Connection) -> None:
        """The client sends no more: what it began cannot become a request, and it may wait for an answer still."""
        if connection.buffer or connection.state is State.BODY:
            self._refuse(connection, refusals.BAD_REQUEST)
        else:
            self.end(connection)

    def _count(self, connection: Connection, size: int | None = None) -> None:
        size = len(connection.buffer) if size is None else size
        self._incoming += size - connection.counted
        connection.counted = size

    # Sending.

    def _refuse(self, connection: Connection, refusal: Refusal, error: Exception | None = None) -> None:
        """Answer instead of the application, and close."""
        self._count(connection, 0)
        connection.buffer.clear()
        outgoing = connection.outgoing
        with outgoing.lock:
            outgoing.ended = outgoing.close_after = outgoing.handed_over = True
        outgoing.append(refusals.answer(refusal, error))
        connection.state = State.SENDING
        connection.deadline = time.monotonic() + self._limits.progress_seconds
        self._send(connection)

    def _take_over(self, connection: Connection) -> None:
        """Send what a thread has made and the client has not taken at once."""
        if connection.state is State.CLOSED:
            return
        outgoing = connection.outgoing
        with outgoing.lock:
            connection.state = State.SENDING
            connection.deadline = time.monotonic() + self._limits.progress_seconds
            answer = list(whole(outgoing.pieces)) if outgoing.ended else []
        if not self._hold(connection, answer):
            self._too_much(connection)
            return
        self._send(connection)

    def _hold(self, connection: Connection, answer: Sequence[bytes]) -> bool:
        """Count the bytes of an answer, where need be in place of those of clients that take nothing."""
        while self._held.bytes and self._held.bytes + self._held.more(answer) > self._limits.outgoing_bytes:
            stalled = self._stalled()
            others = [each for each in self.connections if each.held and each.deadline < stalled]
            if not others:
                return False
            self.end(min(others, key=lambda each: each.deadline))
        self._held.add(answer)
        connection.held.extend(answer)
        return True

    def _too_much(self, connection: Connection) -> None:
        outgoing = connection.outgoing
        if outgoing.begun:
            self.end(connection)
            return
        with outgoing.lock:
            outgoing.pieces.clear()
            outgoing.size = 0
        self._refuse(connection, refusals.OVERLOADED)

    def _send_to(self, writable: Sequence[Connection]) -> None:
        """Send for a moment, to others first than the last time."""
        first = self._turn % len(writable)
        ends = time.monotonic() + _SENDING_SECONDS
        for connection in (*writable[first:], *writable[:first]):
            self._safely(self._send, connection)
            self._turn += 1
            if time.monotonic() > ends:
                break

    def _send(self, connection: Connection) -> None:
        if connection.state is not State.SENDING:
            return
        outgoing = connection.outgoing
        with outgoing.lock:
            took = outgoing.send(_SENT_AT_ONCE)
            done, ended = not outgoing.pieces, outgoing.ended
            if done:
                outgoing.handed_over = False
                if not ended:  # its thread makes more, and may send that itself from here on
                    connection.state = State.RUNNING
                    connection.deadline = math.inf
            if outgoing.size <= self._limits.stream_bytes // 2:
                outgoing.tell()
        while len(connection.held) > len(outgoing.pieces):
            self._held.remove(connection.held.popleft())
        if not done:
            if took:
                connection.queued = None
                connection.deadline = time.monotonic() + self._limits.progress_seconds
            self._watch(connection, WRITE)
        elif ended:
            self._answered(connection)
        else:
            self._watch(connection, 0 if connection.parked else READ)

    def _answered(self, connection: Connection) -> None:
        """The client has all of its answer."""
        if connection.state is State.CLOSED:
            return
        now = time.monotonic()
        connection.parked = False
        if connection.outgoing.close_after:
            connection.socket.shutdown(socket.SHUT_WR)
            connection.deadline = now + self._limits.linger_seconds
            connection.state = State.LINGERING
            self._read_on(connection)
            return
        idle = self._limits.stop_seconds if self.stopping else self._limits.keepalive_seconds
        connection.deadline = now + idle
        connection.state = State.IDLE
        self._read_on(connection)
        self._read_head(connection)

    # Ending.

    def end(self, connection: Connection) -> None:
        """Close a connection, whatever its state; a thread that makes its answer finds out."""
        if connection.state is State.CLOSED:
            return
        self.connections.discard(connection)
        self._count(connection, 0)
        self._watch(connection, 0)
        with connection.outgoing.lock:
            connection.state = State.CLOSED
            connection.outgoing.give_up()
            connection.socket.close()
        while connection.held:
            self._held.remove(connection.held.popleft())

    def _sweep(self, now: float) -> None:
        """End what has waited long enough."""
        for connection in list(self.connections):
            if connection.state is State.SENDING:
                self._note_progress(connection, now)
            if connection.deadline > now:
                continue
            if connection.state is State.BODY or (connection.state is State.IDLE and connection.buffer):
                self._safely(self._refuse_slow, connection)
            elif connection.state is not State.RUNNING:
                self.end(connection)

    def _note_progress(self, connection: Connection, now: float) -> None:
        """A client may take so little that the system needs no more for it meanwhile."""
        queued = _queued(connection.socket)
        if connection.queued is not None and queued < connection.queued:
            connection.deadline = now + self._limits.progress_seconds
        connection.queued = queued

    def _refuse_slow(self, connection: Connection) -> None:
        self._refuse(connection, refusals.TOO_SLOW)

    # Machinery.

    def _do_calls(self) -> None:
        os.read(self._wake_read, 4096)
        self._woken = False
        for _ in range(len(self._calls)):
            step, arguments = self._calls.popleft()
            step(*arguments)

    def _safely(self, step: Callable[[Connection], None], connection: Connection) -> None:
        """Do a step for a connection; whatever comes of it ends this connection at most."""
        try:
            step(connection)
        except OSError:
            self.end(connection)
        except Exception:  # noqa: BLE001 - it is in the log with its stack
            _log.exception("a connection failed", extra={"event": "connections"})
            self.end(connection)

    def _watch(self, connection: Connection, what: int) -> None:
        """Have the selector tell of ``READ``, ``WRITE`` or nothing."""
        if what == connection.watched:
            return
        if not connection.watched:
            self._selector.register(connection.socket, what, connection)
        elif not what:
            self._selector.unregister(connection.socket)
        else:
            self._selector.modify(connection.socket, what, connection)
        connection.watched = what


def _queued(sock: socket.socket) -> int:
    """Bytes that the system has for the peer and that it has not acknowledged; 0 where it does not tell."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0])
    return 0


def _buffer_little(listener: socket.socket, size: int) -> None:
    """Have the system keep few bytes for each client: left alone it takes 4 MB, which no limit of ours would count."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and listener.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, option, size)


def _rank(connection: Connection) -> int:
    rank = _ROOM_FROM[connection.state]
    if connection.state is State.IDLE and (connection.buffer or not connection.requests):
        return rank + (2 if connection.buffer else 1)
    return rank


def _expects_to_be_told(request: Request) -> bool:
    """Whether the client waits for ``100 Continue``; the parser has refused any other expectation."""
    return (request.version or ()) >= (1, 1) and any(name == "EXPECT" for name, _ in request.headers)


def _has_one_host(request: Request) -> bool:
    """RFC 9112, 3.2: a request of HTTP/1.1 names its host, and none names two."""
    hosts = sum(name == "HOST" for name, _ in request.headers)
    return hosts == 1 or (hosts == 0 and (request.version or (1, 0)) < (1, 1))
