"""Filters of points."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import TypeVar

import msgspec

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.selection.chunks import chunk_of, objects, step
from service.domain.selection.instants import instant

_REMEMBERED = 65_536
_Key = TypeVar("_Key", bytes, int)


class Filter(msgspec.Struct, frozen=True):
    """The conditions of a filter, all of which a point must meet. Empty and ``None`` members are no conditions.

    ``names``: one of these exact names. ``search``: a part of the name, ignoring case. ``labels``: all of these, each
    as ``name`` or ``name:value``; where names contain colons, any way to divide the text may match. ``min_step`` to
    ``max_step`` and ``since`` to ``until`` (as ``instants.instant`` has them) are inclusive; a point without a step or
    timestamp lies outside of all bounds.
    """

    names: tuple[str, ...] = ()
    search: str = ""
    labels: tuple[str, ...] = ()
    min_step: int | None = None
    max_step: int | None = None
    since: bytes | None = None
    until: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every point passes."""
        return self == EVERYTHING


EVERYTHING = Filter()
_Criterion = tuple[str, Callable[[bytes], bool]]
"""A field of a point, and a test of its literal."""


def selected(chunks: Sequence[Chunk], wanted: Filter) -> Sequence[Chunk]:
    """The points that pass, in their order. A chunk whose points all pass is returned unchanged."""
    return chunks if wanted.is_empty else tuple(_selected(chunks, wanted))


def passing(chunks: Iterable[Chunk], wanted: Filter) -> Iterable[Chunk]:
    """Like ``selected``, one chunk at a time."""
    return chunks if wanted.is_empty else _selected(chunks, wanted)


def matching(chunks: Iterable[Chunk], wanted: Filter) -> array[int]:
    """The rows of the points that pass; a point's row is its position among all points."""
    rows: array[int] = array("i")
    criteria = _criteria(wanted)
    start = 0
    for chunk in chunks:
        passes = _passes(chunk, criteria)
        rows.extend(compress(range(start, start + chunk.count), passes))
        start += chunk.count
    return rows


def _selected(chunks: Iterable[Chunk], wanted: Filter) -> Iterator[Chunk]:
    criteria = _criteria(wanted)
    for chunk in chunks:
        passes = _passes(chunk, criteria)
        count = sum(passes)
        if count == chunk.count:
            yield chunk
        elif count:
            yield chunk_of(list(compress(objects(chunk), passes)))


def _passes(chunk: Chunk, criteria: Sequence[_Criterion]) -> list[bool]:
    columns = points.columns(chunk, tuple(field for field, _ in criteria))
    tests = [test for _, test in criteria]
    passes = list(map(tests[0], columns[0]))
    for test, literals in zip(tests[1:], columns[1:], strict=True):
        passes = [passed and test(literal) for passed, literal in zip(passes, literals, strict=True)]
    return passes


def _criteria(wanted: Filter) -> list[_Criterion]:
    """The tests of a filter. Names and labels repeat from point to point, so results for each literal are kept."""
    criteria: list[_Criterion] = []
    if wanted.names or wanted.search:
        criteria.append(("name", _name_test(frozenset(wanted.names), wanted.search.casefold())))
    if wanted.labels:
        criteria.append(("labels", _label_test(frozenset(wanted.labels))))
    if wanted.min_step is not None or wanted.max_step is not None:
        criteria.append(("step", _range_test(step, wanted.min_step, wanted.max_step)))
    if wanted.since is not None or wanted.until is not None:
        criteria.append(("timestamp", _range_test(instant, wanted.since, wanted.until)))
    return criteria


def _name_test(names: frozenset[str], part: str) -> Callable[[bytes], bool]:
    @lru_cache(_REMEMBERED)
    def passes(literal: bytes) -> bool:
        name = points.text(literal)
        return (not names or name in names) and part in name.casefold()

    return passes


def _label_test(wanted: frozenset[str]) -> Callable[[bytes], bool]:
    @lru_cache(_REMEMBERED)
    def passes(literal: bytes) -> bool:
        labels = points.labels(literal)
        return wanted <= {label.name for label in labels} | {f"{label.name}:{label.value}" for label in labels}

    return passes


def _range_test(
    read: Callable[[bytes], _Key | None], least: _Key | None, greatest: _Key | None
) -> Callable[[bytes], bool]:
    def passes(literal: bytes) -> bool:
        key = read(literal)
        return key is not None and (least is None or least <= key) and (greatest is None or key <= greatest)

    return passes
