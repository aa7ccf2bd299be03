"""First polls of watched runs, together for those that are opened meanwhile."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import msgspec

from service.concurrency.background import in_background, settle
from service.concurrency.thread_origin import carried
from service.domain.errors import RuntimeTimeout
from service.domain.freshness import RequestDirectives
from service.domain.runtime import CacheScope, RequestContext
from service.reads.batches import BATCH
from service.reads.feed import Feed
from service.reads.polls import Polled
from service.reads.turns import Turns

BATCH_SECONDS = 4.0
"""Seconds for the poll of a batch, as one of its runs may be slow; single runs have the whole time of a request."""
_AT_ONCE = 8
"""Batches polled at once, where the runtime is slow."""
Poll = Callable[[Mapping[Feed, Future[Polled]], RequestContext], None]
"""Polls feeds together, and settles the outcome of each."""
_Group = tuple[CacheScope, RequestDirectives]


class _Opening(msgspec.Struct, frozen=True):
    """A feed to be polled for the first time, for a request."""

    feed: Feed
    context: RequestContext
    outcome: Future[Polled]


class Openings:
    """Polls feeds by ``poll``, as many as go together in each of the ``turns``. Thread-safe."""

    def __init__(self, poll: Poll, turns: Turns) -> None:
        self._poll = poll
        self._turns = turns
        self._lock = threading.Lock()
        self._waiting: defaultdict[_Group, list[_Opening]] = defaultdict(list)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="feeds-opening")

    def begin(self, feed: Feed, context: RequestContext) -> Future[Polled]:
        """Poll a feed. Raises ``RuntimeError`` after ``stop``, and where no thread can be started."""
        opening = _Opening(feed, context, Future())
        group = (feed.scope, context.cache_policy.directives)
        with self._lock:
            if len(self._waiting[group]) % BATCH == 0:  # there is a turn for each batch that waits
                self._turns.take(self._pool, carried(partial(self._open_together, group)))
            self._waiting[group].append(opening)
        return opening.outcome

    def stop(self) -> None:
        """Begin no further poll."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _open_together(self, group: _Group) -> None:
        """Poll feeds of a group, as many as go together."""
        with self._lock:
            waiting = self._waiting.pop(group)
            together, left = waiting[:BATCH], waiting[BATCH:]
            if left:
                self._waiting[group] = left
        context = together[-1].context.by(together[0].context.deadline)
        if len(together) > 1:
            context = context.by(context.deadline.sooner(BATCH_SECONDS))
        if len(together) == 1:
            self._poll({together[0].feed: together[0].outcome}, context)
        else:
            self._poll({one.feed: self._outcome_in_time(one) for one in together}, context)

    def _outcome_in_time(self, one: _Opening) -> Future[Polled]:
        """An outcome for the opening, which is polled alone if that says that its runtime answered too late."""
        outcome: Future[Polled] = Future()
        outcome.add_done_callback(partial(self._finish, one))
        return outcome

    def _finish(self, one: _Opening, polled: Future[Polled]) -> None:
        if polled.exception(timeout=0) is None and isinstance(polled.result(timeout=0)[one.feed], RuntimeTimeout):
            self._open_alone(one)
        else:
            settle(one.outcome, partial(polled.result, timeout=0))

    def _open_alone(self, one: _Opening) -> None:
        """Poll a feed anew with the rest of its time, on a thread of its own, as its runtime may be slow."""
        try:
            in_background(partial(self._poll, {one.feed: one.outcome}, one.context.no_cache()), "feed")
        except RuntimeError:
            settle(one.outcome, lambda: {one.feed: RuntimeTimeout()})
