"""Reads of many runs: in batches side by side, in bounded memory, with one wait for all that are paced."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from msgspec.structs import replace

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.domain.errors import ServiceError, TooSoon
from service.domain.runtime import RequestContext
from service.reads.shared_fetches import SharedFetches

K = TypeVar("K")
T = TypeVar("T")
U = TypeVar("U")

BATCH = 10
"""Runs of a batch, whose metrics are read by one upstream call."""


def paced(
    parts: Sequence[K],
    read: Callable[[Sequence[K], RequestContext], Mapping[K, T | ServiceError]],
    context: RequestContext,
    fetches: SharedFetches,
) -> dict[K, T | ServiceError]:
    """Read several parts; the results in their order.

    Where refreshes are forced too soon, this waits once for all parts, instead of on the threads that read them.
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
        if soon and fetches.pause(soon, context.deadline) is not None:
            asked = context  # for what can be served instead
    return {part: found[part] for part in parts}


def in_batches(
    run_ids: Sequence[str],
    begin: Callable[[Sequence[str]], Pending[T]],
    finish: Callable[[T], dict[str, U]],
    deadline: Deadline,
    *,
    at_once: int,
) -> dict[str, U]:
    """Read runs in batches of ``BATCH``, of which at most ``at_once`` are in progress.

    ``finish`` is called with the result of a batch before the next one begins.
    """
    found: dict[str, U] = {}
    under_way: deque[Pending[T]] = deque()

    def end_one() -> None:
        with waiting():
            read = under_way.popleft().outcome(deadline)
        found.update(finish(read))

    for start in range(0, len(run_ids), BATCH):
        if len(under_way) == at_once:
            end_one()
        under_way.append(begin(run_ids[start : start + BATCH]))
    while under_way:
        end_one()
    return found


class ByteBudget:
    """A budget of bytes. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = Lock()

    def take(self, size: int) -> bool:
        """Take ``size`` bytes, if there are so many left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True
