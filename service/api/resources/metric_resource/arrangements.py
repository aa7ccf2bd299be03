"""Which points of a run requests want, in what order: worked out once for each content, kept in four bytes a point."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TypeAlias, TypeVar, cast

from service.api.http.large_work import BUSY, LargeWork
from service.api.resources.metric_resource import to_csv
from service.concurrency.bounded_map import BoundedMap
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.column_types import ColumnTypes, types_of
from service.domain.errors import Overloaded
from service.domain.metrics import MetricResource
from service.domain.selection.filters import Filter, matching, passing
from service.domain.selection.sorting import SortKey, order
from service.reads.results import Read

Rows: TypeAlias = "array[int]"
Labels = tuple[str, ...]
T = TypeVar("T", "array[int]", Labels, ColumnTypes)
_MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 500
_MOST_TYPES = 10_000


class Arrangements:
    """Rows of points by content, filter and sort; label names and column types by content and filter.

    Safe from any thread. Every method may raise ``Overloaded`` and ``ContentGone``.
    """

    def __init__(self, work: LargeWork, max_bytes: int = _MAX_BYTES) -> None:
        self._work = work
        self._rows: BoundedMap[bytes, Rows] = BoundedMap(max_bytes, _weight_of_rows)
        self._labels: BoundedMap[bytes, Labels] = BoundedMap(max_bytes // 16, _weight_of_labels)
        self._types: BoundedMap[bytes, ColumnTypes] = BoundedMap(_MOST_TYPES)
        self._flights: SingleFlight[Rows | Labels | ColumnTypes] = SingleFlight()

    def rows(self, run: Read[MetricResource], wanted: Filter, sort: Sequence[SortKey]) -> Rows | None:
        """The rows that ``wanted`` lets through, in the order of ``sort``; ``None`` for all points in their own."""
        if wanted.is_empty and not sort:
            return None
        name = _name(run, "rows", repr(wanted), repr(tuple(sort)))

        def work_out() -> Rows:
            if not sort:
                return matching(run.content().metrics, wanted)
            return order(run.content().metrics, sort, self.rows(run, wanted, ()))

        return self._once(name, self._rows, work_out, run.size)

    def are_worth_knowing(self, run: Read[MetricResource]) -> bool:
        """Whether the run is so large that it makes a difference how many of its points are wanted."""
        return run.size > self._work.whole

    def label_names(self, run: Read[MetricResource], wanted: Filter) -> Labels:
        """The names of all labels of the points that ``wanted`` lets through, by first appearance."""
        name = _name(run, "labels", repr(wanted))

        def work_out() -> Labels:
            return tuple(to_csv.label_names(passing(run.content().metrics, wanted)))

        return self._once(name, self._labels, work_out, run.size)

    def column_types(self, run: Read[MetricResource], wanted: Filter) -> ColumnTypes:
        """What types hold the points that ``wanted`` lets through."""
        name = _name(run, "types", repr(wanted))
        return self._once(name, self._types, lambda: types_of(passing(run.content().metrics, wanted)), run.size)

    def _once(self, name: bytes, kept: BoundedMap[bytes, T], work_out: Callable[[], T], weight: int) -> T:
        def find_or_work_out() -> T:
            found = kept.get(name)
            if found is None:
                with self._work.admitted(weight):
                    found = work_out()
                kept.keep(name, found)
            return found

        if self._work.is_admitted or kept.get(name) is not None:
            return find_or_work_out()  # who has been admitted may not wait for who has not
        try:
            return cast(T, self._flights.do(name, find_or_work_out, self._work.patience))
        except StillUnderWay:
            raise Overloaded(BUSY) from None


def _name(run: Read[MetricResource], *parts: str) -> bytes:
    """Short, however long the filter is."""
    named = "\0".join((run.key, run.digest.hex(), *parts))
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=20).digest()


def _weight_of_rows(rows: Rows) -> int:
    return _OVERHEAD + len(rows) * rows.itemsize


def _weight_of_labels(labels: Labels) -> int:
    return _OVERHEAD + sum(_OVERHEAD + len(label) for label in labels)
