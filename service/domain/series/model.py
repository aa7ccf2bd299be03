"""What a series is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one metric name and label set.

    ``name`` (a string) and ``labels`` (an array as the first logged point has it) are JSON literals. Each point is the
    text ``{"step":…,"timestamp":…,"value":…}``, its literals the runtime's and its timestamp in UTC as in ``Chunk``.

    ``points`` are ordered by step, then timestamp, then as the runtime gave them; points without a step come after
    those with one, and without a timestamp after those with one. ``count``, ``first``, ``last``, ``min``, ``max`` and
    ``mean`` are of all points, whether ``points`` has them or was ``downsampled``. Of equal extremes the first counts.
    ``min`` and ``max`` count infinities and leave out NaN and values that could not be read (``null``); they are
    ``None`` where no value is left. ``mean`` leaves out the same and is what IEEE 754 makes of infinities: one of them
    is the mean, two that differ make it NaN.
    """

    name: bytes
    labels: bytes
    count: int
    first: bytes
    last: bytes
    min: bytes | None
    max: bytes | None
    mean: float | None
    points: Sequence[bytes]
    downsampled: bool
