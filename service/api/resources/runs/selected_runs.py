"""The runs that requests select, and their order: worked out once for each list, four bytes a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.api.http.derived_values import OVERHEAD, DerivedValues
from service.api.http.large_work import LargeWork
from service.concurrency.bounded_map import BoundedMap
from service.domain.run_lists import Rows, RunList
from service.domain.selection.run_filters import RunFilter, RunSortKey, ordered, selected
from service.reads.results import Read

_MAX_BYTES = 16 * 1024 * 1024
_A_ROW = 4
_COLUMNS = 4
"""The size of a list is about this multiple of its columns'."""


class SelectedRuns:
    """Rows of runs by list, filter and sort. Thread-safe."""

    def __init__(self, work: LargeWork, max_bytes: int = _MAX_BYTES) -> None:
        self._derived = DerivedValues(work)
        self._rows: BoundedMap[bytes, Rows] = BoundedMap(max_bytes, lambda rows: OVERHEAD + _A_ROW * len(rows))

    def of(self, runs: Read[RunList], listed: RunList, wanted: RunFilter, sort: Sequence[RunSortKey] = ()) -> Rows:
        """The rows of ``listed``, the content of ``runs``, that pass ``wanted``, in the order of ``sort``, which must
        not include metrics.

        Raises ``Overloaded`` and ``ContentGone``.
        """

        def once(work_out: Callable[[], Rows], *keys: RunSortKey) -> Rows:
            return self._derived.once(runs, (repr(wanted), repr(keys)), self._rows, work_out, runs.size // _COLUMNS)

        if sort:
            return once(lambda: ordered(listed, self.of(runs, listed, wanted), sort), *sort)
        if wanted == RunFilter():
            return range(listed.count)
        return once(lambda: selected(listed, wanted))
