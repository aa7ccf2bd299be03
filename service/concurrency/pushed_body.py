"""Bodies that go on for long, a little at a time: a server that knows them needs no thread for who waits for more."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

STOPPING = "metric_resource.stopping"
"""The key of the WSGI environment that holds a ``Stopping``."""


class Stopping(threading.Event):
    """Set when the server stops, and with it what threads wait for meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._others: set[threading.Event] = set()
        self._guard = threading.Lock()

    @contextmanager
    def setting(self, event: threading.Event) -> Iterator[None]:
        """Within it, ``event`` is set when the server stops."""
        with self._guard:
            self._others.add(event)
        try:
            if self.is_set():
                event.set()
            yield
        finally:
            with self._guard:
                self._others.discard(event)

    def set(self) -> None:
        super().set()
        with self._guard:
            others = tuple(self._others)
        for event in others:
            event.set()


class Sink(Protocol):
    """Takes what is pushed. Neither method waits; only one thread may call them at a time."""

    def send(self, data: bytes) -> bool:
        """Whether the client is still there, and takes what it is sent in time."""
        ...

    def finish(self) -> None:
        """That was all."""
        ...


class PushedBody(ABC):
    """A WSGI body (PEP 3333). As an iterable it keeps the thread that iterates, without its slot.

    A server that knows it iterates over ``beginning`` instead, on the request's thread; if ``goes_on`` then, it calls
    ``attach``. The rest comes through the sink, from any thread.
    """

    @property
    @abstractmethod
    def goes_on(self) -> bool: ...

    @abstractmethod
    def beginning(self) -> Iterator[bytes]:
        """What there is already."""

    @abstractmethod
    def attach(self, sink: Sink) -> None:
        """Push to ``sink`` from now on, first what has come since the beginning."""

    @abstractmethod
    def stop(self) -> None:
        """Say good-bye, and finish: the server stops."""

    @abstractmethod
    def close(self) -> None:
        """Nobody takes any more. May be called several times."""

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...
