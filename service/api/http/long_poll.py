"""Long poll: an answer that is awaited until it differs (``Prefer: wait``, RFC 7240, with ``If-None-Match``).

A waiting request reads again when the entry is replaced by any process (``caching.changes``), and when it becomes
stale, since one of the readers has to ask the runtime.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from flask import Response, request
from msgspec.structs import replace

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
_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?0*([0-9]+)"?\s*(?=[,;]|$)', re.IGNORECASE | re.ASCII)
_FRESH = RequestDirectives(min_fresh=0)
_LONGEST_PAUSE, _TROUBLED, _SOON = 2.0, 1.0, 0.05
"""Seconds to the next read at most: where changes are not announced; where nothing fresh can be read; and after the
entry has become stale."""


class LongPoll:
    """At most ``most`` requests wait at once, without their threads' slots; others are answered at once."""

    def __init__(self, changes: Changes, most: int = _MOST) -> None:
        self._changes = changes
        self._places = threading.Semaphore(most)

    def answer(self, respond: Callable[[RequestContext], Response], context: RequestContext) -> Response:
        """The answer of ``respond``; where the client asked to wait, the first that is not ``304``."""
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
        """Respond again and again until the time, the token or the process ends."""
        current = current_request()
        if current.principal is not None:
            seconds = min(seconds, current.principal.expires_at - time.time())
        ends = Deadline.after(seconds)
        stops = request.environ.get(STOPPING) or Stopping()
        woken = threading.Event()
        woken.set()  # once more, for what was replaced between the first answer and this moment
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
    """Seconds that the client is willing to wait for a change; ``None`` where it is not."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    if found is None or "If-None-Match" not in request.headers:
        return None
    return LONGEST if len(found[1]) > len(str(LONGEST)) else min(int(found[1]), LONGEST)
