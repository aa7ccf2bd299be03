"""Which points of a run requests want, in what order: worked out once for each content, kept in four bytes a point."""

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
        """The rows that ``wanted`` lets through, in the order of ``sort``; ``None`` for all points in their own."""
        if wanted.is_empty and not sort:
            return None

        def work_out() -> Rows:
            if not sort:
                return matching(run.content().metrics, wanted)
            return order(run.content().metrics, sort, self.rows(run, wanted, ()))

        return self._derived.once(run, ("rows", repr(wanted), repr(tuple(sort))), self._rows, work_out)

    def is_worth_selecting(self, run: Read[MetricResource]) -> bool:
        """Whether the run is so large that it makes a difference how many of its points are wanted."""
        return run.size > self._derived.work.whole

    def label_names(self, run: Read[MetricResource], wanted: Filter) -> Labels:
        """The names of all labels of the points that ``wanted`` lets through, by first appearance.

        Those of all points are stored with the run, as a rule.
        """
        if wanted.is_empty and (stored := run.content().label_names) is not None:
            return stored

        def work_out() -> Labels:
            return tuple(to_csv.label_names(passing(run.content().metrics, wanted)))

        return self._derived.once(run, ("labels", repr(wanted)), self._labels, work_out)

    def column_types(self, run: Read[MetricResource], wanted: Filter) -> ColumnTypes:
        """What types hold the points that ``wanted`` lets through."""
        return self._derived.once(
            run, ("types", repr(wanted)), self._types, lambda: types_of(passing(run.content().metrics, wanted))
        )


def _weight_of_rows(rows: Rows) -> int:
    return OVERHEAD + len(rows) * rows.itemsize


def _weight_of_labels(labels: Labels) -> int:
    return OVERHEAD + sum(OVERHEAD + len(label) for label in labels)
