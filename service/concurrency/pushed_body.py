"""Pushed bodies: long streams that do not need a thread of the server while they wait."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

STOPPING = "metric_resource.stopping"
"""The key of the WSGI environment for a ``Stopping``."""


class Stopping(threading.Event):
    """An event that is set when the server stops, together with events that threads wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._others: set[threading.Event] = set()
        self._guard = threading.Lock()

    @contextmanager
    def setting(self, event: threading.Event) -> Iterator[None]:
        """Set ``event`` when the server stops, while the context lasts."""
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
    """The receiver of a pushed body. Its methods do not wait; only one thread may call them at a time."""

    def send(self, data: bytes) -> bool:
        """Send data; false where the client has gone or does not read in time."""
        ...

    def finish(self) -> None:
        """The body is complete."""
        ...


class PushedBody(ABC):
    """A WSGI body (PEP 3333). Iterating over it occupies a thread, though not its slot.

    A server that supports it iterates over ``beginning`` instead, on the request's thread; if ``goes_on`` is true then,
    it calls ``attach``, and the rest arrives at the sink, from any thread.
    """

    @property
    @abstractmethod
    def goes_on(self) -> bool: ...

    @abstractmethod
    def beginning(self) -> Iterator[bytes]:
        """What can be sent at once."""

    @abstractmethod
    def attach(self, sink: Sink) -> None:
        """Push to ``sink`` from now on, first what has been added since ``beginning``."""

    @abstractmethod
    def stop(self) -> None:
        """End the body properly: the server stops."""

    @abstractmethod
    def close(self) -> None:
        """The client has gone. May be called several times."""

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...
