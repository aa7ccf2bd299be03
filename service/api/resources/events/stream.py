"""One reader's event stream: the present state, then updates, until the run, the access or the process ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

from service.api.resources.events import to_sse
from service.api.resources.events.to_sse import Writer
from service.caching.codec import ContentGone
from service.concurrency.blocking import waiting
from service.concurrency.pushed_body import PushedBody, Sink
from service.domain.errors import Forbidden, InvalidToken, ServiceError, Unauthenticated
from service.domain.events import Event, Observed
from service.reads.feed import Feed, Update
from service.reads.feeds import TICK, Feeds
from service.telemetry.prometheus import Telemetry

_MOST_PENDING = 2 * 1024 * 1024
"""Bytes buffered for a reader until the server attaches its connection."""
_PATIENCE = 1.0
Reason = Literal["ended", "expired", "shutdown"]


class EventStream(PushedBody):
    """The events of ``opening``, which describe ``seen``, then those of ``feed``.

    ``expires_at`` is when access ends, in seconds since the epoch; ``check`` raises ``ServiceError`` where it has ended
    earlier, and may wait for an issuer's keys. Every ``comment_seconds`` it is called, and a comment is sent where
    nothing else was.
    """

    def __init__(
        self,
        feeds: Feeds,
        feed: Feed,
        seen: Observed,
        opening: Iterator[Event],
        writer: Writer,
        *,
        expires_at: float,
        check: Callable[[], None],
        comment_seconds: float,
        telemetry: Telemetry,
    ) -> None:
        self._feeds = feeds
        self._feed = feed
        self._writer = writer
        self._catching_up = self._catch_up(opening, seen)
        self._expires_at = expires_at
        self._check = check
        self._comment_seconds = comment_seconds
        self._telemetry = telemetry
        self._id = seen.position.id
        self._sink: Sink | None = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._sent_at = time.monotonic()
        self._checked_at = self._sent_at
        self._over = False
        self._closed = False
        self._changed = threading.Condition(threading.RLock())
        telemetry.event_stream_began()

    @property
    def goes_on(self) -> bool:
        return not self._over or bool(self._pending)

    def beginning(self) -> Iterator[bytes]:
        try:
            yield from self._catching_up
        except ContentGone:  # the client reconnects with its last id
            self._finish("gone")

    def attach(self, sink: Sink) -> None:
        with self._changed:
            self._sink = sink
            pending, self._pending = self._pending, []
            for data in pending:
                if not sink.send(data):
                    self._finish("slow")
                    return
            if self._over:
                sink.finish()

    def stop(self) -> None:
        self._end("shutdown")

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
            if not self._over:
                self._over = True
                self._telemetry.event_stream_ended("gone")
            self._changed.notify_all()
        self._feeds.close(self._feed, self)

    def __iter__(self) -> Iterator[bytes]:
        """For servers without support for pushed bodies: waits for updates without the thread's slot."""
        yield from self.beginning()
        while True:
            with self._changed:
                pending, self._pending, self._pending_bytes = self._pending, [], 0
                if not pending:
                    if self._over:
                        return
                    with waiting():
                        self._changed.wait(_PATIENCE)
            yield from pending

    def updated(self, update: Update) -> None:
        written = update.written.get(self._writer.form)
        if written is None:
            written = update.written[self._writer.form] = self._writer.write(update.events, update.now)
        with self._changed:
            self._id = update.now.position.id
            if written:
                self._push(written)
            if not update.now.may_change:
                self._end("ended")

    def fell_behind(self) -> None:
        with self._changed:
            self._finish("slow")
            if self._sink is not None:
                self._sink.finish()

    def forbidden(self) -> None:
        self._end("expired")

    def gone(self) -> None:
        self._end("ended")

    def tick(self, now: float) -> None:
        if time.time() >= self._expires_at:
            self._end("expired")
        elif now - self._checked_at >= self._comment_seconds:
            self._checked_at = now
            self._feeds.run_beside(self._check_access)
        if now - self._sent_at >= self._comment_seconds - TICK:
            with self._changed:
                self._push(to_sse.COMMENT)

    def _check_access(self) -> None:
        """End where access was withdrawn. Where that cannot be found out now, the token's expiry decides."""
        try:
            self._check()
        except (Unauthenticated, InvalidToken, Forbidden):
            self._end("expired")
        except ServiceError:
            pass

    def _catch_up(self, events: Iterator[Event], now: Observed) -> Iterator[bytes]:
        """The events, and those since, until the stream is one of the feed's. No more is kept of the snapshots then."""
        while True:
            for event in events:
                self._id = event.position.id
                written = self._writer.write((event,), now)
                if written:
                    yield written
                if self._over:
                    return
            self._id = now.position.id
            if not now.may_change:
                self._end("ended")
            elif time.time() >= self._expires_at:
                self._end("expired")
            elif not self._feed.watch(self, now):
                before, now = now, self._feed.now
                events = now.changes(before)
                continue
            return

    def _push(self, data: bytes) -> None:
        """Send, or buffer until a connection is attached; the lock is held."""
        if self._over:
            return
        self._sent_at = time.monotonic()
        if self._sink is not None:
            if not self._sink.send(data):
                self._finish("slow")
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > _MOST_PENDING:
            self._pending.clear()
            self._finish("slow")
        self._changed.notify_all()

    def _end(self, reason: Reason) -> None:
        """Send the event ``end``, and finish."""
        with self._changed:
            if self._over:
                return
            self._push(to_sse.end(reason, self._id))
            self._finish(reason)
            if self._sink is not None:
                self._sink.finish()

    def _finish(self, reason: str) -> None:
        with self._changed:
            if not self._over:
                self._over = True
                self._telemetry.event_stream_ended(reason)
                self._changed.notify_all()
