"""What a thread works for, carried along where work goes on in another one: the span of a trace, say."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_current: ContextVar[Any] = ContextVar("origin", default=None)


def origin() -> Any:
    """What the calling thread works for; ``None`` where that is not set."""
    return _current.get()


class working_for:  # noqa: N801 - used as a function; a generator would cost each request twice as much
    """Within it, ``origin`` is ``what``."""

    __slots__ = ("_token", "_what")

    def __init__(self, what: object) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._token = _current.set(self._what)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def carried(call: Callable[..., T]) -> Callable[..., T]:
    """``call``, which works for the calling thread's origin wherever it is made."""
    what = _current.get()
    if what is None:
        return call

    def made(*arguments: Any) -> T:
        with working_for(what):
            return call(*arguments)

    return made
