"""The model of a series. A run may have 100,000 of them; the garbage collector, which stops all threads, skips them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.domain.series.reasons import DRAWN
from service.domain.series.series_counter import Needs

GAP = 20
"""The least length of a gap, as a multiple of the median distance between neighbouring points."""


class Projection(msgspec.Struct, frozen=True):
    """How series will be drawn: ``along`` which member, with the share ``smooth`` of a moving mean kept from point to
    point (0: not smoothed), and whether only ``positive`` values can be shown."""

    along: Needs
    smooth: float = 0.0
    positive: bool = False


class Course(msgspec.Struct, frozen=True, gc=False):
    """What a chart of a series needs beside its points, calculated from all points.

    ``means`` has the moving mean at each point of the series, ``None`` where its value is not a finite number or the
    axis cannot show the mean; it is empty without smoothing. The line breaks before the points at the positions
    ``breaks``; ``longest_gap`` is the greatest distance there, in steps or seconds. ``counts`` has the number of points
    of each ``Reason`` not to be drawn.
    """

    means: Sequence[float | None] = ()
    breaks: Sequence[int] = ()
    longest_gap: float = 0.0
    counts: Sequence[int] = ()

    @property
    def drawable(self) -> int:
        """The number of points that can be drawn."""
        return sum(self.counts[reason] for reason in DRAWN)


NO_COURSE = Course()


class Series(msgspec.Struct, frozen=True, gc=False):
    """The points of one metric name and label set.

    ``name`` (a string) and ``labels`` (an array as the first logged point has it) are JSON literals. Each point is the
    text ``{"step":…,"timestamp":…,"value":…}``, its literals the runtime's and its timestamp in UTC as in ``Chunk``.

    ``points`` are ordered by step, then timestamp, then as the runtime gave them; points without a step come after
    those with one, and without a timestamp after those with one. ``last`` is the latest of the highest step, which is
    not the last of ``points`` where some have no step or no timestamp. ``count``, ``first``, ``last``, ``min``, ``max``
    and ``mean`` are of all points, even where ``points`` was ``downsampled``. Of equal extremes the first counts.
    ``min`` and ``max`` include infinities, but neither NaN nor values that could not be read (``null``); they are
    ``None`` where no value is left. ``mean`` is of the same values, a JSON literal: in double precision, of 17 digits
    where a value is out of its range, ``null`` where no value is left. It follows IEEE 754 with infinities: infinite,
    or NaN where both occur. ``course`` is for charts, where one was asked for; ``points`` are then those that can be
    drawn, in their order along the axis.
    """

    name: bytes
    labels: bytes
    count: int
    first: bytes
    last: bytes
    min: bytes | None
    max: bytes | None
    mean: bytes
    points: Sequence[bytes]
    downsampled: bool
    course: Course = NO_COURSE
