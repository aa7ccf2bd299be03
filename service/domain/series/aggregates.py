"""Aggregates over the points of a series, or of all series of a name: first, last, min, max, mean, count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.series import builder, columns
from service.domain.series.columns import Columns, Integers
from service.domain.series.exact_sum import Total
from service.domain.series.series import Series
from service.domain.series.summary import Summary

_ENDS = 2


def summarize(chunks: Sequence[Chunk]) -> list[Summary]:
    """The summaries of all series by first appearance, then one for each name with several series."""
    if not chunks:
        return []
    read = columns.read(chunks)
    if not read.names:
        return []
    totals = _totals(read)
    found = [_summary(one, one.labels, total) for one, total in _together(read, totals)]
    merged, owners = _by_name(read)
    if not merged.names:
        return found
    sums = [Total() for _ in merged.names]
    for total, owner in zip(totals, owners, strict=True):
        if owner >= 0:
            sums[owner].join(total)
    return found + [_summary(one, None, total) for one, total in _together(merged, sums)]


def _together(read: Columns, totals: Sequence[Total]) -> Iterator[tuple[Series, Total]]:
    return zip(builder.of_columns(read, _ENDS), totals, strict=True)


def _summary(series: Series, labels: bytes | None, total: Total) -> Summary:
    exact = total.exact if total.added else None
    return Summary(
        series.name,
        labels,
        series.count,
        series.first,
        series.last,
        series.min,
        series.max,
        total.mean(),
        None if exact is None else str(exact).encode("ascii"),
        total.added,
    )


def _totals(read: Columns) -> list[Total]:
    """The sum of each series, read chunk by chunk."""
    totals = [Total() for _ in read.names]
    bounds = np.searchsorted(read.places, [*read.starts, np.iinfo(np.int64).max])
    for number, chunk in enumerate(read.chunks):
        rows = np.arange(bounds[number], bounds[number + 1])
        rows = rows[~np.isnan(read.value[rows])]
        if not len(rows):
            continue
        literals = points.columns(chunk, ("value",))[0]
        rows = rows[np.argsort(read.series[rows], kind="stable")]
        places = (read.places[rows] - read.starts[number]).tolist()
        owners, starts = np.unique(read.series[rows], return_index=True)
        ends = [*starts[1:].tolist(), len(rows)]
        for owner, start, end in zip(owners.tolist(), starts.tolist(), ends, strict=True):
            totals[owner].add_literals([literals[place] for place in places[start:end]])
    return totals


def _by_name(read: Columns) -> tuple[Columns, list[int]]:
    """The rows of names with several series, numbered by name; and for each series the number of its name, or -1."""
    names = [points.text(name) for name, _ in read.names]
    count = Counter(names)
    seen: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        if count[name] > 1:
            seen.setdefault(name, []).append(number)
    several = list(seen.values())
    owners = np.full(len(names), -1, dtype=np.int32)
    for number, members in enumerate(several):
        owners[members] = number
    series = owners[read.series]
    kept: Integers = np.flatnonzero(series >= 0)
    merged = replace(
        read,
        series=series[kept],
        step=read.step[kept],
        value=read.value[kept],
        places=read.places[kept],
        names=[read.names[members[0]] for members in several],
    )
    found: list[Any] = owners.tolist()
    return merged, found
