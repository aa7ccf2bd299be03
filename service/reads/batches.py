"""One answer from several reads: by calls that are under way side by side, in bounded memory, with one wait for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import TypeVar

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import ServiceError, TooSoon
from service.domain.runtime import RequestContext
from service.reads.read_through import ReadThrough
from service.reads.results import Pending

K = TypeVar("K")
T = TypeVar("T")
U = TypeVar("U")

A_CALL = 10
"""Runs whose metrics the runtime is asked for at once."""


def paced(
    parts: Sequence[K],
    read: Callable[[Sequence[K], RequestContext], Mapping[K, T | ServiceError]],
    context: RequestContext,
    reads: ReadThrough,
) -> dict[K, T | ServiceError]:
    """What is read of several parts, in their order.

    What is refreshed too soon is waited for here, once for all parts, and not on the threads that read them.
    """
    found: dict[K, T | ServiceError] = {}
    missing = list(parts)
    asked = context.with_policy(replace(context.cache_policy, waits=False))
    while missing:
        found |= read(missing, asked)
        if asked.cache_policy.waits:
            break
        missing = [part for part in missing if isinstance(found[part], TooSoon)]
        soon = [one for one in found.values() if isinstance(one, TooSoon)]
        if soon and reads.pause(soon, context.deadline) is not None:
            asked = context  # for what can be given in its place
    return {part: found[part] for part in parts}


def by_calls(
    run_ids: Sequence[str],
    begin: Callable[[Sequence[str]], Pending[T]],
    finish: Callable[[T], dict[str, U]],
    deadline: Deadline,
    *,
    at_once: int,
) -> dict[str, U]:
    """What is made of runs that are read by calls for ``A_CALL`` of them each, ``at_once`` under way at most.

    What a call has read is finished before as many others begin.
    """
    found: dict[str, U] = {}
    under_way: deque[Pending[T]] = deque()

    def end_one() -> None:
        with waiting():
            read = under_way.popleft()(deadline)
        found.update(finish(read))

    for start in range(0, len(run_ids), A_CALL):
        if len(under_way) == at_once:
            end_one()
        under_way.append(begin(run_ids[start : start + A_CALL]))
    while under_way:
        end_one()
    return found


class Room:
    """So many bytes, for any thread to take of."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = Lock()

    def take(self, size: int) -> bool:
        """Whether there was room."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True
