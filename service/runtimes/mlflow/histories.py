"""The histories of an MLflow run's metrics: all points of each, from however many pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from service.domain.errors import RunNotFound
from service.domain.metrics import READABLE
from service.domain.runtime import RequestContext
from service.runtimes.mlflow import points
from service.runtimes.mlflow.error_codes import ABSENT, API, body, check_new, error_code
from service.runtimes.mlflow.points import Page, Place
from service.runtimes.reader import RuntimeReader

_TRIES = 3
"""Reads of a history whose pages move, before what is given twice is left out."""


class Histories:
    """Reads histories from one server."""

    def __init__(self, reader: RuntimeReader) -> None:
        self._reader = reader

    def read(self, run_id: str, key: str, labels: Mapping[Place, Sequence[bytes]], context: RequestContext) -> Page:
        """All points of a metric. They are asked for in one answer, the only consistent read there is; a server that
        gives pages all the same is read anew where points were put in meanwhile and moved them."""
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
        return Page(chunks, None, sum((page.unreadable for page in pages), READABLE))

    def _pages(
        self, run_id: str, key: str, labels: Mapping[Place, Sequence[bytes]], context: RequestContext
    ) -> Iterator[Page]:
        seen: set[str | None] = {None}
        token: str | None = None
        while True:
            further = () if token is None else (("page_token", token),)
            query = (("run_id", run_id), ("metric_key", key), *further)
            answer = self._reader.read(f"{API}/metrics/get-history", context, "history", query)
            if error_code(answer) == ABSENT:
                raise RunNotFound(run_id)
            page = points.page(body(answer, "the history of a metric"), key, labels)
            yield page
            token = page.token
            if token is None:
                return
            check_new(token, seen)
