"""Points in the order that is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, Literal, TypeAlias, get_args

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.selection.instants import instant
from service.domain.selection.objects import chunks_of, objects
from service.domain.selection.steps import step

Field: TypeAlias = Literal["name", "step", "timestamp", "value"]
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field to sort by."""

    field: Field
    descending: bool = False


def ordered(chunks: Iterable[Chunk], keys: Sequence[SortKey]) -> Iterator[Chunk]:
    """The points by the first of ``keys``, where that is equal by the second and so on, at last by their own order.

    Names go by Unicode code points, values and steps as the exact numbers that they are, timestamps as instants.
    What is ``null`` or NaN comes last in either direction.
    """
    if not keys:
        yield from chunks
        return
    held = tuple(chunks)
    columns = _columns(held, frozenset(key.field for key in keys))
    order = list(range(sum(chunk.count for chunk in held)))
    for key in reversed(keys):
        order = _by(key, columns[key.field], order)
    texts = list(chain.from_iterable(map(objects, held)))
    yield from chunks_of(map(texts.__getitem__, order))


def _columns(chunks: Iterable[Chunk], fields: frozenset[Field]) -> dict[Field, list[bytes]]:
    columns: dict[Field, list[bytes]] = {field: [] for field in fields}
    for chunk in chunks:
        every = points.points(chunk, range(chunk.count))
        for field, column in columns.items():
            column += [bytes(getattr(point, field)) for point in every]
    return columns


def _by(key: SortKey, literals: Sequence[bytes], order: list[int]) -> list[int]:
    """``order``, sorted stably by one field."""
    places: list[Any] = list(map(_PLACES[key.field](), literals))
    last = [row for row in order if places[row] is None]
    rows = [row for row in order if places[row] is not None] if last else order
    rows.sort(key=places.__getitem__, reverse=key.descending)
    if key.field == "value":
        rows = _settled(rows, places, literals, descending=key.descending)
    return rows + last


def _settled(rows: list[int], places: Sequence[float], literals: Sequence[bytes], *, descending: bool) -> list[int]:
    """Rows that are equal in double precision, by all of their digits: rounding keeps the order of the others."""
    if len({places[row] for row in rows}) == len(rows):
        return rows
    settled: list[int] = []
    for _, group in groupby(rows, key=places.__getitem__):
        equal = list(group)
        if len({literals[row] for row in equal}) > 1:
            equal.sort(key=lambda row: points.exact(literals[row]), reverse=descending)
        settled += equal
    return settled


def _value(literal: bytes) -> float | None:
    number = points.number(literal)
    return None if number is None or math.isnan(number) else number


_PLACES: dict[Field, Callable[[], Callable[[bytes], Any]]] = {
    "name": lambda: lru_cache(points.text),
    "step": lambda: step,
    "timestamp": lambda: instant,
    "value": lambda: _value,
}
