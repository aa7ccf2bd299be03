"""Summaries of metrics."""

from __future__ import annotations

import msgspec

from service.domain.metrics import Unreadable


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The aggregates of one metric's points.

    ``name`` and ``labels`` are JSON literals; ``labels`` is ``None`` in the summary of all label sets, which exists
    where a name has several. ``first``, ``last``, ``min`` and ``max`` are points as in a ``Series``. ``total`` is the
    exact sum of the ``added`` values that are numbers, as a decimal literal; ``None`` where there is no value, where
    one is infinite, or where the sum has more digits than are added. ``mean`` is a JSON literal: the exact mean rounded
    to 17 significant digits, ``null`` where these are not certain; infinite where a value is, NaN where values of both
    infinities are.
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
    """The summaries of a run's metrics, as listed by ``aggregates.summarize``, and how many members of its points could
    not be read."""

    summaries: tuple[Summary, ...]
    unreadable: Unreadable
