"""The histories of an MLflow run's metrics: all points of each, from one answer or from however many pages.

``get-history-bulk``, which MLflow's own page reads, makes a history by two thirds of the work of ``get-history`` and in
one read of the store. It gives 25,000 points at most, without a sign that there are more, and is no part of the REST
API. So it is used only of MLflow's own server, and for histories that seem short enough; where it does not work, as
behind a proxy that lets only the REST API through, it is not tried again for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from service.domain.errors import (
    BadGateway,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeUnavailable,
)
from service.domain.metrics import READABLE
from service.domain.runtime import RequestContext
from service.runtimes.mlflow import points
from service.runtimes.mlflow.error_codes import ABSENT, API, body, check_new, error_code
from service.runtimes.mlflow.points import Page, Place
from service.runtimes.reader import RuntimeReader

MOST_AT_ONCE = 25_000
"""The most points of ``get-history-bulk``."""
_AT_ONCE = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_WHERE_IT_IS_NOT = (BadGateway, RuntimeForbids, RuntimeRefuses, RuntimeUnavailable)
_PAUSE = 300.0
"""Seconds for which a fast path is not used after a failure."""
MOST_BYTES = 1024 * 1024 * 1024
"""The most bytes of all pages of a history."""
_TRIES = 3
"""Reads of a history whose pages shift, before repeated points are removed instead."""


class Histories:
    """Reads histories from one server."""

    def __init__(self, reader: RuntimeReader, most_bytes: int = MOST_BYTES) -> None:
        self._reader = reader
        self._most_bytes = most_bytes
        self._fast_path = FastPath()

    def read(
        self,
        run_id: str,
        key: str,
        labels: Mapping[Place, Sequence[bytes]],
        context: RequestContext,
        *,
        seems_short: bool = False,
    ) -> Page:
        """All points of a metric, in one answer where it ``seems_short`` and that works."""
        if seems_short and not labels and self._fast_path.enter():
            found = self._at_once(run_id, key, context)
            if found is not None:
                return found
        return self._whole(run_id, key, labels, context)

    def _at_once(self, run_id: str, key: str, context: RequestContext) -> Page | None:
        """The fast path; ``None`` where it does not work, or points may be missing."""
        asked = (("run_id", run_id), ("metric_key", key), ("max_results", str(MOST_AT_ONCE)))
        try:
            answer = self._reader.read(_AT_ONCE, context, "history-bulk", asked)
            page = points.page(body(answer, "the history of a metric"), key, {}, run_id)
        except _WHERE_IT_IS_NOT:
            self._fast_path.failed()
            return None
        self._fast_path.worked()
        return page if page.count < MOST_AT_ONCE else None

    def _whole(self, run_id: str, key: str, labels: Mapping[Place, Sequence[bytes]], context: RequestContext) -> Page:
        """By ``get-history``, in one answer, which is the only consistent read. Where the server returns pages
        nevertheless, and points were inserted meanwhile and shifted them, they are read again."""
        for left in range(_TRIES, 0, -1):
            pages: list[Page] = []
            for page in self._pages(run_id, key, labels, context):
                if not pages or not points.moved(page, pages[-1]):
                    pages.append(page)
                elif left > 1:
                    break
                else:
                    pages.append(points.without_repeats(page, pages[-1]))
            else:
                break
        chunks = [chunk for page in pages for chunk in page.chunks]
        unreadable = sum((page.unreadable for page in pages), READABLE)
        return Page(chunks, None, unreadable, points.all_label_names(pages))

    def _pages(
        self, run_id: str, key: str, labels: Mapping[Place, Sequence[bytes]], context: RequestContext
    ) -> Iterator[Page]:
        seen: set[str | None] = {None}
        token: str | None = None
        size = 0
        while True:
            further = () if token is None else (("page_token", token),)
            query = (("run_id", run_id), ("metric_key", key), *further)
            answer = self._reader.read(f"{API}/metrics/get-history", context, "history", query)
            if error_code(answer) == ABSENT:
                raise RunNotFound(run_id)
            page = points.page(body(answer, "the history of a metric"), key, labels, run_id)
            size += sum(len(chunk.text) for chunk in page.chunks)
            if size > self._most_bytes:
                raise BadGateway("the history of a metric is too long to be kept")
            yield page
            token = page.token
            if token is None:
                return
            check_new(token, seen)


class FastPath:
    """Whether to use a fast path that a server may not support: one call tries it while others avoid it, and after a
    failure all avoid it for a while. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._works = False
        self._tried_again_at = float("-inf")

    def enter(self) -> bool:
        """Whether the caller uses it, and must then report by ``worked`` or ``failed``."""
        with self._lock:
            now = self._clock()
            if not self._works and now < self._tried_again_at:
                return False
            self._tried_again_at = now + _PAUSE
            return True

    def worked(self) -> None:
        with self._lock:
            self._works = True

    def failed(self) -> None:
        with self._lock:
            self._works = False
            self._tried_again_at = self._clock() + _PAUSE
