"""Writes lines to a file descriptor that several processes share, frequent ones by a buffer, so that requests do not
wait."""

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
    """Writes lines of ASCII to ``descriptor``, each atomically, beside other threads and processes.

    An added line is buffered and written within 50 ms, or dropped where ``most_bytes`` are buffered, as with a pipe
    that nobody reads. Before ``start`` and after ``stop``, nothing is buffered.
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
        """Begin to buffer, with a thread that writes, in the process that logs. ``dropped`` is called for each dropped
        line."""
        self._dropped = dropped
        self._buffering = True
        self._thread = threading.Thread(target=self._keep_writing, name="log-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the buffered lines, if possible within two seconds, and stop buffering."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._buffering = False
        self._wanted.set()
        thread.join(_END_SECONDS)
        if not thread.is_alive():
            self.write()

    def add(self, line: str) -> None:
        """Add a line, which is written soon. Does not wait while lines are buffered."""
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
        """Write the buffered lines and then this one, however long that takes, without the thread's slot."""
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
        """Write all bytes. A pipe accepts only 4 KiB atomically, so other processes are locked out meanwhile."""
        left = memoryview(data)
        with suppress(OSError):
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])
        except OSError:  # there is no reader any more
            return
        finally:
            with suppress(OSError):
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
