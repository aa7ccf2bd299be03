"""Long poll: an answer that is awaited until it differs (``Prefer: wait``, RFC 7240, with ``If-None-Match``).

Who waits looks again when what is stored is replaced (``caching.changes``), by whichever process, and when it becomes
stale, for somebody has to ask the runtime.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from flask import Response, request

from service.api.http.context import current_request
from service.caching.changes import Changes
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.pushed_body import STOPPING, Stopping
from service.concurrency.single_flight import Memo
from service.domain.errors import Overloaded
from service.domain.freshness import RequestCachePolicy, RequestDirectives
from service.domain.runtime import RequestContext

LONGEST = 60
"""Seconds."""
_MOST = 128
_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?=[,;]|$)', re.IGNORECASE | re.ASCII)
_FRESH = RequestDirectives(min_fresh=0)
_LONGEST_PAUSE, _TROUBLED, _SOON = 2.0, 1.0, 0.05
"""Seconds between two looks at most, where it is not known what others replace; where nothing fresh is to be had; and
after what is stored has become stale."""


class LongPoll:
    """At most ``most`` requests wait at once, without their threads' slots; others are answered at once."""

    def __init__(self, changes: Changes, most: int = _MOST) -> None:
        self._changes = changes
        self._places = threading.Semaphore(most)

    def answer(self, respond: Callable[[RequestContext], Response], context: RequestContext) -> Response:
        """What ``respond`` answers, where the client wants that as soon as it is no ``304``."""
        budget = context.deadline.remaining()
        response = respond(context)
        seconds = _wanted()
        if seconds is None:
            return response
        if response.status_code == 304 and seconds:
            if not self._places.acquire(blocking=False):
                return response
            try:
                response = self._awaited(response, respond, context, seconds, budget)
            except Overloaded:
                return response
            finally:
                self._places.release()
        response.headers["Preference-Applied"] = f"wait={seconds}"
        return response

    def _awaited(
        self,
        response: Response,
        respond: Callable[[RequestContext], Response],
        context: RequestContext,
        seconds: float,
        budget: float,
    ) -> Response:
        """Look again until the time, the token or the process ends."""
        current = current_request()
        if current.principal is not None:
            seconds = min(seconds, current.principal.expires_at - time.time())
        ends = Deadline.after(seconds)
        stops = request.environ.get(STOPPING) or Stopping()
        woken = threading.Event()
        woken.set()  # what was replaced between the first look and this moment is found by one more
        with self._changes.setting(woken, current.entry_key), stops.setting(woken):
            while response.status_code == 304:
                with waiting():
                    woken.wait(min(self._pause(current.ttl), ends.remaining()))
                if ends.expired or stops.is_set():
                    break
                woken.clear()
                response = respond(
                    replace(
                        context,
                        deadline=Deadline.after(budget),
                        cache_policy=RequestCachePolicy(_FRESH),
                        asked=Memo(),
                    )
                )
        return response

    def _pause(self, ttl: float) -> float:
        if ttl <= 0:
            return _TROUBLED
        return ttl + _SOON if self._changes.living else min(ttl + _SOON, _LONGEST_PAUSE)


def _wanted() -> int | None:
    """Seconds that the client waits for an answer other than the one it has; ``None`` where it does not."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    if found is None or "If-None-Match" not in request.headers:
        return None
    return min(int(found[1]), LONGEST)
