"""A watched run and its watchers, to whom the updates are sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Memo
from service.domain.events import Event, Observed
from service.domain.freshness import RequestCachePolicy, RequestDirectives
from service.domain.metrics import MetricResource
from service.domain.runtime import RequestContext
from service.reads.results import Read

_FRESH = RequestDirectives(min_fresh=0)
_MOST_BYTES = 1024 * 1024
"""Bytes of an update that is pushed; clients that are further behind reconnect and read at their own pace."""


class Update(msgspec.Struct, frozen=True):
    """What is new in a run, for all its watchers. ``written`` keeps its text by ``Writer.form``."""

    events: Sequence[Event]
    now: Observed
    written: dict[object, bytes]


class Watcher(Protocol):
    """A subscriber to a run's updates. No method waits or raises."""

    def updated(self, update: Update) -> None: ...

    def fell_behind(self) -> None:
        """The update is too large to be pushed: the client has to reconnect."""
        ...

    def forbidden(self) -> None:
        """The runtime no longer lets this caller read the run."""
        ...

    def gone(self) -> None:
        """The run no longer exists."""
        ...

    def tick(self, now: float) -> None:
        """Called every second or so, with the time of the monotonic clock."""
        ...

    def stop(self) -> None:
        """The process is stopping."""
        ...


class Feed:
    """A run as of its last poll, and its watchers. It is polled in the context of the request that opened it."""

    def __init__(self, run_id: str, context: RequestContext) -> None:
        self.run_id = run_id
        self.scope = context.cache_scope
        self._context = context
        self._seconds = context.deadline.remaining()
        self.watchers: set[Watcher] = set()
        self.opened = 0
        """How many have opened and not closed it, including those that do not watch yet."""
        self.key = ""
        """The key of its stored entry."""
        self.due = self.overdue = 0.0
        """When it may be polled (monotonic clock), and until when a batch with it may wait for others."""
        self.polling = False
        self.batched = False
        """Whether it is polled in a batch."""
        self.replaced = 0
        """How often the stored entry was replaced, as far as this process knows."""
        self.is_read = False
        """Whether its run was read by its last poll; a large one may have to wait until it is indexed."""
        self.earlier: Observed | None = None
        """The earlier snapshot from which a client resumed last."""
        self.lock = threading.Lock()
        self._now: Observed | None = None

    def context(self) -> RequestContext:
        """The context of another poll, with the time that the first one had."""
        return replace(
            self._context,
            deadline=Deadline.after(self._seconds),
            cache_policy=RequestCachePolicy(_FRESH),
            asked=Memo(),
        )

    def poll_at(self, due: float, overdue: float | None = None) -> None:
        """Schedule the next poll; without ``overdue``, its batch does not wait for others."""
        self.due, self.overdue = due, due if overdue is None else overdue

    def next_look(self, now: float) -> float:
        """When it may have to be polled: where it is due, it waits for others."""
        return self.due if self.due > now else self.overdue

    @property
    def is_polled(self) -> bool:
        """Whether it was ever polled."""
        return self._now is not None

    @property
    def now(self) -> Observed:
        assert self._now is not None  # noqa: S101 - ``open`` returns a feed after its first poll
        return self._now

    def watch(self, watcher: Watcher, seen: Observed) -> bool:
        """Subscribe ``watcher`` to updates after ``seen``; false where there has been one already."""
        with self.lock:
            if self._now is seen:
                self.watchers.add(watcher)
                return True
        return False

    def publish(self, now: Observed) -> None:
        """Send all watchers what is new."""
        with self.lock:
            before, self._now = self._now, now
            watchers = tuple(self.watchers)
        if before is None or not watchers:
            return
        events = _bounded(now.changes(before))
        if events is None:
            for watcher in watchers:
                watcher.fell_behind()
            return
        update = Update(events, now, {})
        for watcher in watchers:
            watcher.updated(update)

    def shows(self, read: Read[MetricResource]) -> bool:
        """Whether ``read`` is what was published last."""
        now = self._now
        return now is not None and (now.snapshot, now.status, now.may_change) == (
            read.snapshot,
            read.status,
            read.may_change,
        )


def _bounded(events: Iterator[Event]) -> list[Event] | None:
    """The events; ``None`` where they are too large to be pushed."""
    held: list[Event] = []
    size = 0
    for event in events:
        size += len(event.text) + (len(event.points.text) if event.points is not None else 0)
        if size > _MOST_BYTES:
            return None
        held.append(event)
    return held
