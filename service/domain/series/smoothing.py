"""Exponential moving means, debiased: each value weighs ``smooth`` times as much at the next point, and all weights
sum up to one, so that the mean does not begin at zero (Kingma and Ba, 2015, section 3)."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from service.domain.series.columns import Floats


def means(values: Floats, smooth: float) -> Floats:
    """The mean at each point, 0 < ``smooth`` < 1. Values that are not finite have none (NaN) and do not count."""
    found = np.full(len(values), np.nan)
    finite = np.flatnonzero(np.isfinite(values))
    # In halves, so that no difference of two finite values is infinite.
    biased = accumulate(
        (values[finite] / 2).tolist(), lambda mean, value: mean + (1 - smooth) * (value - mean), initial=0.0
    )
    weights = -np.expm1(np.arange(1, len(finite) + 1) * np.log(smooth))
    halves = np.fromiter(biased, dtype=np.float64, count=len(finite) + 1)[1:] / weights
    if len(halves):  # Rounding may move a mean beyond its values, and out of range of float.
        halves = np.clip(halves, values[finite].min() / 2, values[finite].max() / 2)
    found[finite] = halves * 2
    return found
