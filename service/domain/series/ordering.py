"""The order of points: by series, step, timestamp, and then as the runtime gave them."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.series import instant_columns
from service.domain.series.columns import EXACT, Columns, Floats, Integers


def order(columns: Columns) -> Integers:
    """The rows, ordered. Timestamps are read only where steps do not decide."""
    keys: list[Floats | NDArray[np.signedinteger]] = [columns.step, columns.series]
    if (np.abs(columns.step) >= EXACT).any():
        keys.insert(0, _ranks(columns))
    ordered: Integers = np.lexsort(tuple(keys))
    if not _tied(columns, ordered):
        return ordered
    moments = instant_columns.read(columns.chunks)
    return np.lexsort((moments.fraction[columns.places], moments.seconds[columns.places], *keys))


def _tied(columns: Columns, ordered: Integers) -> bool:
    series, step = columns.series[ordered], columns.step[ordered]
    same_step = (step[1:] == step[:-1]) | (np.isnan(step[1:]) & np.isnan(step[:-1]))
    return bool(((series[1:] == series[:-1]) & same_step).any())


def _ranks(columns: Columns) -> Integers:
    """Tells apart the steps that double precision rounds to one.

    By sorting alone: numbers can be chosen so that their hashes are all alike.
    """
    rows = np.flatnonzero(np.abs(columns.step) >= EXACT)
    steps = [points.exact(bytes(point.step)) for point in columns.rows(rows)]
    order = sorted(range(len(steps)), key=steps.__getitem__)
    differs = [steps[one] != steps[other] for one, other in pairwise(order)]
    found = np.zeros(len(columns.step), dtype=np.int64)
    found[rows[order]] = list(accumulate(differs, initial=0))
    return found
