"""A run's metric resource: everything that was logged to the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from service.concurrency.time_limit import checkpoint
from service.domain.lazy_sequence import LazySequence

MOST_STEP_DIGITS = 1000
"""The most digits of a step; longer ones are not read, so that nobody has to work on endless numbers."""

MOST_MEMBER_BYTES = 512 * 1024
"""Of a name, of a point's labels together, of a value or a timestamp, as the runtime writes it. Each is read, compared
and written as a whole; the AI API has 256 characters for names and labels. A value or timestamp that is longer is none,
and what says of which metric a point is cannot be left out."""

MOST_LABEL_NAMES = 257
"""The most label names kept of a run: one more than a table has columns for."""


class Unreadable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many members of a runtime's answer could not be read and are ``null``, by their kind.

    ``at_epoch`` counts timestamps of 1970, which are kept: MLflow stores unreadable ones so.
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
    """Consecutive points of a run, in the runtime's order, as JSON text.

    ``text`` holds ``count`` objects, separated by commas and without the brackets of an array, each with exactly the
    members ``name``, ``value``, ``timestamp``, ``step`` and ``labels``, in any order. A timestamp is written
    ``"timestamp":"2026-03-29T01:00:13.5Z"``, in UTC and with the runtime's own fraction digits; as it was received,
    with its offset, where UTC falls outside the years 0001 to 9999; or ``null``. ``value`` is a number, ``"NaN"``,
    ``"Infinity"``, ``"-Infinity"`` or ``null``; ``step`` is a whole number of either sign, of at most
    ``MOST_STEP_DIGITS`` digits, or ``null``. All other literals, and the white space between them, are exactly as the
    runtime sent them.
    """

    text: bytes
    count: int


class Chunks(LazySequence[Chunk]):
    """Lazy chunks: ``load`` gets one by its number, on each access.

    ``counts`` are the numbers of their points, known without loading. Loading checks whether the time for long work is
    over (``concurrency.time_limit``).
    """

    def __init__(self, counts: Sequence[int], load: Callable[[int], bytes]) -> None:
        self.counts = counts
        self._load = load

    def __len__(self) -> int:
        return len(self.counts)

    def _load_element(self, number: int) -> Chunk:
        checkpoint()
        return Chunk(self._load(number), self.counts[number])


def counts_of(chunks: Sequence[Chunk]) -> Sequence[int]:
    """The number of points of each chunk, without loading it."""
    return chunks.counts if isinstance(chunks, Chunks) else [chunk.count for chunk in chunks]


class MetricResource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Metrics, tags and custom info of one run, as JSON text with timestamps in UTC.

    ``created_at`` and ``modified_at`` are JSON literals of a timestamp, written as in a ``Chunk``, or ``null``;
    ``tags`` and ``custom_info`` are JSON arrays of ``{"name":…,"value":…}``, written so. ``count`` is the number of
    points in all chunks; ``unreadable`` counts members of points that could not be read, including missing timestamps
    and values; ``unreadable_moments`` those of ``created_at`` and ``modified_at``. ``label_names`` are those of all
    points by first appearance, ``MOST_LABEL_NAMES`` at most; ``None`` where they have not been collected.
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
    unreadable_moments: int = 0
