"""Watched runs: each is polled once per freshness interval, for all its watchers in this process.

A feed polls when the stored entry has become stale, and the leases of ``fetch`` let one process ask the runtime. Feeds
of other processes poll when the entry is announced as replaced (``caching.changes``), a moment later without an
announcement, or at once where announcements do not arrive at all.

Small runs that answer quickly are polled in batches, by one read on one thread. A batch that is not full waits a moment
for others of its scope; they are due together from then on. Batches and openings (``openings``) take turns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from service.caching.changes import Changes
from service.caching.codec import ContentGone
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import (
    Overloaded,
    RunNotFound,
    RuntimeTimeout,
    RuntimeTrouble,
)
from service.domain.events import Observed
from service.domain.freshness import Snapshot
from service.domain.metrics import MetricResource
from service.domain.runtime import CacheScope, RequestContext
from service.reads.batches import BATCH
from service.reads.feed import Feed, Watcher
from service.reads.openings import BATCH_SECONDS, Openings
from service.reads.polls import BUSY_SECONDS, Polled, Polls, Trouble, busy
from service.reads.queries import Queries
from service.reads.results import Read
from service.reads.turns import TURN, Turns, submitted
from service.telemetry.prometheus import Telemetry

_AT_ONCE, _BATCHES_AT_ONCE = 8, 4
"""Polls at once: of single runs, and of batches where the runtime is slow."""
_SMALL, _QUICK = 64 * 1024, 0.5
"""A run is polled in a batch up to so many bytes, and if its last poll took so many seconds at most."""
_MOST_OPENING = 4 * BATCH
"""Openings that wait without their threads' slots, so that others join them; further ones keep them for a turn."""
_FILLS, _GATHER = 0.5, 0.02
"""Seconds that a batch which is not full waits for others, and seconds from an announcement to its poll, so that
batches form. The first are a tenth of the lifetime at most."""
_SOON, _LATER, _TROUBLED = 0.05, 0.3, 1.0
"""Seconds from an entry becoming stale to the next poll; the same where another process polls first; seconds after a
poll that found nothing fresh."""
TICK = 1.0
"""Seconds between two calls of ``Watcher.tick``."""
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
        self._polls = Polls(queries, self._published)
        self._under_way: SingleFlight[Trouble | None] = SingleFlight()
        self._changed = threading.Condition()
        self._opening = threading.Semaphore(_MOST_OPENING)
        self._single = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="feeds-single")
        self._batches = ThreadPoolExecutor(_BATCHES_AT_ONCE, thread_name_prefix="feeds-batches")
        self._turns = Turns()
        self._openings = Openings(self._poll, self._turns)
        self._polling = False
        self._ended = False
        self._count = 0
        changes.listen(self._replaced)

    def open(self, run_id: str, context: RequestContext) -> Feed:
        """A run's feed, polled once; ``close`` it after use. Raises what reading the run does, and ``Overloaded``.

        A feed that has been polled already is not polled again while its entry is the same, and fresh.
        """
        context = replace(context, watched=True)
        key = (context.cache_scope, run_id)
        with self._changed:
            if self._count >= self._most or self._ended:
                raise Overloaded("too many event streams are open; try again later", BUSY_SECONDS)
            self._count += 1
            feed = self._feeds.get(key)
            if feed is None:
                feed = self._feeds[key] = Feed(run_id, context)
            feed.opened += 1
        try:
            if not self._is_current(feed, context):
                trouble = self._first_poll(feed, context)
                if trouble is not None:
                    raise trouble
        except StillUnderWay:
            self.close(feed)
            raise (busy() if feed.is_read else RuntimeTimeout()) from None
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
        submitted(self._single, step)

    def stored(self, feed: Feed, snapshot: Snapshot, context: RequestContext) -> Observed | None:
        """A snapshot of the run, if it is still stored. Raises ``Overloaded``."""
        return self._polls.stored(feed, snapshot, context)

    def stop(self) -> None:
        """Stop polling, and all watchers."""
        with self._changed:
            self._ended = True
            self._changed.notify()
            feeds = list(self._feeds.values())
        for watcher in [watcher for feed in feeds for watcher in tuple(feed.watchers)]:
            watcher.stop()
        self._turns.stop()
        self._openings.stop()
        self._polls.stop()
        for pool in (self._single, self._batches):
            pool.shutdown(wait=False, cancel_futures=True)

    def _is_current(self, feed: Feed, context: RequestContext) -> bool:
        """Whether what was published last is the stored entry, and fresh enough for this request."""
        if not feed.is_polled or not context.cache_policy.directives.is_silent:
            return False
        return self._queries.fresh_entry(feed.scope.connection, feed.key, feed.now.snapshot.digest) is not None

    def _first_poll(self, feed: Feed, context: RequestContext) -> Trouble | None:
        """Poll a feed that is being opened, together with others; several that open the same one share the poll."""
        try:
            flight = self._under_way.join([feed], lambda _: self._openings.begin(feed, context))[feed][0]
        except RuntimeError as error:
            raise Overloaded(
                "no thread can be started for another event stream; try again later", BUSY_SECONDS
            ) from error
        released = self._opening.acquire(blocking=False)
        try:
            if not released:
                wait((flight.outcome,), min(TURN, context.deadline.remaining()))  # keeping the thread's slot
            return flight.result(context.deadline.remaining())
        finally:
            if released:
                self._opening.release()

    def _poll(self, outcomes: Mapping[Feed, Future[Polled]], context: RequestContext) -> None:
        """Poll feeds, which are due again soon where nothing fresh is found."""
        for feed in outcomes:
            feed.poll_at(time.monotonic() + _TROUBLED)
            feed.batched = False
        self._polls.begin(outcomes, context)

    def _published(self, feed: Feed, read: Read[MetricResource], replaced: int, seconds: float) -> None:
        """Schedule the next poll of a feed. ``replaced``, ``seconds``: see ``Polls``."""
        by = read.provenance
        in_this_process = by.upstream is not None
        polls_first = (in_this_process and not by.shared) or not self._changes.living
        with self._changed:
            if feed.opened and not feed.key:
                feed.key = read.key
                self._by_key.setdefault(read.key, set()).add(feed)
            feed.batched = read.size <= _SMALL and seconds <= _QUICK
            if feed.replaced > replaced + in_this_process:  # beyond what this poll has stored itself
                feed.poll_at(0.0)
            elif by.ttl > 0:
                due = time.monotonic() + by.ttl + (_SOON if polls_first else _LATER)
                feed.poll_at(due, due + min(_FILLS, by.lifetime / 10))
            else:
                feed.poll_at(time.monotonic() + _TROUBLED)

    def _replaced(self, key: str) -> None:
        """Poll soon, if the entry is watched."""
        if key in self._by_key:
            with self._changed:
                feeds = self._by_key.get(key, ())
                for feed in feeds:
                    feed.replaced += 1
                    feed.poll_at(min(feed.due, time.monotonic() + _GATHER))
                if not all(feed.polling for feed in feeds):
                    self._changed.notify()

    def _begin(self) -> None:
        """Start the thread that polls; the lock is held."""
        if not self._polling:
            self._polling = True
            threading.Thread(target=self._run, name="feeds", daemon=True).start()

    def _run(self) -> None:
        next_tick = time.monotonic() + TICK
        while True:
            with self._changed:
                if self._ended:
                    return
                feeds = list(self._feeds.values())
                now = time.monotonic()
                soonest = min((feed.next_look(now) for feed in feeds if not feed.polling), default=next_tick)
                pause = min(soonest, next_tick) - now if feeds else None
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    if self._ended:
                        return
            now = time.monotonic()
            self._begin_polls([feed for feed in feeds if not feed.polling], now)
            if now >= next_tick:
                next_tick = now + TICK
                for feed in feeds:
                    for watcher in tuple(feed.watchers):
                        watcher.tick(now)

    def _begin_polls(self, feeds: Sequence[Feed], now: float) -> None:
        """Poll the feeds that are due, in batches by scope where they may be."""
        batches: defaultdict[CacheScope, list[Feed]] = defaultdict(list)
        for feed in feeds:
            if feed.batched:
                batches[feed.scope].append(feed)
            elif feed.due <= now:
                feed.polling = True
                submitted(self._single, partial(self._poll_again, [feed]))
        for alike in batches.values():
            for batch in ready_batches(alike, now):
                for feed in batch:
                    feed.polling = True
                with suppress(RuntimeError):  # stopped
                    self._turns.take(self._batches, partial(self._poll_again, batch))

    def _poll_again(self, feeds: Sequence[Feed]) -> None:
        """Poll the feeds that no other thread polls, and report lasting errors to their watchers."""
        context = feeds[0].context()
        if len(feeds) > 1:
            context = context.by(context.deadline.sooner(BATCH_SECONDS))
        outcomes: dict[Feed, Future[Polled]] = {}

        def begin(one: tuple[Feed, ...]) -> Future[Polled]:
            return outcomes.setdefault(one[0], Future())

        for feed in feeds:
            flight, joined = self._under_way.join([feed], begin)[feed]
            flight.outcome.add_done_callback(partial(self._polled, feed, joined))
        if outcomes:
            with self._telemetry.unasked("poll watched runs"):
                self._poll(outcomes, context)

    def _polled(self, feed: Feed, joined: bool, outcome: Future[Trouble | None]) -> None:
        """The feed may be polled again. A poll that was joined is reported by whoever began it."""
        error = outcome.exception(timeout=0)
        if error is None and not joined:
            _report(feed, outcome.result(timeout=0))
        elif error is not None and not self._ended:  # otherwise its runtimes and store have been closed
            _log.error("unexpected error while polling a watched run", exc_info=error, extra={"event": "feeds"})
        feed.polling = False
        with self._changed:
            self._changed.notify()


def ready_batches(feeds: Sequence[Feed], now: float) -> Iterator[Sequence[Feed]]:
    """Batches of the feeds that are due. One that is not full comes only once a feed of it is overdue, or no other will
    be due before that."""
    due = sorted((feed for feed in feeds if feed.due <= now), key=lambda feed: feed.overdue)
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        until = batch[0].overdue
        if len(batch) == BATCH or until <= now or not any(now < feed.due <= until for feed in feeds):
            yield batch


def _report(feed: Feed, trouble: Trouble | None) -> None:
    """Report a lasting error to the watchers; after any other, the next poll may succeed."""
    if trouble is None or isinstance(trouble, (RuntimeTrouble, Overloaded, ContentGone)):
        return
    for watcher in tuple(feed.watchers):
        if isinstance(trouble, RunNotFound):
            watcher.gone()
        else:
            watcher.forbidden()
