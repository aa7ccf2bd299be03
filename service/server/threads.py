"""The pool of request threads: few that work, many that may wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from service.concurrency.blocking import set_slot_owner
from service.domain.errors import Overloaded

_Task = Callable[[], None]
_CROWD = 8
"""Queued tasks per working thread from which on the queue counts as a crowd."""
_STUCK = 0.1
"""Seconds without any thread going on after its wait, from which on all of them do: the working ones may wait for what
these hold."""


class RequestThreads:
    """Runs tasks on at most ``working`` threads at once, beside at most ``waiting`` that wait
    (``concurrency.blocking``) and at most ``sending`` that wait for a client to read.

    Few working threads keep the wait for the interpreter's lock short; waiting threads cost only memory. A thread whose
    wait ends goes on beside the working ones, but no more than twice ``working`` run at once, as a crowd that is woken
    together would keep all others from the interpreter's lock; they all go on where none has done so for ``stuck``
    seconds. Tasks begin in the order of their arrival; in a crowd, the newest and the oldest by turns, so that a task
    behind a crowd does not wait for all of it, and no task waits more than twice as long. Tasks raise nothing.

    ``before_each`` is called by the thread of a task before it.
    """

    def __init__(
        self,
        working: int,
        waiting: int,
        sending: int = 0,
        before_each: Callable[[], object] | None = None,
        stuck: float = _STUCK,
    ) -> None:
        self._most_working = working
        self._most_waiting = waiting
        self._most_sending = sending
        self.before_each = before_each
        self._stuck = stuck
        self._working = 0
        self._waiting = 0
        self._sending = 0
        self._tasks: deque[_Task] = deque()
        self._crowd = _CROWD * working
        self._newest_next = False
        self._returning: deque[threading.Event] = deque()
        self._went_on = 0.0
        self._idle: list[_Worker] = []
        self._ended = False
        self._lock = threading.Lock()

    def start(self, task: _Task) -> None:
        """Run ``task`` on a thread as soon as possible. Raises ``RuntimeError`` after ``shutdown``."""
        with self._lock:
            if self._ended:
                raise RuntimeError("the threads have ended")
            self._tasks.append(task)
            self._begin()

    @property
    def are_idle(self) -> bool:
        """Whether no task is queued, worked on, or waits."""
        with self._lock:
            return not (self._tasks or self._working or self._waiting or self._sending)

    def shutdown(self) -> None:
        """Accept no further tasks; queued ones are run. Does not wait."""
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
            turn = self._return()
        self._wait_for(turn)

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """The context of a wait for a client. Raises ``Overloaded`` where too many threads wait."""
        with self._lock:
            if self._sending >= self._most_sending:
                raise Overloaded("too many clients read their answers slowly")
            self._sending += 1
            self._release()
        try:
            yield
        finally:
            with self._lock:
                self._sending -= 1
                turn = self._return()
            self._wait_for(turn)

    def next_task(self, worker: _Worker) -> _Task | None:
        """The next task of a thread that has finished one; ``None`` where it has to rest or end."""
        with self._lock:
            if self._tasks and self._working <= self._most_working:
                return self._next()
            self._working -= 1
            self._let_go_on()
            if self._ended or len(self._idle) >= self._most_working:
                worker.assign(None)
            else:
                self._idle.append(worker)
        return None

    def _release(self) -> None:
        self._working -= 1
        self._let_go_on()
        self._begin()

    def _return(self) -> threading.Event:
        """Queue a thread whose wait is over; the event that lets it go on. The lock is held."""
        turn = threading.Event()
        self._returning.append(turn)
        self._let_go_on()
        return turn

    def _let_go_on(self) -> None:
        """Let as many threads go on as may; the lock is held."""
        while self._returning and self._working < 2 * self._most_working:
            self._working += 1
            self._went_on = time.monotonic()
            self._returning.popleft().set()

    def _wait_for(self, turn: threading.Event) -> None:
        while not turn.wait(self._stuck):
            with self._lock:
                if not turn.is_set() and time.monotonic() - self._went_on >= self._stuck:
                    self._returning.remove(turn)
                    self._working += 1
                    return

    def _begin(self) -> None:
        """Begin tasks where possible; the lock is held."""
        while self._tasks and self._working < self._most_working:
            try:
                worker = self._idle.pop() if self._idle else _Worker(self)
            except RuntimeError:  # no further thread can be started: the existing ones continue with the queue
                return
            self._working += 1
            worker.assign(self._next())

    def _next(self) -> _Task:
        """The task that begins next; the lock is held."""
        self._newest_next = len(self._tasks) > self._crowd and not self._newest_next
        return self._tasks.pop() if self._newest_next else self._tasks.popleft()


class _Worker:
    """One thread, which runs assigned tasks, and ends at ``None``."""

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
                if self._threads.before_each is not None:
                    self._threads.before_each()
                task()
                task = self._threads.next_task(self)
