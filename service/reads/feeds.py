"""Watched runs: each is polled once per freshness interval, for all its watchers in this process.

A feed polls when the stored entry has become stale, and the leases of ``fetch`` let one process ask the runtime. Feeds
of other processes poll when the entry is announced as replaced (``caching.changes``), a moment later without an
announcement, or at once where announcements do not arrive at all.

Small runs that answer quickly are polled in batches, by one read on one thread, and batches and openings take turns:
every working thread competes with the server's loop for the interpreter's lock. A feed that takes longer than a turn
waits for a slow runtime, and then others go on beside it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial

from service.caching.changes import Changes
from service.caching.codec import ContentGone
from service.concurrency.background import in_background, settle
from service.concurrency.blocking import waiting
from service.concurrency.single_flight import Flight, SingleFlight, StillUnderWay
from service.domain.errors import (
    CursorExpired,
    Overloaded,
    RunNotFound,
    RuntimeTimeout,
    RuntimeTrouble,
    ServiceError,
)
from service.domain.events import Observed
from service.domain.freshness import Snapshot
from service.domain.metrics import MetricResource
from service.domain.runtime import CacheScope, RequestContext
from service.reads.batches import BATCH
from service.reads.feed import Feed, Watcher
from service.reads.queries import Queries
from service.reads.results import Read
from service.telemetry.prometheus import Telemetry

_AT_ONCE, _BATCHES_AT_ONCE = 8, 4
"""Polls at once: of single runs, and of batches where the runtime is slow."""
_SMALL, _QUICK, _BATCH_SECONDS = 64 * 1024, 0.5, 4.0
"""A run is polled in a batch up to so many bytes, and if its last poll took so many seconds at most; a batch has so
many seconds. Other runs are polled singly, with the whole time of a request."""
_STEP, _GATHER = 0.25, 0.02
"""Polls are due at multiples of so many seconds, and so many seconds after an announcement, so that batches form."""
_SOON, _LATER, _TROUBLED = 0.05, 0.3, 1.0
"""Seconds from an entry becoming stale to the next poll; the same where another process polls first; seconds after a
poll that found nothing fresh."""
TICK = 1.0
"""Seconds between two calls of ``Watcher.tick``."""
_BUSY_SECONDS = 5
_TURN = 0.05
"""Seconds of a turn, in which one feed is opened, or one batch polled."""
_Trouble = ServiceError | ContentGone
_log = logging.getLogger("service.reads")


class Feeds:
    """All feeds of a process, with ``most`` watchers at most. Thread-safe."""

    def __init__(self, queries: Queries, changes: Changes, most: int, telemetry: Telemetry) -> None:
        self._queries = queries
        self._changes = changes
        self._most = most
        self._telemetry = telemetry
        self._feeds: dict[tuple[CacheScope, str], Feed] = {}
        self._by_key: dict[str, set[Feed]] = {}
        self._polls: SingleFlight[_Trouble | None] = SingleFlight()
        self._changed = threading.Condition()
        self._single: ThreadPoolExecutor | None = None
        self._batches: ThreadPoolExecutor | None = None
        self._batch_turns: ThreadPoolExecutor | None = None
        self._ended = False
        self._count = 0
        changes.listen(self._replaced)

    def open(self, run_id: str, context: RequestContext) -> Feed:
        """A run's feed, polled once; ``close`` it after use. Raises what reading the run does, and ``Overloaded``.

        The calling thread keeps its slot for a turn, so that a crowd queues instead of taking a thread for each.
        """
        key = (context.cache_scope, run_id)
        with self._changed:
            if self._count >= self._most or self._ended:
                raise Overloaded("too many event streams are open; try again later", _BUSY_SECONDS)
            self._count += 1
            feed = self._feeds.get(key)
            if feed is None:
                feed = self._feeds[key] = Feed(run_id, context)
            feed.opened += 1
        try:
            flight = self._first_poll(feed, context)
            wait((flight.outcome,), min(_TURN, context.deadline.remaining()))  # keeping the thread's slot
            trouble = flight.result(context.deadline.remaining())
            if trouble is not None:
                raise trouble
        except StillUnderWay:
            self.close(feed)
            raise RuntimeTimeout from None
        except BaseException:
            self.close(feed)
            raise
        with self._changed:
            self._begin()
            self._changed.notify()
        return feed

    def close(self, feed: Feed, watcher: Watcher | None = None) -> None:
        """The counterpart of ``open``; ``watcher`` is unsubscribed."""
        with feed.lock:
            if watcher is not None:
                feed.watchers.discard(watcher)
        with self._changed:
            self._count -= 1
            feed.opened -= 1
            if not feed.opened:
                self._feeds.pop((feed.scope, feed.run_id), None)
                alike = self._by_key.get(feed.key, set())
                alike.discard(feed)
                if not alike:
                    self._by_key.pop(feed.key, None)

    def run_beside(self, step: Callable[[], None]) -> None:
        """Run ``step``, which may wait and raises nothing, on a thread of the polls."""
        with suppress(RuntimeError):  # it has been shut down
            if self._single is not None:
                self._single.submit(step)

    def stored(self, feed: Feed, snapshot: Snapshot, context: RequestContext) -> Observed | None:
        """A snapshot of the run, if it is still stored."""
        if snapshot == feed.now.snapshot:
            return feed.now
        with suppress(CursorExpired, ContentGone):
            read = self._queries.metric_resource(feed.run_id, context, snapshot)
            return Observed(read.content(), snapshot, read.status, may_change=read.may_change)
        return None

    def stop(self) -> None:
        """Stop polling, and all watchers."""
        with self._changed:
            self._ended = True
            self._changed.notify()
            feeds = list(self._feeds.values())
        for watcher in [watcher for feed in feeds for watcher in tuple(feed.watchers)]:
            watcher.stop()
        for pool in (self._single, self._batch_turns, self._batches):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)

    def _first_poll(self, feed: Feed, context: RequestContext) -> Flight[_Trouble | None]:
        """Poll on a thread of its own; several that open the feed at once share the poll."""

        def begin(feeds: tuple[Feed, ...]) -> Future[Mapping[Feed, _Trouble | None]]:
            return in_background(partial(self._read, feeds, context), "feed")

        try:
            return self._polls.join([feed], begin)[feed][0]
        except RuntimeError as error:
            raise Overloaded(
                "no thread can be started for another event stream; try again later", _BUSY_SECONDS
            ) from error

    def _poll(self, feeds: Sequence[Feed], context: RequestContext) -> dict[Feed, tuple[Flight[_Trouble | None], bool]]:
        """Poll the feeds that are not being polled: each one's flight, and whether another thread has begun it."""
        begun: list[tuple[Sequence[Feed], Future[Mapping[Feed, _Trouble | None]]]] = []

        def begin(some: tuple[Feed, ...]) -> Future[Mapping[Feed, _Trouble | None]]:
            begun.append((some, Future()))
            return begun[-1][1]

        flights = self._polls.join(feeds, begin)
        for some, outcome in begun:
            settle(outcome, partial(self._read, some, context))
        return flights

    def _read(self, feeds: Sequence[Feed], context: RequestContext) -> Mapping[Feed, _Trouble | None]:
        began = time.monotonic()
        replaced = {feed: feed.replaced for feed in feeds}
        for feed in feeds:
            feed.due, feed.batched = began + _TROUBLED, False
        found = self._queries.metric_resources([feed.run_id for feed in feeds], context)
        seconds = time.monotonic() - began
        return {feed: self._record(feed, found[feed.run_id], replaced[feed], seconds, context) for feed in feeds}

    def _record(
        self,
        feed: Feed,
        read: Read[MetricResource] | ServiceError,
        replaced: int,
        seconds: float,
        context: RequestContext,
    ) -> _Trouble | None:
        """Publish what was read, and schedule the next poll. Returns the error, if any."""
        if isinstance(read, ServiceError):
            return read
        try:
            read = self._published(feed, read, context)
        except (ServiceError, ContentGone) as error:
            return error
        by = read.provenance
        in_this_process = by.upstream is not None
        polls_first = (in_this_process and not by.shared) or not self._changes.living
        with self._changed:
            if feed.opened and not feed.key:
                feed.key = read.key
                self._by_key.setdefault(read.key, set()).add(feed)
            feed.batched = read.size <= _SMALL and seconds <= _QUICK
            if feed.replaced > replaced + in_this_process:  # beyond what this poll has stored itself
                feed.due = 0.0
            elif by.ttl > 0:
                due = time.monotonic() + by.ttl + (_SOON if polls_first else _LATER)
                step = min(_STEP, by.lifetime / 10)
                feed.due = math.ceil(due / step) * step
            else:
                feed.due = time.monotonic() + _TROUBLED
        return None

    def _published(self, feed: Feed, read: Read[MetricResource], context: RequestContext) -> Read[MetricResource]:
        """Publish ``read`` if it is new, reading again where its content has left the store; what was published."""
        if feed.shows(read):
            return read
        try:
            now = _observed(read)
        except ContentGone:
            read = self._queries.metric_resource(feed.run_id, context.no_cache())
            now = _observed(read)
        feed.publish(now)
        return read

    def _replaced(self, key: str) -> None:
        """Poll soon, if the entry is watched."""
        if key in self._by_key:
            with self._changed:
                for feed in self._by_key.get(key, ()):
                    feed.replaced += 1
                    feed.due = min(feed.due, time.monotonic() + _GATHER)
                self._changed.notify()

    def _begin(self) -> None:
        """Start the threads that poll; the lock is held."""
        if self._single is None:
            self._single = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="feeds-single")
            self._batches = ThreadPoolExecutor(_BATCHES_AT_ONCE, thread_name_prefix="feeds-batches")
            self._batch_turns = ThreadPoolExecutor(1, thread_name_prefix="feeds-turns")
            threading.Thread(target=self._run, name="feeds", daemon=True).start()

    def _run(self) -> None:
        next_tick = time.monotonic() + TICK
        while True:
            with self._changed:
                if self._ended:
                    return
                feeds = list(self._feeds.values())
                soonest = min((feed.due for feed in feeds if not feed.polling), default=next_tick)
                pause = min(soonest, next_tick) - time.monotonic() if feeds else None
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    if self._ended:
                        return
            now = time.monotonic()
            self._begin_polls([feed for feed in feeds if feed.due <= now and not feed.polling])
            if now >= next_tick:
                next_tick = now + TICK
                for feed in feeds:
                    for watcher in tuple(feed.watchers):
                        watcher.tick(now)

    def _begin_polls(self, due: Sequence[Feed]) -> None:
        """Poll the feeds that are due, in batches by scope where they may be."""
        batches: defaultdict[CacheScope, list[Feed]] = defaultdict(list)
        for feed in due:
            feed.polling = True
            if feed.batched:
                batches[feed.scope].append(feed)
            else:
                self._submit(self._single, self._poll_again, [feed])
        for feeds in batches.values():
            for start in range(0, len(feeds), BATCH):
                self._submit(self._batch_turns, self._poll_in_turn, feeds[start : start + BATCH])

    def _submit(
        self, pool: ThreadPoolExecutor | None, poll: Callable[[Sequence[Feed]], None], feeds: Sequence[Feed]
    ) -> Future[None] | None:
        with suppress(RuntimeError):  # it has been shut down
            return None if pool is None else pool.submit(poll, feeds)
        return None

    def _poll_in_turn(self, feeds: Sequence[Feed]) -> None:
        poll = self._submit(self._batches, self._poll_again, feeds)
        if poll is not None:
            with waiting():
                wait((poll,), _TURN)

    def _poll_again(self, feeds: Sequence[Feed]) -> None:
        context = feeds[0].context()
        if len(feeds) > 1:
            context = context.by(context.deadline.sooner(_BATCH_SECONDS))
        try:
            with self._telemetry.unasked("poll watched runs"):
                flights = self._poll(feeds, context)
            for feed, (flight, joined) in flights.items():
                if not joined:
                    _report(feed, flight.result(timeout=0))
        except Exception:  # noqa: BLE001 - it is in the log with its stack
            if not self._ended:  # otherwise its runtimes and store have been closed
                _log.exception("unexpected error while polling watched runs", extra={"event": "feeds"})
        finally:
            for feed in feeds:
                feed.polling = False
            with self._changed:
                self._changed.notify()


def _report(feed: Feed, trouble: _Trouble | None) -> None:
    """Report a lasting error to the watchers; after any other, the next poll may succeed."""
    if trouble is None or isinstance(trouble, (RuntimeTrouble, Overloaded, ContentGone)):
        return
    for watcher in tuple(feed.watchers):
        if isinstance(trouble, RunNotFound):
            watcher.gone()
        else:
            watcher.forbidden()


def _observed(read: Read[MetricResource]) -> Observed:
    return Observed(read.content(), read.snapshot, read.status, may_change=read.may_change)
