"""A run's metric resource: everything that was logged to the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

import msgspec

from service.concurrency.time_limit import checkpoint

MOST_STEP_DIGITS = 1000
"""Digits of a step that are read; more are no step, so that no reader works on numbers without end."""


MOST_LABEL_NAMES = 257
"""Label names that are kept of a run, a table's columns: one more than it has room for."""


class Unreadable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many members of a runtime's answer could not be read and are given as ``null``, by their kind.

    ``at_epoch`` counts timestamps of 1970 that are given as they are: MLflow keeps what it could not read so.
    """

    timestamps: int = 0
    steps: int = 0
    values: int = 0
    at_epoch: int = 0

    def __add__(self, other: Unreadable) -> Unreadable:
        return Unreadable(
            self.timestamps + other.timestamps,
            self.steps + other.steps,
            self.values + other.values,
            self.at_epoch + other.at_epoch,
        )


READABLE = Unreadable()


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stretch of a run's points, in the runtime's order, as JSON text.

    ``text`` holds ``count`` objects, separated by commas and without the brackets of an array, each with exactly the
    members ``name``, ``value``, ``timestamp``, ``step`` and ``labels``, in any order. A timestamp is written
    ``"timestamp":"2026-03-29T01:00:13.5Z"``, in UTC and with the runtime's own fraction digits; as it was received,
    with its offset, where UTC falls outside the years 0001 to 9999; or ``null``. ``value`` is a number, the name of
    what JSON cannot hold, or ``null``; ``step`` is a whole number of either sign, of at most ``MOST_STEP_DIGITS``
    digits, or ``null``. All other literals are the very characters that the runtime sent, white space between them
    included.
    """

    text: bytes
    count: int


class Chunks(Sequence[Chunk]):
    """Chunks whose texts are somewhere else: ``load`` fetches one by its number, each time it is looked at.

    ``counts`` are the numbers of their points, known without loading. Loading is where long work on a run finds that
    its time is over (``concurrency.time_limit``).
    """

    def __init__(self, counts: Sequence[int], load: Callable[[int], bytes]) -> None:
        self.counts = counts
        self._load = load

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, number: int) -> Chunk: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, number: int | slice) -> Chunk | Sequence[Chunk]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        checkpoint()
        if number < 0:
            number += len(self)
        return Chunk(self._load(number), self.counts[number])

    def __iter__(self) -> Iterator[Chunk]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def counts_of(chunks: Sequence[Chunk]) -> Sequence[int]:
    """How many points each chunk has; nothing is loaded."""
    return chunks.counts if isinstance(chunks, Chunks) else [chunk.count for chunk in chunks]


class MetricResource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Metrics, tags and custom info of one run, as JSON text that is ready but for the caller's time zone.

    ``created_at`` and ``modified_at`` are JSON literals of a timestamp, written as in a ``Chunk``, or ``null``;
    ``tags`` and ``custom_info`` are JSON arrays of ``{"name", "value"}``. ``count`` is the number of points in all
    chunks; ``unreadable`` counts what could not be read, a point's missing timestamp and value among it.
    ``label_names`` are those of all points by first appearance, ``MOST_LABEL_NAMES`` at most; ``None`` where nobody has
    looked.
    """

    run_id: str
    created_at: bytes = b"null"
    modified_at: bytes = b"null"
    metrics: Sequence[Chunk] = ()
    tags: bytes = b"[]"
    custom_info: bytes = b"[]"
    count: int = 0
    unreadable: Unreadable = READABLE
    label_names: tuple[str, ...] | None = None
