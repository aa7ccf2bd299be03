"""Lines on a file descriptor that several processes write to, those that are frequent by a buffer, so that no request
waits for them."""

from __future__ import annotations

import fcntl
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from service.concurrency.blocking import waiting

_FLUSH_SECONDS = 0.04
_END_SECONDS = 2.0


class LineWriter:
    """Writes lines of ASCII to ``descriptor``, each as a whole, whatever other threads and processes write there.

    A line that is added is buffered: it is written within 50 ms, or dropped where ``most_bytes`` are buffered, as
    behind a pipe that nobody reads. Without ``start``, and after ``stop``, nothing is buffered.
    """

    def __init__(self, descriptor: int, most_bytes: int = 1024 * 1024) -> None:
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._lines: list[str] = []
        self._size = 0
        self._dropped: Callable[[], None] | None = None
        self._buffering = False
        self._adding = threading.RLock()  # reentrant, since a signal handler may log while its thread does
        self._writing = threading.RLock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, dropped: Callable[[], None]) -> None:
        """Buffer from now on, in the process that adds: a thread writes. ``dropped`` is called for a line that is."""
        self._dropped = dropped
        self._buffering = True
        self._thread = threading.Thread(target=self._keep_writing, name="log-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is buffered, if that can be done within two seconds, and buffer nothing any more."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._buffering = False
        self._wanted.set()
        thread.join(_END_SECONDS)
        if not thread.is_alive():
            self.write()

    def add(self, line: str) -> None:
        """Have a line written soon. Never waits while lines are buffered."""
        if not self._buffering:
            self.write(line)
            return
        with self._adding:
            fits = self._size + len(line) <= self._most_bytes
            first = not self._lines
            if fits:
                self._lines.append(line)
                self._size += len(line)
        if not fits and self._dropped is not None:
            self._dropped()
        elif first:
            self._wanted.set()

    def write(self, line: str = "") -> None:
        """Write what is buffered and a line behind it, however long that takes; meanwhile the thread has no slot."""
        with waiting(briefly=True), self._writing:
            self._write_all((self._taken() + line).encode("ascii", "backslashreplace"))

    def _keep_writing(self) -> None:
        while self._buffering:
            self._wanted.wait()
            if self._buffering:
                time.sleep(_FLUSH_SECONDS)
            self._wanted.clear()
            self.write()

    def _taken(self) -> str:
        with self._adding:
            lines, self._lines, self._size = self._lines, [], 0
        return "".join(lines)

    def _write_all(self, data: bytes) -> None:
        """A pipe takes no more than 4 KiB as one piece, so that other processes are kept from writing meanwhile."""
        left = memoryview(data)
        with suppress(OSError):
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])
        except OSError:  # nobody reads it any more
            return
        finally:
            with suppress(OSError):
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
