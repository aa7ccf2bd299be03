"""The threads that serve requests: few that work, many that may wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from service.concurrency.blocking import belongs_to
from service.domain.errors import Overloaded

P = ParamSpec("P")
T = TypeVar("T")

_Task = Callable[[], None]


class LendingThreads(Executor):
    """Runs tasks on at most ``working`` threads at once, beside at most ``waiting`` that wait
    (``concurrency.blocking``).

    Few working threads keep the wait for the interpreter's lock short; threads that wait cost memory only.
    """

    def __init__(self, working: int, waiting: int) -> None:
        self._most_working = working
        self._most_waiting = waiting
        self._working = 0
        self._waiting = 0
        self._tasks: deque[_Task] = deque()
        self._idle: list[_Worker] = []
        self._ended = False
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("the threads have ended")
            self._tasks.append(lambda: _run(future, fn, args, kwargs))
            self._begin()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no further tasks; those that are queued are done, unless ``cancel_futures``. Nobody is waited for."""
        with self._lock:
            self._ended = True
            if cancel_futures:
                self._tasks.clear()
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.give(None)

    def lend(self) -> None:
        with self._lock:
            if self._waiting >= self._most_waiting:
                raise Overloaded("too many requests wait for the AI runtime")
            self._waiting += 1
            self._working -= 1
            self._begin()

    def take_back(self) -> None:
        with self._lock:
            self._waiting -= 1
            self._working += 1

    def next_task(self, worker: _Worker) -> _Task | None:
        """What a thread that has finished is to do next: ``None`` for nothing, it rests or ends."""
        with self._lock:
            if self._tasks and self._working <= self._most_working:
                return self._tasks.popleft()
            self._working -= 1
            if self._ended or len(self._idle) >= self._most_working:
                worker.give(None)
            else:
                self._idle.append(worker)
        return None

    def _begin(self) -> None:
        """Begin what can be begun; the lock is held."""
        while self._tasks and self._working < self._most_working:
            self._working += 1
            worker = self._idle.pop() if self._idle else _Worker(self)
            worker.give(self._tasks.popleft())


class _Worker:
    """One thread; it works off what it is given and ends when that is ``None``."""

    def __init__(self, threads: LendingThreads) -> None:
        self._threads = threads
        self._given: SimpleQueue[_Task | None] = SimpleQueue()
        threading.Thread(target=self._work, name="request", daemon=True).start()

    def give(self, task: _Task | None) -> None:
        self._given.put(task)

    def _work(self) -> None:
        belongs_to(self._threads)
        while True:
            task = self._given.get()
            if task is None:
                return
            while task is not None:
                task()
                task = self._threads.next_task(self)


def _run(future: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever submitted the task
        future.set_exception(error)
    else:
        future.set_result(result)
