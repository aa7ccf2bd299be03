"""Sorting of points, with their rows as the result.

Keys are read from the chunks one by one into columns of numbers, which numpy sorts without the interpreter's lock;
other objects are sorted in pieces. So other threads do not have to wait.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal, Protocol, TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.concurrency.time_limit import checkpoint
from service.domain import points
from service.domain.merge_sort import ranks
from service.domain.metrics import Chunk
from service.domain.selection.chunks import gathered, step
from service.domain.selection.instants import instant

Field: TypeAlias = Literal["name", "step", "timestamp", "value"]
FIELDS: tuple[Field, ...] = get_args(Field)
_WIDEST = 64
"""The longest instant in a column, in bytes; with a longer one, all are objects."""


class SortKey(msgspec.Struct, frozen=True):
    """A sort key."""

    field: Field
    descending: bool = False


def order(chunks: Sequence[Chunk], keys: Sequence[SortKey], rows: array[int] | None = None) -> array[int]:
    """The rows of the points (those of ``rows``, ascending, or all) sorted by ``keys``, in order of precedence; stable.

    Names are compared by Unicode code points, values and steps as exact numbers, timestamps as instants. ``null`` and
    NaN come last in either direction.
    """
    chosen = chunks if rows is None else list(gathered(chunks, rows))
    columns = {key.field: _COLUMNS[key.field]() for key in keys}
    for chunk in chosen:
        for column, literals in zip(columns.values(), points.columns(chunk, tuple(columns)), strict=True):
            column.add(literals)
    decisive = [part for key in reversed(keys) for part in columns[key.field].keys(chosen, descending=key.descending)]
    checkpoint()
    found = array("i")
    if decisive and len(decisive[0]):
        places = np.lexsort(decisive).astype(np.int32)
        found.frombytes((places if rows is None else np.frombuffer(rows, dtype=np.int32)[places]).tobytes())
    return found


class _Column(Protocol):
    """One field of all points."""

    def add(self, literals: list[bytes]) -> None:
        """Add the literals of one chunk."""

    def keys(self, chunks: Sequence[Chunk], *, descending: bool) -> list[NDArray[Any]]:
        """The keys for ``lexsort``, of which the last takes precedence; smaller ones come first."""
        ...


class _Values:
    """Values in double precision, and a hash of each literal: only equal values with different literals are compared by
    all their digits."""

    def __init__(self) -> None:
        self._numbers: list[NDArray[Any]] = []
        self._hashes: list[NDArray[Any]] = []

    def add(self, literals: list[bytes]) -> None:
        self._numbers.append(np.array([points.number(literal) for literal in literals], dtype=np.float64))
        self._hashes.append(np.array(list(map(hash, literals)), dtype=np.int64))

    def keys(self, chunks: Sequence[Chunk], *, descending: bool) -> list[NDArray[Any]]:
        numbers = np.concatenate(self._numbers) if self._numbers else np.array([])
        exact = self._exact(chunks, numbers)
        if exact is None:
            return [-numbers if descending else numbers]
        return [~exact, -numbers] if descending else [exact, numbers]

    def _exact(self, chunks: Sequence[Chunk], numbers: NDArray[Any]) -> NDArray[Any] | None:
        """A further key for values that are equal in double precision, where there are different ones."""
        if not len(numbers):
            return None
        rows = np.argsort(numbers, kind="stable")
        equal = numbers[rows][1:] == numbers[rows][:-1]
        hashes = np.concatenate(self._hashes)[rows]
        differ = equal & (hashes[1:] != hashes[:-1])
        if not differ.any():
            return None
        groups = np.concatenate(([0], np.cumsum(~equal)))
        doubtful = np.sort(rows[np.isin(groups, groups[1:][differ])])
        wanted = array("i")
        wanted.frombytes(doubtful.astype(np.int32).tobytes())
        literals = chain.from_iterable(points.columns(chunk, ("value",))[0] for chunk in gathered(chunks, wanted))
        exact = np.zeros(len(numbers), dtype=np.int64)
        exact[doubtful] = ranks(list(map(points.exact, literals)))
        return exact


class _Steps:
    """Steps as integers of 64 bits, or as objects where one does not fit."""

    def __init__(self) -> None:
        self._steps: list[NDArray[Any]] = []
        self._null: list[NDArray[Any]] = []

    def add(self, literals: list[bytes]) -> None:
        found = list(map(step, literals))
        self._null.append(np.array([number is None for number in found], dtype=np.bool_))
        numbers = [number or 0 for number in found]
        try:
            self._steps.append(np.array(numbers, dtype=np.int64))
        except OverflowError:
            self._steps.append(np.array(numbers, dtype=object))

    def keys(self, chunks: Sequence[Chunk], *, descending: bool) -> list[NDArray[Any]]:
        if any(part.dtype == object for part in self._steps):
            steps = ranks([number for part in self._steps for number in part.tolist()])
        else:
            steps = np.concatenate(self._steps) if self._steps else np.array([], dtype=np.int64)
        null = np.concatenate(self._null) if self._null else np.array([], dtype=np.bool_)
        return [~steps if descending else steps, null]


class _Instants:
    """Timestamps as text of fixed width that sorts like the instants, or as objects where that would be too wide."""

    def __init__(self) -> None:
        self._instants: list[NDArray[Any] | list[bytes]] = []
        self._null: list[NDArray[Any]] = []

    def add(self, literals: list[bytes]) -> None:
        found = list(map(instant, literals))
        self._null.append(np.array([moment is None for moment in found], dtype=np.bool_))
        moments = [moment or b"" for moment in found]
        wide = max(map(len, moments), default=0) > _WIDEST
        self._instants.append(moments if wide else np.array(moments, dtype=np.bytes_))

    def keys(self, chunks: Sequence[Chunk], *, descending: bool) -> list[NDArray[Any]]:
        if any(isinstance(part, list) for part in self._instants):
            order = ranks([bytes(moment) for part in self._instants for moment in part])
        else:
            order = _dense(np.concatenate(self._instants) if self._instants else np.array([], dtype=np.bytes_))
        null = np.concatenate(self._null) if self._null else np.array([], dtype=np.bool_)
        return [~order if descending else order, null]


class _Names:
    """Names by number; each distinct literal is read once."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._numbers: list[NDArray[Any]] = []

    def add(self, literals: list[bytes]) -> None:
        known = self._known
        self._numbers.append(np.array([known.setdefault(literal, len(known)) for literal in literals], dtype=np.int32))

    def keys(self, chunks: Sequence[Chunk], *, descending: bool) -> list[NDArray[Any]]:
        order = ranks(list(map(points.text, self._known)))
        names = order[np.concatenate(self._numbers)] if self._numbers else order
        return [~names if descending else names]


_COLUMNS: dict[Field, Callable[[], _Column]] = {
    "name": _Names,
    "step": _Steps,
    "timestamp": _Instants,
    "value": _Values,
}


def _dense(column: NDArray[Any]) -> NDArray[Any]:
    """Like ``ranks``, for a column."""
    rows = np.argsort(column, kind="stable")
    in_order = column[rows]
    found = np.zeros(len(column), dtype=np.int64)
    if len(column):
        found[rows] = np.concatenate(([0], np.cumsum(in_order[1:] != in_order[:-1])))
    return found
