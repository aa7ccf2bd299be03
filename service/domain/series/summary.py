"""What a summary of a metric is."""

from __future__ import annotations

import msgspec

from service.domain.metrics import Unreadable


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the points of one metric come to.

    ``name`` and ``labels`` are JSON literals; ``labels`` is ``None`` where the points of all label sets are meant,
    which is summarized where a name has several. ``first``, ``last``, ``min`` and ``max`` are points as a ``Series``
    has them. ``total`` is the exact sum of the ``added`` values that are numbers, as a decimal literal; ``None`` where
    there is no value, where one is infinite, or where the sum has more digits than are added. ``mean`` is a JSON
    literal: the exact mean rounded to 17 significant digits, ``null`` where these are not certain; infinite where a
    value is, NaN where values of both infinities are.
    """

    name: bytes
    labels: bytes | None
    count: int
    first: bytes
    last: bytes
    min: bytes | None
    max: bytes | None
    mean: bytes
    total: bytes | None
    added: int


class RunSummary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the metrics of a run come to, as ``aggregates.summarize`` lists them, and what of them is unreadable."""

    summaries: tuple[Summary, ...]
    unreadable: Unreadable
