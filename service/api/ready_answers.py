"""Representations made before: a byte-bounded memory in which each is made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from service.api.bodies import Body, size_of


class ReadyAnswers:
    """Bodies by entity tag, so that what is found is always the very bytes that the tag names."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bodies: OrderedDict[str, Body] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def get(self, tag: str) -> Body | None:
        body = self._bodies.get(tag)
        if body is not None:
            with self._lock:
                if tag in self._bodies:
                    self._bodies.move_to_end(tag)
        return body

    def get_or_make(self, tag: str, make: Callable[[], Body]) -> Body:
        """The body under ``tag``; requests that miss it together make it once."""
        body = self.get(tag)
        if body is not None:
            return body
        with self._lock:
            turn = self._making.setdefault(tag, threading.Lock())
        try:
            with turn:
                body = self.get(tag)
                if body is None:
                    body = make()
                    self._keep(tag, body)
            return body
        finally:
            with self._lock:
                self._making.pop(tag, None)

    def _keep(self, tag: str, body: Body) -> None:
        with self._lock:
            if size_of(body) > self._max_bytes:
                return
            self._size += size_of(body) - size_of(self._bodies.pop(tag, ()))
            self._bodies[tag] = body
            while self._size > self._max_bytes:
                self._size -= size_of(self._bodies.popitem(last=False)[1])
