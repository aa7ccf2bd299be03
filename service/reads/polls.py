"""Polls of watched runs: they are read together, and each is published as soon as it is indexed.

To index a run of a million points takes seconds of the processor. Large runs are indexed one at a time, apart from the
others, which wait for none of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from service.caching.codec import ContentGone
from service.concurrency.background import settle
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.concurrency.thread_origin import carried
from service.domain.errors import CursorExpired, Overloaded, ServiceError
from service.domain.events import Observed
from service.domain.freshness import Snapshot
from service.domain.metrics import MetricResource
from service.domain.runtime import RequestContext
from service.reads.feed import Feed
from service.reads.queries import Queries
from service.reads.results import Read
from service.reads.turns import submitted

Trouble = ServiceError | ContentGone
Polled = Mapping[Feed, Trouble | None]
"""The error of polling each feed; ``None`` where there is none."""
_Named = tuple[Feed, Snapshot]
BUSY_SECONDS = 5
_SMALL, _MEDIUM = 256 * 1024, 4 * 1024 * 1024
"""Bytes of a content up to which it is indexed at once, in milliseconds, and without waiting for the largest."""
_MOST_WAITING = 64
"""Contents that wait to be indexed."""


class Indexing:
    """Runs what indexes contents: for small ones at once, for others one at a time on a thread that it does not keep
    from anything else. Thread-safe."""

    def __init__(self) -> None:
        self._medium = ThreadPoolExecutor(1, thread_name_prefix="feeds-medium")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="feeds-large")
        self._room = threading.Semaphore(_MOST_WAITING)

    def run(self, size: int, step: Callable[[], None]) -> None:
        """Run ``step``, which raises nothing, for a content of ``size`` bytes: now or later, after ``stop`` not at all.

        Raises ``Overloaded`` where too many wait.
        """
        if size <= _SMALL:
            step()
            return
        if not self._room.acquire(blocking=False):
            raise busy()
        begun = submitted(self._medium if size <= _MEDIUM else self._large, carried(step))
        if begun is not None:
            begun.add_done_callback(lambda _: self._room.release())

    def stop(self) -> None:
        """Begin nothing more."""
        for pool in (self._medium, self._large):
            pool.shutdown(wait=False, cancel_futures=True)


class Polls:
    """Reads the runs of feeds, and publishes what is new. Thread-safe.

    ``published`` is called with each feed that was read, the read, how often its entry had been replaced before, and
    the seconds that the read took.
    """

    def __init__(self, queries: Queries, published: Callable[[Feed, Read[MetricResource], int, float], None]) -> None:
        self._metrics = queries.metrics
        self._published = published
        self._indexing = Indexing()
        self._earlier: SingleFlight[Observed | None] = SingleFlight()

    def begin(self, outcomes: Mapping[Feed, Future[Polled]], context: RequestContext) -> None:
        """Read the feeds' runs together and settle each one's outcome, those of large runs later. Raises nothing but
        ``SystemExit`` and the like."""
        began = time.monotonic()
        replaced = {feed: feed.replaced for feed in outcomes}
        for feed in outcomes:
            feed.is_read = False
        try:
            found = self._metrics.resources([feed.run_id for feed in outcomes], context)
        except BaseException as error:
            for outcome in outcomes.values():
                outcome.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        seconds = time.monotonic() - began
        for feed, outcome in outcomes.items():
            read = found[feed.run_id]
            if isinstance(read, ServiceError):
                outcome.set_result({feed: read})
                continue
            size = 0 if feed.shows(read) else read.size
            feed.is_read = True
            try:
                self._indexing.run(
                    size, partial(settle, outcome, partial(self._publish, feed, read, replaced[feed], seconds))
                )
            except Overloaded as error:
                outcome.set_result({feed: error})

    def stored(self, feed: Feed, snapshot: Snapshot, context: RequestContext) -> Observed | None:
        """A snapshot of the feed's run, if it is still stored. It is indexed once for those that ask for it meanwhile,
        and for those that do so next. Raises ``Overloaded``."""
        for known in (feed.now, feed.earlier):
            if known is not None and known.snapshot == snapshot:
                return known
        indexed: Future[Mapping[_Named, Observed | None]] = Future()
        named = (feed, snapshot)
        flight, joined = self._earlier.join([named], lambda _: indexed)[named]
        if not joined:
            try:
                read = self._metrics.resource(feed.run_id, context, snapshot)
                self._indexing.run(read.size, partial(settle, indexed, partial(self._index_earlier, named, read)))
            except (CursorExpired, ContentGone):
                indexed.set_result({named: None})
            except BaseException as error:  # noqa: BLE001 - raised in all threads that wait
                indexed.set_exception(error)
        try:
            return flight.result(context.deadline.remaining())
        except StillUnderWay:
            raise busy() from None

    def stop(self) -> None:
        """Index nothing more."""
        self._indexing.stop()

    def _publish(self, feed: Feed, read: Read[MetricResource], replaced: int, seconds: float) -> Polled:
        """Publish what was read, if it is new; it is read again where its content has left the store since."""
        try:
            if feed.opened and not feed.shows(read):
                try:
                    now = _observed(read)
                except ContentGone:
                    read = self._metrics.resource(feed.run_id, feed.context().no_cache())
                    now = _observed(read)
                feed.publish(now)
        except (ServiceError, ContentGone) as error:
            return {feed: error}
        self._published(feed, read, replaced, seconds)
        return {feed: None}

    def _index_earlier(self, named: _Named, read: Read[MetricResource]) -> Mapping[_Named, Observed | None]:
        with suppress(ContentGone):
            named[0].earlier = _observed(read)
            return {named: named[0].earlier}
        return {named: None}


def busy() -> Overloaded:
    return Overloaded("too many event streams of large runs are being opened; try again later", BUSY_SECONDS)


def _observed(read: Read[MetricResource]) -> Observed:
    return Observed(read.content(), read.snapshot, read.status, may_change=read.may_change)
