"""The threads that serve requests: few that work, many that may wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from service.concurrency.blocking import set_slot_owner
from service.domain.errors import Overloaded

_Task = Callable[[], None]
_CROWD = 8
"""Tasks for each working thread beyond which those that are queued are a crowd."""


class RequestThreads:
    """Runs tasks on at most ``working`` threads at once, beside at most ``waiting`` that wait
    (``concurrency.blocking``) and at most ``sending`` that wait for a client to take what they make.

    Few working threads keep the wait for the interpreter's lock short; threads that wait cost memory only. Tasks begin
    in the order in which they come; where a crowd is queued, the newest and the oldest one by turns, so that who comes
    behind a crowd does not wait for all of it, and nobody waits more than twice as long for that. Tasks raise nothing.
    """

    def __init__(self, working: int, waiting: int, sending: int = 0) -> None:
        self._most_working = working
        self._most_waiting = waiting
        self._most_sending = sending
        self._working = 0
        self._waiting = 0
        self._sending = 0
        self._tasks: deque[_Task] = deque()
        self._crowd = _CROWD * working
        self._newest_next = False
        self._idle: list[_Worker] = []
        self._ended = False
        self._lock = threading.Lock()

    def start(self, task: _Task) -> None:
        """Have a thread do ``task`` as soon as it may. Raises ``RuntimeError`` after the end."""
        with self._lock:
            if self._ended:
                raise RuntimeError("the threads have ended")
            self._tasks.append(task)
            self._begin()

    def shutdown(self) -> None:
        """Take no further tasks; those that are queued are done. Nobody is waited for."""
        with self._lock:
            self._ended = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.assign(None)

    def release_slot(self) -> None:
        with self._lock:
            if self._waiting >= self._most_waiting:
                raise Overloaded("too many requests wait for the AI runtime")
            self._waiting += 1
            self._release()

    def reacquire_slot(self) -> None:
        with self._lock:
            self._waiting -= 1
            self._working += 1

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """Within it, the calling thread waits for a client. Raises ``Overloaded`` where too many do."""
        with self._lock:
            if self._sending >= self._most_sending:
                raise Overloaded("too many clients take their answers slowly")
            self._sending += 1
            self._release()
        try:
            yield
        finally:
            with self._lock:
                self._sending -= 1
                self._working += 1

    def next_task(self, worker: _Worker) -> _Task | None:
        """What a thread that has finished is to do next: ``None`` for nothing, it rests or ends."""
        with self._lock:
            if self._tasks and self._working <= self._most_working:
                return self._next()
            self._working -= 1
            if self._ended or len(self._idle) >= self._most_working:
                worker.assign(None)
            else:
                self._idle.append(worker)
        return None

    def _release(self) -> None:
        self._working -= 1
        self._begin()

    def _begin(self) -> None:
        """Begin what can be begun; the lock is held."""
        while self._tasks and self._working < self._most_working:
            try:
                worker = self._idle.pop() if self._idle else _Worker(self)
            except RuntimeError:  # the system has no further thread: those that there are go on with what is queued
                return
            self._working += 1
            worker.assign(self._next())

    def _next(self) -> _Task:
        """The task that begins next; the lock is held."""
        self._newest_next = len(self._tasks) > self._crowd and not self._newest_next
        return self._tasks.pop() if self._newest_next else self._tasks.popleft()


class _Worker:
    """One thread; it does what it is assigned, and ends when that is ``None``."""

    def __init__(self, threads: RequestThreads) -> None:
        self._threads = threads
        self._assigned: SimpleQueue[_Task | None] = SimpleQueue()
        threading.Thread(target=self._work, name="request", daemon=True).start()

    def assign(self, task: _Task | None) -> None:
        self._assigned.put(task)

    def _work(self) -> None:
        set_slot_owner(self._threads)
        while True:
            task = self._assigned.get()
            if task is None:
                return
            while task is not None:
                task()
                task = self._threads.next_task(self)
