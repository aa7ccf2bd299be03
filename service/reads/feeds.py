"""Runs that are watched: each read once per freshness interval, for all who watch it in this process.

A feed looks again when what is stored has become stale, and the leases of ``fetch`` let one process ask the runtime.
Feeds of other processes look when they hear that it has replaced what is stored (``caching.changes``), and by
themselves a moment later, or at once where announcements do not come.

Small runs that are answered soon are looked at together, by one read on one thread: each thread that works takes turns
at the interpreter's lock with the server's loop.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from service.caching.changes import Changes
from service.caching.codec import ContentGone
from service.concurrency.background import in_background, settle
from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Flight, Memo, SingleFlight, StillUnderWay
from service.concurrency.weighted_gate import GateFull, WeightedGate
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
from service.reads.batches import A_CALL
from service.reads.queries import Queries
from service.reads.results import Read
from service.telemetry.prometheus import Telemetry

_AT_ONCE, _TOGETHER_AT_ONCE = 8, 2
"""Looks under way at once: at one run each, and at several together."""
_SMALL, _QUICK, _TOGETHER_SECONDS = 64 * 1024, 0.5, 4.0
"""Bytes of a run that may be looked at together with others; seconds that its last look took at most; and seconds that
all of them have. What takes longer is looked at alone, with all the time that a request has."""
_STEP, _GATHER = 0.25, 0.02
"""Seconds between two moments for looks at most, and after an announcement: what is due meanwhile goes together."""
_FRESH = RequestDirectives(min_fresh=0)
_SOON, _LATER, _TROUBLED = 0.05, 0.3, 1.0
"""Seconds to the next look after what is stored has become stale; where another process is to look first; after a look
that found nothing fresh."""
ROUND = 1.0
"""Seconds between two looks at the watchers themselves."""
_MOST_BYTES = 1024 * 1024
"""Bytes of points pushed at once: who is behind by more reads on from its position, at its own pace."""
_BUSY_SECONDS = 5
_OPENED_AT_ONCE, _MOST_TURNS = 4, 256
"""Feeds opened at once, so that a crowd leaves the interpreter to others; and how many wait for their turn."""
_LONGEST_HELD, _LONGEST_TURN = 0.25, 2.0
"""Seconds that one counts as being opened, for who takes longer waits for a slow runtime; and that one waits for
its turn."""
_Trouble = ServiceError | ContentGone
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
        self.goes_together = False
        """Whether it may be looked at together with others."""
        self.replaced = 0
        """How often what is stored was replaced, as far as this process knows."""
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
        self._looks: SingleFlight[_Trouble | None] = SingleFlight()
        self._turns = WeightedGate(_OPENED_AT_ONCE, free=0, most_waiting=_MOST_TURNS)
        self._changed = threading.Condition()
        self._alone: ThreadPoolExecutor | None = None
        self._together: ThreadPoolExecutor | None = None
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
            with self._turn():
                flight = self._first_look(feed, context)
                flight.wait(min(_LONGEST_HELD, context.deadline.remaining()))
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

    def aside(self, step: Callable[[], None]) -> None:
        """Have ``step``, which may wait and raises nothing, done beside the looks."""
        with suppress(RuntimeError):  # it has been shut down
            if self._alone is not None:
                self._alone.submit(step)

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
        for pool in (self._alone, self._together):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Within it, one of a few feeds is opened."""
        with ExitStack() as stack:
            with suppress(GateFull, TimeoutError):
                stack.enter_context(self._turns.admitted(1, _LONGEST_TURN))
            yield

    def _first_look(self, feed: Feed, context: RequestContext) -> Flight[_Trouble | None]:
        """See what there is now, on a thread of its own; those who open it at once look together."""

        def begin(feeds: tuple[Feed, ...]) -> Future[Mapping[Feed, _Trouble | None]]:
            return in_background(partial(self._see, feeds, context), "feed")

        try:
            return self._looks.join([feed], begin)[feed][0]
        except RuntimeError as error:
            raise Overloaded("no thread is to be had for another event stream", _BUSY_SECONDS) from error

    def _look(self, feeds: Sequence[Feed], context: RequestContext) -> dict[Feed, tuple[Flight[_Trouble | None], bool]]:
        """See what there is now, but where others do so already: the flight of each feed, and whether it is theirs."""
        begun: list[tuple[Sequence[Feed], Future[Mapping[Feed, _Trouble | None]]]] = []

        def begin(some: tuple[Feed, ...]) -> Future[Mapping[Feed, _Trouble | None]]:
            begun.append((some, Future()))
            return begun[-1][1]

        flights = self._looks.join(feeds, begin)
        for some, outcome in begun:
            settle(outcome, partial(self._see, some, context))
        return flights

    def _see(self, feeds: Sequence[Feed], context: RequestContext) -> Mapping[Feed, _Trouble | None]:
        began = time.monotonic()
        replaced = {feed: feed.replaced for feed in feeds}
        for feed in feeds:
            feed.due, feed.goes_together = began + _TROUBLED, False
        found = self._queries.metric_resources([feed.run_id for feed in feeds], context)
        seconds = time.monotonic() - began
        return {feed: self._saw(feed, found[feed.run_id], replaced[feed], seconds, context) for feed in feeds}

    def _saw(
        self,
        feed: Feed,
        read: Read[MetricResource] | ServiceError,
        replaced: int,
        seconds: float,
        context: RequestContext,
    ) -> _Trouble | None:
        """Give what was read to all who watch, and say when to look again; what is the matter, if anything."""
        if isinstance(read, ServiceError):
            return read
        try:
            read = self._shown(feed, read, context)
        except (ServiceError, ContentGone) as error:
            return error
        by = read.provenance
        in_this_process = by.upstream is not None
        first_to_look = (in_this_process and not by.shared) or not self._changes.living
        with self._changed:
            if feed.opened and not feed.key:
                feed.key = read.key
                self._by_key.setdefault(read.key, set()).add(feed)
            feed.goes_together = read.size <= _SMALL and seconds <= _QUICK
            if feed.replaced > replaced + in_this_process:  # what this look has stored itself is what it has seen
                feed.due = 0.0
            elif by.ttl > 0:
                due = time.monotonic() + by.ttl + (_SOON if first_to_look else _LATER)
                step = min(_STEP, by.lifetime / 10)
                feed.due = math.ceil(due / step) * step
            else:
                feed.due = time.monotonic() + _TROUBLED
        return None

    def _shown(self, feed: Feed, read: Read[MetricResource], context: RequestContext) -> Read[MetricResource]:
        """Give what was read to all who watch; what that was, where it had to be read once more."""
        if feed.is_of(read):
            return read
        try:
            now = _observed(read)
        except ContentGone:
            read = self._queries.metric_resource(feed.run_id, context.anew())
            now = _observed(read)
        feed.see(now)
        return read

    def _replaced(self, key: str) -> None:
        """Look at once, if that is watched."""
        if key in self._by_key:
            with self._changed:
                for feed in self._by_key.get(key, ()):
                    feed.replaced += 1
                    feed.due = min(feed.due, time.monotonic() + _GATHER)
                self._changed.notify()

    def _begin(self) -> None:
        """Begin to look by itself; the lock is held."""
        if self._alone is None:
            self._alone = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="feeds-alone")
            self._together = ThreadPoolExecutor(_TOGETHER_AT_ONCE, thread_name_prefix="feeds-together")
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
            self._begin_looks([feed for feed in feeds if feed.due <= now and not feed.looking])
            if now >= next_round:
                next_round = now + ROUND
                for feed in feeds:
                    for watcher in tuple(feed.watchers):
                        watcher.look_round(now)

    def _begin_looks(self, due: Sequence[Feed]) -> None:
        """At runs of one scope together, where that may be."""
        together: defaultdict[CacheScope, list[Feed]] = defaultdict(list)
        for feed in due:
            feed.looking = True
            if feed.goes_together:
                together[feed.scope].append(feed)
            else:
                self._begin_look(self._alone, [feed], feed.context())
        for feeds in together.values():
            for start in range(0, len(feeds), A_CALL):
                some = feeds[start : start + A_CALL]
                context = some[0].context()
                if len(some) > 1:
                    context = context.by(context.deadline.sooner(_TOGETHER_SECONDS))
                self._begin_look(self._together, some, context)

    def _begin_look(self, pool: ThreadPoolExecutor | None, feeds: Sequence[Feed], context: RequestContext) -> None:
        with suppress(RuntimeError):  # it has been shut down
            if pool is not None:
                pool.submit(self._look_again, feeds, context)

    def _look_again(self, feeds: Sequence[Feed], context: RequestContext) -> None:
        try:
            with self._telemetry.unasked("look at watched runs"):
                flights = self._look(feeds, context)
            for feed, (flight, joined) in flights.items():
                if not joined:
                    _say(feed, flight.result(timeout=0))
        except Exception:  # noqa: BLE001 - it is in the log with its stack
            if not self._ended:  # else what it reads with has been closed
                _log.exception("unexpected error while watched runs were read", extra={"event": "feeds"})
        finally:
            for feed in feeds:
                feed.looking = False
            with self._changed:
                self._changed.notify()


def _say(feed: Feed, trouble: _Trouble | None) -> None:
    """Have those who watch know what is the matter, where that will not pass: the next look may find more."""
    if trouble is None or isinstance(trouble, (RuntimeTrouble, Overloaded, ContentGone)):
        return
    for watcher in tuple(feed.watchers):
        if isinstance(trouble, RunNotFound):
            watcher.gone()
        else:
            watcher.forbidden()


def _observed(read: Read[MetricResource]) -> Observed:
    return Observed(read.content(), read.snapshot, read.status, may_change=read.may_change)


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
