"""Pictures of charts, drawn by one process beside each worker, within bounds of time and size.

Vega's JavaScript runs in that process (``vl-convert``, the extra ``charts``), so its memory and time are not the
worker's, and it can be ended when a picture takes too long. One picture is drawn at a time; a few requests wait, and
the others are refused at once, so that they never take all of a worker's threads.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import BinaryIO, cast

from service.charts import process_messages
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded

SVG, PNG = "image/svg+xml", "image/png"
_FORMS: Mapping[str, bytes] = {SVG: b"s", PNG: b"p"}
_BUSY = "too many charts are being drawn; try again, or ask for the Vega-Lite specification"
_COMMAND = (sys.executable, "-P", "-m", "service.charts.drawing_process")
_PASSED = ("PATH", "LANG", "HOME", "TMPDIR")
_MOST_BYTES = 32 * 1024 * 1024
_MOST_WAITING = 4
_MOST_PICTURES = 1000
"""Pictures drawn by one process, which is then replaced, so that memory leaks of JavaScript do not add up."""


class CannotDraw(Exception):
    """The drawing process has refused a specification, or has ended twice over it; the message says why."""


class _Ended(CannotDraw):
    """The drawing process has ended, because of this specification or for another reason."""


class _StillStarting(Overloaded):
    """The drawing process has everything that it was sent, and has not answered anything yet."""


class Renderer:
    """Draws specifications, each within ``seconds``, including the wait for its turn.

    ``command`` starts the process for the first picture; it ``needs`` a module that may be missing. For the first
    ``start_seconds`` a late first answer does not end it: a new process would start no faster.
    """

    def __init__(
        self,
        seconds: float = 10.0,
        command: Sequence[str] = _COMMAND,
        needs: str = "vl_convert",
        start_seconds: float = 60.0,
    ) -> None:
        self._seconds = seconds
        self._start_seconds = start_seconds
        self._needs = needs
        self._command = command
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._pictures = 0
        self._owed = 0
        """Answers that the process still owes, including those to requests that have ended."""
        self._starts_until: float | None = None
        """Until when (monotonic clock) the process may be starting; ``None`` once it has begun to answer."""

    @cached_property
    def media_types(self) -> tuple[str, ...]:
        """The media types of pictures; none where the extra ``charts`` is not installed."""
        return tuple(_FORMS) if find_spec(self._needs) is not None else ()

    def prepare(self) -> None:
        """Start the drawing process where there is none, so that it is ready when the specification is."""
        if self._turn.acquire(blocking=False):
            try:
                self._process = self._process or self._start()
            finally:
                self._turn.release()

    def render(self, specification: bytes, media_type: str) -> bytes:
        """The picture. Raises ``Overloaded`` where it is not drawn in time, ``CannotDraw`` where it cannot be drawn."""
        if not self._places.acquire(blocking=False):
            raise Overloaded(_BUSY)
        try:
            with waiting():
                return self._in_turn(specification, media_type, Deadline.after(self._seconds))
        finally:
            self._places.release()

    def _in_turn(self, specification: bytes, media_type: str, deadline: Deadline) -> bytes:
        with waiting():
            has_turn = self._turn.acquire(timeout=deadline.remaining())
        if not has_turn:
            raise Overloaded(_BUSY)
        try:
            return self._draw_twice(process_messages.pack(_FORMS[media_type], specification), deadline)
        except _StillStarting:
            raise
        except BaseException:
            self._end()
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _draw_twice(self, message: bytes, deadline: Deadline) -> bytes:
        """Draw, once more by a new process where the present one ends."""
        try:
            return self._draw(message, deadline)
        except _Ended:
            self._end()
            return self._draw(message, deadline)

    def _draw(self, message: bytes, deadline: Deadline) -> bytes:
        if self._pictures >= _MOST_PICTURES or (self._process is not None and self._process.poll() is not None):
            self._end()
        process = self._process = self._process or self._start()
        self._pictures += 1
        _send(cast(BinaryIO, process.stdin).fileno(), message, deadline)
        self._owed += 1
        tag, body = self._last_answer(cast(BinaryIO, process.stdout).fileno(), deadline)
        if tag != process_messages.DRAWN:
            raise CannotDraw(body.decode("utf-8", "replace"))
        return body

    def _last_answer(self, descriptor: int, deadline: Deadline) -> tuple[bytes, bytes]:
        """The answer to what was sent last, which comes behind those that were not waited for."""
        if self._starts_until is not None:
            try:
                _wait(deadline, to_read=[descriptor])
            except Overloaded as error:
                if time.monotonic() < self._starts_until:
                    raise _StillStarting(str(error)) from error
                raise
            self._starts_until = None
        while True:
            answer = _receive(descriptor, deadline)
            self._owed -= 1
            if not self._owed:
                return answer

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment |= {"TZ": "UTC", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        self._starts_until = time.monotonic() + self._start_seconds
        os.set_blocking(cast(BinaryIO, process.stdin).fileno(), False)
        os.set_blocking(cast(BinaryIO, process.stdout).fileno(), False)
        return process

    def _end(self) -> None:
        process, self._process, self._pictures, self._owed = self._process, None, 0, 0
        if process is not None:
            process.kill()
            process.wait()
            cast(BinaryIO, process.stdin).close()
            cast(BinaryIO, process.stdout).close()


def _send(descriptor: int, message: bytes, deadline: Deadline) -> None:
    rest = memoryview(message)
    while rest:
        _wait(deadline, to_write=[descriptor])
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BrokenPipeError as error:
            raise _Ended("the drawing process has ended") from error


def _receive(descriptor: int, deadline: Deadline) -> tuple[bytes, bytes]:
    tag, length = process_messages.HEADER.unpack(_exactly(descriptor, process_messages.HEADER.size, deadline))
    if length > _MOST_BYTES:
        raise CannotDraw("the picture is too large")
    return tag, _exactly(descriptor, length, deadline)


def _exactly(descriptor: int, size: int, deadline: Deadline) -> bytes:
    received = bytearray()
    while len(received) < size:
        _wait(deadline, to_read=[descriptor])
        part = os.read(descriptor, size - len(received))
        if not part:
            raise _Ended("the drawing process has ended")
        received += part
    return bytes(received)


def _wait(deadline: Deadline, to_read: Sequence[int] = (), to_write: Sequence[int] = ()) -> None:
    """Wait until a pipe is ready. Uses ``poll``: ``select`` is limited to 1024 descriptors."""
    poll = select.poll()
    for descriptor in to_read:
        poll.register(descriptor, select.POLLIN)
    for descriptor in to_write:
        poll.register(descriptor, select.POLLOUT)
    with waiting():
        ready = poll.poll(deadline.remaining() * 1000)
    if not ready:
        raise Overloaded("the chart could not be drawn in time; choose fewer metrics, or the Vega-Lite specification")
