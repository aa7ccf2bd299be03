"""The points that requests select, and their order: worked out once for each content, four bytes a point."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TypeAlias

from service.api.http.derived_values import OVERHEAD, DerivedValues
from service.api.http.large_work import LargeWork
from service.api.resources.metric_resource import to_csv
from service.concurrency.bounded_map import BoundedMap
from service.domain.column_types import ColumnTypes, types_of
from service.domain.metrics import MetricResource
from service.domain.selection.filters import Filter, matching, passing
from service.domain.selection.sorting import SortKey, order
from service.reads.results import Read

Rows: TypeAlias = "array[int]"
Labels = tuple[str, ...]
_MAX_BYTES = 64 * 1024 * 1024
_MOST_TYPES = 10_000


class SelectedPoints:
    """Rows of points by content, filter and sort; label names and column types by content and filter.

    Safe from any thread. Every method may raise ``Overloaded`` and ``ContentGone``.
    """

    def __init__(self, work: LargeWork, max_bytes: int = _MAX_BYTES) -> None:
        self._derived = DerivedValues(work)
        self._rows: BoundedMap[bytes, Rows] = BoundedMap(max_bytes, _weight_of_rows)
        self._labels: BoundedMap[bytes, Labels] = BoundedMap(max_bytes // 16, _weight_of_labels)
        self._types: BoundedMap[bytes, ColumnTypes] = BoundedMap(_MOST_TYPES)

    def rows(self, run: Read[MetricResource], wanted: Filter, sort: Sequence[SortKey]) -> Rows | None:
        """The rows that pass ``wanted``, in the order of ``sort``; ``None`` for all points in the runtime's order."""
        if wanted.is_empty and not sort:
            return None

        def work_out() -> Rows:
            if not sort:
                return matching(run.content().metrics, wanted)
            return order(run.content().metrics, sort, self.rows(run, wanted, ()))

        return self._derived.once(run, ("rows", repr(wanted), repr(tuple(sort))), self._rows, work_out)

    def is_worth_selecting(self, run: Read[MetricResource]) -> bool:
        """Whether the run is so large that counting its selected points is worth the work."""
        return run.size > self._derived.work.whole

    def label_names(self, run: Read[MetricResource], wanted: Filter) -> Labels:
        """The label names of the points that pass ``wanted``, by first appearance.

        Those of all points are usually stored with the run.
        """
        if wanted.is_empty and (stored := run.content().label_names) is not None:
            return stored

        def work_out() -> Labels:
            return tuple(to_csv.label_names(passing(run.content().metrics, wanted)))

        return self._derived.once(run, ("labels", repr(wanted)), self._labels, work_out)

    def column_types(self, run: Read[MetricResource], wanted: Filter) -> ColumnTypes:
        """The column types that hold the points which pass ``wanted``."""
        return self._derived.once(
            run, ("types", repr(wanted)), self._types, lambda: types_of(passing(run.content().metrics, wanted))
        )


def _weight_of_rows(rows: Rows) -> int:
    return OVERHEAD + len(rows) * rows.itemsize


def _weight_of_labels(labels: Labels) -> int:
    return OVERHEAD + sum(OVERHEAD + len(label) for label in labels)
