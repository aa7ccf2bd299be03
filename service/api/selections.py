"""The points of a run that a request asks for, a page of them where it wants pages, in the format that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from service.api import metric_csv, metric_lines, pages, representations
from service.api.formats import CSV, CSV_EXCEL, NDJSON, Format
from service.api.inputs import Ask
from service.api.pages import Window, is_paged
from service.api.selection_query import filter_of
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.filters import Filter, selected
from service.domain.selection.sorting import SortKey, ordered
from service.domain.selection.windows import window
from service.domain.timestamps import ZoneClock

Chunks = Sequence[Chunk]


def _csv(shown: Chunks, matching: Chunks, clock: ZoneClock) -> Iterator[bytes]:
    return metric_csv.rows(shown, clock, metric_csv.label_names(matching))


def _csv_excel(shown: Chunks, matching: Chunks, clock: ZoneClock) -> Iterator[bytes]:
    yield metric_csv.BYTE_ORDER_MARK
    yield from _csv(shown, matching, clock)


def _ndjson(shown: Chunks, _matching: Chunks, clock: ZoneClock) -> Iterator[bytes]:
    return metric_lines.lines(shown, clock)


TABLES: Mapping[Format, Callable[[Chunks, Chunks, ZoneClock], Iterator[bytes]]] = {
    CSV: _csv,
    CSV_EXCEL: _csv_excel,
    NDJSON: _ndjson,
}
"""What writes the points shown, of all that match, in each format beside JSON."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for of the points of a run."""

    ask: Ask
    wanted: Filter
    sort: Sequence[SortKey]
    window: Window

    @classmethod
    def asked(cls, ask: Ask, window: Window) -> Selection:
        return cls(ask, filter_of(ask.query), ask.query["sort"], window)

    @property
    def form(self) -> tuple[str, ...]:
        """What tells its representations from others."""
        return ("metric-resource", self.ask.zone.name, repr(self.wanted), repr(self.sort), *self.window.form)

    def points(self, resource: MetricResource) -> tuple[Chunk, ...]:
        """All points that match, in order."""
        return tuple(ordered(selected(resource.metrics, self.wanted), self.sort))

    def written(self, resource: MetricResource, following: str | None) -> Iterator[bytes]:
        """The answer, in pieces; ``following`` is the next page's URL."""
        matching = self.points(resource)
        shown = self._page(matching)
        if write := TABLES.get(self.ask.format):
            return write(shown, matching, representations.clock(self.ask.zone))
        page = b"" if self.is_whole else b"," + pages.member(total_of(matching), following)
        return representations.metric_resource(msgspec.structs.replace(resource, metrics=shown), self.ask.zone, page)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.wanted.is_empty and not is_paged(self.ask)

    def total(self, resource: MetricResource) -> int:
        """How many points match, on all pages together."""
        return resource.count if self.wanted.is_empty else total_of(selected(resource.metrics, self.wanted))

    def _page(self, matching: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
        position, limit = self.window.position, self.window.limit
        if not position and limit is None:
            return matching
        return tuple(window(matching, position, total_of(matching) if limit is None else limit))


def total_of(chunks: Iterator[Chunk] | Sequence[Chunk]) -> int:
    """How many points the chunks have."""
    return sum(chunk.count for chunk in chunks)
