"""Timestamps as columns of integers that sort like the instants, to 18 fractional digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.series.columns import Floats, Integers

_SECONDS = len("2026-03-29T01:00:00")
_DIGITS = 18
_WEIGHTS = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
_SHOWN = slice(1, 1 + _SECONDS + 1 + _DIGITS)
"""The bytes of a literal that are read: a column is as wide as its longest member, and fractions have no limit."""
NEVER = np.iinfo(np.int64).max


class Instants(NamedTuple):
    """``seconds`` since 1970 and ``fraction`` in 10⁻¹⁸ s; a point without a timestamp has ``NEVER`` seconds."""

    seconds: Integers
    fraction: Integers


def read(chunks: Sequence[Chunk]) -> Instants:
    """The timestamps of all points. One outside the years of UTC counts by its local time."""
    parts = [_instants(points.timestamps(chunk)) for chunk in chunks]
    return Instants(np.concatenate([part.seconds for part in parts]), np.concatenate([part.fraction for part in parts]))


def seconds(read: Instants) -> Floats:
    """Seconds since 1970 in double precision, NaN without a timestamp."""
    return np.where(read.seconds == NEVER, np.nan, read.seconds + read.fraction / 10.0**_DIGITS)


def _instants(literals: list[bytes]) -> Instants:
    known = np.array([literal != points.NULL for literal in literals])
    seconds = np.full(len(literals), NEVER)
    fraction = np.zeros(len(literals), dtype=np.int64)
    if known.any():
        written = np.array([literal[_SHOWN] for literal in literals if literal != points.NULL], dtype=np.bytes_)
        seconds[known] = written.astype(f"S{_SECONDS}").astype("datetime64[s]").astype(np.int64)
        fraction[known] = _fraction(written)
    return Instants(seconds, fraction)


def _fraction(written: np.typing.NDArray[np.bytes_]) -> Integers:
    """What follows the seconds, ``.5Z"``, as an integer; everything from the first other character on is no digit."""
    start = _SECONDS + 1
    width = written.dtype.itemsize - start
    if width <= 0:
        return np.zeros(len(written), dtype=np.int64)
    characters = written.view(np.uint8).reshape(len(written), -1)[:, start : start + _DIGITS]
    digits = characters.astype(np.int64) - ord("0")
    is_digit = np.logical_and.accumulate((digits >= 0) & (digits <= 9), axis=1)
    has_point = written.view(np.uint8).reshape(len(written), -1)[:, _SECONDS] == ord(".")
    total: Integers = np.where(is_digit, digits, 0) @ _WEIGHTS[: digits.shape[1]]
    return np.where(has_point, total, 0)
