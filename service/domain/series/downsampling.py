"""Downsampling by MinMaxLTTB (Van Der Donckt et al., 2023), by ``tsdownsample``.

Only existing points are chosen. Buckets have equal numbers of points, so that gaps in steps or time take no part of the
budget, and repeated or missing steps do not matter.
"""

from __future__ import annotations

import numpy as np
from tsdownsample import MinMaxLTTBDownsampler

from service.domain.series.columns import Floats, Integers

_LEAST = 3
"""The least number of points that ``tsdownsample`` accepts."""


_NONE = np.zeros(0, dtype=np.int64)


def choose(values: Floats, kept: list[int], at_most: int, beside: Integers = _NONE) -> Integers:
    """Positions, ascending, of ``at_most`` (2 or more) of more ``values``, those ``kept`` among them.

    Of too many to keep, the first ones are kept. Up to a quarter of ``at_most`` are points ``beside`` gaps (positions,
    ascending). Values that are not finite are not drawn: up to a quarter of ``at_most`` are the first and last of their
    stretches.
    """
    kept = list(dict.fromkeys(kept))[:at_most]
    finite = np.isfinite(values)
    kept += _spread(beside, (at_most - len(kept)) // 4)
    kept += _spread(_borders(finite), (at_most - len(set(kept))) // 4)
    room = at_most - len(set(kept))
    shown = np.flatnonzero(finite)
    picked = shown[_lttb(values[shown], room + _covered(kept, shown))]
    return np.array(sorted({*kept, *picked.tolist()}), dtype=np.int64)


def _covered(kept: list[int], shown: Integers) -> int:
    """How many of the end points, which LTTB always chooses, are kept anyway."""
    return len({int(place) for place in shown[[0, -1]]} & set(kept)) if len(shown) else 0


def _lttb(values: Floats, at_most: int) -> Integers:
    if len(values) <= at_most:
        return np.arange(len(values))
    if at_most < _LEAST:
        return np.array([], dtype=np.int64)
    picked = MinMaxLTTBDownsampler().downsample(np.ascontiguousarray(values), n_out=at_most)  # type: ignore[no-untyped-call]
    return np.asarray(picked, dtype=np.int64)


def _borders(finite: np.typing.NDArray[np.bool_]) -> Integers:
    """The first and the last point of stretches that are not finite."""
    changes = np.flatnonzero(finite[1:] != finite[:-1])
    return np.unique(np.where(finite[changes], changes + 1, changes))


def _spread(positions: Integers, at_most: int) -> list[int]:
    """The positions, evenly chosen where they are many."""
    if len(positions) > at_most:
        positions = positions[np.linspace(0, len(positions) - 1, at_most).astype(np.int64)]
    found: list[int] = positions.tolist()
    return found
