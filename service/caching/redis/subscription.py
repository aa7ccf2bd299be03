"""Announcements of replaced entries: one subscription for a process, with a connection to each server.

A server answers a ``PING`` on such a connection after all messages that it had for it, so the answer proves that
nothing announced before the ``PING`` is missing, however late messages arrive. A connection that a server closes, for
example because it is too slow, is detected by that, and whatever was missed meanwhile counts as replaced.

An entry is announced by the server that holds it, in the step that replaces it. In a cluster there is a connection to
each master: over the cluster's own links messages can be lost unnoticed.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from service.caching.changes import Changes
from service.caching.entry_keys import CHANNEL
from service.caching.redis.error_kinds import reason
from service.caching.redis.servers import Servers
from service.concurrency.deadline import Deadline

_PING_SECONDS = 0.1
_MOST_SILENT = 2.0
"""Seconds without an answer after which a server counts as failed."""
_RETRY_SECONDS = 0.25
_MOST_AT_ONCE = 1000
"""The most messages of one server that are processed in a turn."""
_log = logging.getLogger("service.changes")


class Subscription:
    """Reports to ``changes`` what processes other than ``sender`` announce. ``timeout`` (s) is for subscribing."""

    def __init__(self, servers: Servers, sender: str, changes: Changes, timeout: float) -> None:
        self._servers = servers
        self._sender = sender.encode()
        self._changes = changes
        self._timeout = timeout
        self._closed = threading.Event()
        self._missed = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="changes", daemon=True).start()

    def close(self) -> None:
        """Returns at once; the connections are closed soon after."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - a misbehaving server can cause any
                self._lost(error)
            finally:
                self._changes.ended()
            self._closed.wait(_RETRY_SECONDS)

    def _follow(self) -> None:
        if not self._servers.connected:
            self._servers.connect()
        with ExitStack() as stack:
            clients = self._servers.clients()
            channels = [
                stack.enter_context(_Channel(client, self._sender, self._timeout)) for client in clients.values()
            ]
            poll = select.poll()
            for channel in channels:
                channel.begin()
                poll.register(channel, select.POLLIN)
            self._changes.began()
            self._found()
            while not self._closed.is_set() and self._servers.clients().keys() == clients.keys():
                self._turn(channels, poll)

    def _turn(self, channels: Sequence[_Channel], poll: select.poll) -> None:
        now = time.monotonic()
        pause = min(channel.ping(now) for channel in channels)
        ready = {number for number, _ in poll.poll(pause * 1000)}
        for channel in channels:
            if channel.has_more or channel.fileno() in ready:
                for key in channel.announced():
                    self._changes.announced(key)
        self._changes.complete(min(channel.complete_until for channel in channels))

    def _lost(self, error: Exception) -> None:
        if not self._missed and not self._closed.is_set():
            self._missed = True
            _log.warning(
                "announcements of replaced entries are not received: %s",
                reason(error),
                extra={"event": "changes", "state": "missed", "reason": reason(error)},
            )

    def _found(self) -> None:
        if self._missed:
            self._missed = False
            _log.info(
                "announcements of replaced entries are received again", extra={"event": "changes", "state": "followed"}
            )


class _Channel:
    """The subscription to one server. Methods raise redis-py's errors where it has ended."""

    def __init__(self, client: Redis, sender: bytes, timeout: float) -> None:
        self._client = client
        self._sender = sender
        self._timeout = timeout
        self._subscriber: Any = client.pubsub()  # type: ignore[no-untyped-call]
        self._pinged_at: float | None = None
        self._next_ping = 0.0
        self.complete_until = time.monotonic()
        """The moment up to which all announcements have been received."""
        self.has_more = False
        """Whether more messages have been received, or may have been, than ``announced`` returned."""

    def __enter__(self) -> _Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self._subscriber.close()

    def fileno(self) -> int:
        number: int = self._connection.selectable.fileno()
        return number

    def begin(self) -> None:
        """Subscribe, and check that a published message is received."""
        deadline = Deadline.after(2 * self._timeout)
        self._subscriber.subscribe(CHANNEL)
        self._expect("subscribe", deadline)
        self.complete_until = time.monotonic()
        self._client.publish(CHANNEL, self._sender + b" ")
        self._expect("message", deadline)

    def ping(self, now: float) -> float:
        """Send a ``PING`` if it is due; returns the longest time to wait for messages, in seconds."""
        if self._pinged_at is None:
            if now >= self._next_ping:
                self._pinged_at, self._next_ping = now, now + _PING_SECONDS
                self._subscriber.ping()
        elif now - self._pinged_at > _MOST_SILENT:
            raise NoConnection("the server does not answer a subscriber")
        if self.has_more:
            return 0.0
        return max(self._next_ping - now, 0.0) if self._pinged_at is None else _PING_SECONDS

    def announced(self) -> list[str]:
        """The keys announced by others, as far as they have been received."""
        keys: list[str] = []
        self.has_more = True
        for _ in range(_MOST_AT_ONCE):
            message = self._subscriber.get_message(timeout=0.0)
            if message is None:
                self.has_more = False
                break
            if message["type"] == "pong":
                if self._pinged_at is not None:
                    self.complete_until, self._pinged_at = self._pinged_at, None
            elif message["type"] != "message":
                raise NoConnection("the connection was replaced")
            else:
                sender, _, key = message["data"].partition(b" ")
                if key and sender != self._sender:
                    keys.append(key.decode("utf-8", "replace"))
        return keys

    @property
    def _connection(self) -> Any:
        return self._subscriber.connection

    def _expect(self, kind: str, deadline: Deadline) -> None:
        while not deadline.expired:
            message = self._subscriber.get_message(timeout=deadline.remaining())
            if message is not None and message["type"] == kind and (kind != "message" or self._is_own(message["data"])):
                return
        raise NoConnection("the server does not forward announcements")

    def _is_own(self, data: bytes) -> bool:
        return data.startswith(self._sender)
