"""Runs that are watched: each read once per freshness interval, for all who watch it in this process.

A feed looks again when what is stored has become stale, and the leases of ``fetch`` let one process ask the runtime.
Feeds of other processes look when they hear that it has replaced what is stored (``caching.changes``), and by
themselves a moment later, or at once where announcements do not come.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from service.caching.changes import Changes
from service.caching.codec import ContentGone
from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Memo, SingleFlight, StillUnderWay
from service.domain.errors import (
    CursorExpired,
    Overloaded,
    RunNotFound,
    RuntimeTimeout,
    RuntimeTrouble,
    ServiceError,
)
from service.domain.events import Event, Observed
from service.domain.freshness import RequestCachePolicy, RequestDirectives, Snapshot
from service.domain.metrics import MetricResource
from service.domain.runtime import CacheScope, RequestContext
from service.reads.queries import Queries
from service.reads.results import Read
from service.telemetry.metrics import Telemetry

_AT_ONCE = 8
"""Runs looked at at once."""
_FRESH = RequestDirectives(min_fresh=0)
_SOON, _LATER, _TROUBLED = 0.05, 0.3, 1.0
"""Seconds to the next look after what is stored has become stale; where another process is to look first; after a look
that found nothing fresh."""
ROUND = 1.0
"""Seconds between two looks at the watchers themselves."""
_MOST_BYTES = 1024 * 1024
"""Bytes of points pushed at once: who is behind by more reads on from its position, at its own pace."""
_BUSY_SECONDS = 5
_log = logging.getLogger("service.reads")


@dataclass(frozen=True, slots=True)
class Happened:
    """What has come to a run, to be given to all who watch it. ``written`` keeps what is made of it, by form."""

    events: Sequence[Event]
    now: Observed
    written: dict[object, bytes]


class Watcher(Protocol):
    """Who watches a run. No method waits or raises."""

    def happened(self, what: Happened) -> None: ...

    def fell_behind(self) -> None:
        """More has come than is pushed: end, and let the reader come back."""
        ...

    def forbidden(self) -> None:
        """The runtime does not let this caller read the run any more."""
        ...

    def gone(self) -> None:
        """There is no such run any more."""
        ...

    def look_round(self, now: float) -> None:
        """Do what is due, at that moment of the monotonic clock; called every second or so."""
        ...

    def stop(self) -> None:
        """The process ends."""
        ...


class Feed:
    """A run as it was last looked at, and who watches it. Looks at it are in the name of the request that opened it."""

    def __init__(self, run_id: str, context: RequestContext) -> None:
        self.run_id = run_id
        self.scope = context.cache_scope
        self._context = context
        self._seconds = context.deadline.remaining()
        self.watchers: set[Watcher] = set()
        self.opened = 0
        """How many have opened it and not closed it yet; some of them only begin to watch."""
        self.key = ""
        """Of what is stored of it."""
        self.due = 0.0
        self.looking = False
        self.replaced = False
        """Whether what is stored was replaced since the last look began."""
        self.lock = threading.Lock()
        self._now: Observed | None = None

    def context(self) -> RequestContext:
        """Of another look, with the time that the first one had."""
        return replace(
            self._context,
            deadline=Deadline.after(self._seconds),
            cache_policy=RequestCachePolicy(_FRESH),
            asked=Memo(),
        )

    @property
    def now(self) -> Observed:
        assert self._now is not None  # noqa: S101 - a feed is given away once it has been looked at
        return self._now

    def watch(self, watcher: Watcher, seen: Observed) -> bool:
        """Have ``watcher`` know of all that comes after ``seen``; false where something has come already."""
        with self.lock:
            if self._now is seen:
                self.watchers.add(watcher)
                return True
        return False

    def see(self, now: Observed) -> None:
        """Give what has come to all who watch."""
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
        what = Happened(events, now, {})
        for watcher in watchers:
            watcher.happened(what)

    def is_of(self, read: Read[MetricResource]) -> bool:
        """Whether ``read`` is what was seen last."""
        now = self._now
        return now is not None and (now.snapshot, now.status, now.may_change) == (
            read.snapshot,
            read.status,
            read.may_change,
        )


class Feeds:
    """All feeds of a process; ``most`` may watch at once. Safe from any thread."""

    def __init__(self, queries: Queries, changes: Changes, most: int, telemetry: Telemetry) -> None:
        self._queries = queries
        self._changes = changes
        self._most = most
        self._telemetry = telemetry
        self._feeds: dict[tuple[CacheScope, str], Feed] = {}
        self._by_key: dict[str, set[Feed]] = {}
        self._looks: SingleFlight[None] = SingleFlight()
        self._changed = threading.Condition()
        self._pool: ThreadPoolExecutor | None = None
        self._ended = False
        self._count = 0
        changes.listen(self._replaced)

    def open(self, run_id: str, context: RequestContext) -> Feed:
        """A run's feed, looked at now; ``close`` it again. Raises what reading the run does, and ``Overloaded``."""
        key = (context.cache_scope, run_id)
        with self._changed:
            if self._count >= self._most or self._ended:
                raise Overloaded("as many event streams are open here as may be; try again later", _BUSY_SECONDS)
            self._count += 1
            feed = self._feeds.get(key)
            if feed is None:
                feed = self._feeds[key] = Feed(run_id, context)
            feed.opened += 1
        try:
            self._look(feed, context)
        except BaseException:
            self.close(feed)
            raise
        with self._changed:
            self._begin()
            self._changed.notify()
        return feed

    def close(self, feed: Feed, watcher: Watcher | None = None) -> None:
        """Whoever opened it watches no more."""
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

    def stored(self, feed: Feed, snapshot: Snapshot, context: RequestContext) -> Observed | None:
        """A snapshot of the run, if it is still stored."""
        if snapshot == feed.now.snapshot:
            return feed.now
        with suppress(CursorExpired, ContentGone):
            read = self._queries.metric_resource(feed.run_id, context, snapshot)
            return Observed(read.content(), snapshot, read.status, may_change=read.may_change)
        return None

    def stop(self) -> None:
        """End with a word to all who watch."""
        with self._changed:
            self._ended = True
            self._changed.notify()
            feeds = list(self._feeds.values())
        for watcher in [watcher for feed in feeds for watcher in tuple(feed.watchers)]:
            watcher.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, feed: Feed, context: RequestContext) -> None:
        """See what there is now; those who look at once look together."""
        try:
            self._looks.do(feed, lambda: self._see(feed, context), context.deadline.remaining())
        except StillUnderWay:
            raise RuntimeTimeout from None

    def _see(self, feed: Feed, context: RequestContext) -> None:
        feed.replaced = False
        feed.due = time.monotonic() + _TROUBLED
        read = self._queries.metric_resource(feed.run_id, context)
        if not feed.is_of(read):
            try:
                now = _observed(read)
            except ContentGone:
                read = self._queries.metric_resource(feed.run_id, context.anew())
                now = _observed(read)
            feed.see(now)
        ttl, fetched_here = read.provenance.ttl, read.provenance.upstream is not None and not read.provenance.shared
        pause = _SOON if fetched_here or not self._changes.living else _LATER
        with self._changed:
            if feed.opened and not feed.key:
                feed.key = read.key
                self._by_key.setdefault(read.key, set()).add(feed)
            feed.due = 0.0 if feed.replaced else time.monotonic() + (ttl + pause if ttl > 0 else _TROUBLED)

    def _replaced(self, key: str) -> None:
        """Look at once, if that is watched."""
        if key in self._by_key:
            with self._changed:
                for feed in self._by_key.get(key, ()):
                    feed.replaced, feed.due = True, 0.0
                self._changed.notify()

    def _begin(self) -> None:
        """Begin to look by itself; the lock is held."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="feeds")
            threading.Thread(target=self._run, name="feeds", daemon=True).start()

    def _run(self) -> None:
        next_round = time.monotonic() + ROUND
        while True:
            with self._changed:
                if self._ended:
                    return
                feeds = list(self._feeds.values())
                soonest = min((feed.due for feed in feeds if not feed.looking), default=next_round)
                pause = min(soonest, next_round) - time.monotonic() if feeds else None
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    if self._ended:
                        return
            now = time.monotonic()
            for feed in feeds:
                if feed.due <= now and not feed.looking:
                    self._begin_look(feed)
            if now >= next_round:
                next_round = now + ROUND
                for feed in feeds:
                    for watcher in tuple(feed.watchers):
                        watcher.look_round(now)

    def _begin_look(self, feed: Feed) -> None:
        pool = self._pool
        feed.looking = True
        with suppress(RuntimeError):  # it has been shut down
            if pool is not None:
                pool.submit(self._look_again, feed)

    def _look_again(self, feed: Feed) -> None:
        try:
            with self._telemetry.unasked("look at a watched run"):
                self._look(feed, feed.context())
        except (RuntimeTrouble, Overloaded, ContentGone):
            pass  # the next look may find more; until then nothing is said
        except RunNotFound:
            _tell(feed, lambda watcher: watcher.gone())
        except ServiceError:
            _tell(feed, lambda watcher: watcher.forbidden())
        except Exception:  # noqa: BLE001 - it is in the log with its stack
            if not self._ended:  # else what it reads with has been closed
                _log.exception("unexpected error while a followed run was read", extra={"event": "feeds"})
        finally:
            feed.looking = False
            with self._changed:
                self._changed.notify()


def _observed(read: Read[MetricResource]) -> Observed:
    return Observed(read.content(), read.snapshot, read.status, may_change=read.may_change)


def _tell(feed: Feed, what: Callable[[Watcher], None]) -> None:
    for watcher in tuple(feed.watchers):
        what(watcher)


def _bounded(events: Iterator[Event]) -> list[Event] | None:
    """The events; ``None`` where they are more than is pushed at once."""
    held: list[Event] = []
    size = 0
    for event in events:
        size += len(event.text) + (len(event.points.text) if event.points is not None else 0)
        if size > _MOST_BYTES:
            return None
        held.append(event)
    return held
