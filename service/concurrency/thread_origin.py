"""The origin of a thread's work, such as the span of a trace, which is passed on to threads that do a part of it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_current: ContextVar[Any] = ContextVar("origin", default=None)


def origin() -> Any:
    """The origin of the calling thread's work; ``None`` where it is not set."""
    return _current.get()


class working_for:  # noqa: N801 - used as a function; a generator would cost each request twice as much
    """A context in which ``origin`` returns ``what``."""

    __slots__ = ("_token", "_what")

    def __init__(self, what: object) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._token = _current.set(self._what)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def carried(call: Callable[..., T]) -> Callable[..., T]:
    """``call`` with the calling thread's origin, on whichever thread it runs."""
    what = _current.get()
    if what is None:
        return call

    def made(*arguments: Any) -> T:
        with working_for(what):
            return call(*arguments)

    return made
