"""Changes of a run's metric resource as events, each with a position from which a stream can be resumed.

A position describes content, not a connection: it names what was delivered, so that any process can work out what is
new since then, from the run as it is now or from the stored snapshot. Points equal in every member count as one point.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from hashlib import blake2b
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import msgspec

from service.concurrency.decoders import msgpack_decoder
from service.domain.freshness import Snapshot
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.chunks import chunk_of, gathered, objects

_DIGEST_SIZE = 12
_LONGEST = 400
_STRETCH = 16 * 1024
"""Ids that are added to a set at once: no other thread runs meanwhile."""
_UNKNOWN = b""
_NO_IDS = memoryview(array("q"))
_Digest = Annotated[bytes, msgspec.Meta(max_length=_DIGEST_SIZE)]


class Kind(StrEnum):
    """The kinds of events; the values are their names in the stream."""

    STATE = "state"
    POINTS = "points"
    TAGS = "tags"
    CUSTOM_INFO = "custom-info"
    STATUS = "status"
    CHANGED = "changed"
    """Delivered points have been changed or removed: the client discards everything, and all of it follows again."""


class Marks(NamedTuple):
    """What was delivered beside the points: digests of the tags and the custom info, and the status."""

    tags: bytes
    custom_info: bytes
    status: str


class Position(msgspec.Struct, frozen=True, array_like=True):
    """What was delivered: the first ``rows`` points of a snapshot, in the runtime's order, and what ``Marks`` has.

    ``points`` is a digest of those points; ``snapshot`` names the snapshot they were read from.
    """

    rows: Annotated[int, msgspec.Meta(ge=0)]
    points: _Digest
    snapshot: Snapshot
    tags: _Digest
    custom_info: _Digest
    status: Annotated[str, msgspec.Meta(max_length=20)]

    @property
    def id(self) -> str:
        """The position as clients get it: opaque, URL-safe text."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode("ascii")


def position_of(text: str) -> Position | None:
    """The position that a client sends; ``None`` for text that this version of the service has not written."""
    if len(text) > _LONGEST:
        return None
    try:
        packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgpack_decoder(Position).decode(packed)
    except (UnicodeError, binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def position_of_snapshot(resource: MetricResource, snapshot: Snapshot, status: str) -> Position:
    """The position after a whole snapshot, made without reading its points; usable while the snapshot is stored."""
    marks = Marks(_digest(resource.tags), _digest(resource.custom_info), status)
    return Position(resource.count, _UNKNOWN, snapshot, *marks)


class Event(msgspec.Struct, frozen=True):
    """One event. ``points`` are those of ``Kind.POINTS``, ``text`` the JSON array of tags or custom info.

    ``position`` is that of a client which has received this event and all before it.
    """

    kind: Kind
    position: Position
    points: Chunk | None = None
    text: bytes = b""


class Delivered:
    """What a client has received: points by their ids (``_id``), in any order, and the marks.

    ``before`` is its position where the points are of an earlier snapshot. The ids are shared with the snapshot that
    they were found in: a slow reader keeps this for as long as it reads.
    """

    __slots__ = ("before", "ids", "marks")

    def __init__(self, ids: memoryview, marks: Marks, before: Position | None = None) -> None:
        self.ids = ids
        self.marks = marks
        self.before = before


class Observed(Delivered):
    """A metric resource at one moment, indexed for comparison. As ``Delivered`` it is a client that has all of it.

    ``may_change`` is whether the run had not ended.
    """

    __slots__ = ("_ends", "_firsts", "_hashers", "count", "may_change", "resource", "snapshot")

    def __init__(self, resource: MetricResource, snapshot: Snapshot, status: str, *, may_change: bool) -> None:
        self.resource = resource
        self.snapshot = snapshot
        self.may_change = may_change
        hasher = _hasher()
        self._ends, self._hashers = [0], [hasher.copy()]
        ids = array("q")
        for chunk in resource.metrics:
            texts = objects(chunk)
            ids.extend(map(_id, texts))
            _add(hasher, texts)
            self._ends.append(len(ids))
            self._hashers.append(hasher.copy())
        super().__init__(memoryview(ids), Marks(_digest(resource.tags), _digest(resource.custom_info), status))
        self._firsts = _firsts(ids)
        self.count = self._firsts.count(1)
        """The number of distinct points."""

    @property
    def status(self) -> str:
        return self.marks.status

    @property
    def position(self) -> Position:
        """The position behind all of it."""
        return self._at(len(self._ends) - 1, self.marks)

    def digest(self, rows: int) -> bytes | None:
        """The digest of the first ``rows`` points; ``None`` where there are fewer."""
        if rows > len(self.ids):
            return None
        number = bisect_right(self._ends, rows) - 1
        hasher = self._hashers[number]
        if rows > self._ends[number]:
            hasher = hasher.copy()
            _add(hasher, objects(self.resource.metrics[number])[: rows - self._ends[number]])
        return bytes(hasher.digest())

    def changes(self, delivered: Delivered) -> Iterator[Event]:
        """The events that bring a client which has received ``delivered`` up to date."""
        if self._lacks(delivered):
            yield from self.restarted()
            return
        yield from self._points(delivered)
        marks = delivered.marks
        if self.marks.tags != marks.tags:
            marks = marks._replace(tags=self.marks.tags)
            yield Event(Kind.TAGS, self._whole(marks), text=self.resource.tags)
        if self.marks.custom_info != marks.custom_info:
            marks = marks._replace(custom_info=self.marks.custom_info)
            yield Event(Kind.CUSTOM_INFO, self._whole(marks), text=self.resource.custom_info)
        if self.marks.status != marks.status:
            yield Event(Kind.STATUS, self.position)

    def beginning(self, delivered: Delivered | None = None) -> Iterator[Event]:
        """The events that open a stream: everything, or everything beyond what was delivered before."""
        if delivered is None:
            yield Event(Kind.STATE, self._at(0, _NOTHING._replace(status=self.status)))
            delivered = Delivered(_NO_IDS, _NOTHING._replace(status=self.status))
        elif self._lacks(delivered):
            yield from self.restarted()
            return
        else:
            delivered = Delivered(delivered.ids, delivered.marks._replace(status=self.status), delivered.before)
            yield Event(Kind.STATE, self._position_of(delivered))
        yield from self.changes(delivered)

    def restarted(self) -> Iterator[Event]:
        """The events for a client whose points are outdated: ``changed``, then everything."""
        yield Event(Kind.CHANGED, self._at(0, _NOTHING))
        yield from self.beginning()

    def delivered_at(self, position: Position, stored: Callable[[Snapshot], Observed | None]) -> Delivered | None:
        """What was delivered up to ``position``; ``None`` where that is no longer known.

        ``stored`` looks up an earlier snapshot. This snapshot is tried first: most runs only ever append.
        """
        marks = Marks(position.tags, position.custom_info, position.status)
        if self.digest(position.rows) == position.points:
            return Delivered(self.ids[: position.rows], marks)
        before = stored(position.snapshot)
        if before is None:
            return None
        whole = position.points == _UNKNOWN and position.rows == len(before.ids)
        if not whole and before.digest(position.rows) != position.points:
            return None
        delivered = Delivered(before.ids[: position.rows], marks, position)
        rows = self._rows_behind(delivered)
        return delivered if rows is None else Delivered(self.ids[:rows], marks, position)

    def _lacks(self, delivered: Delivered) -> bool:
        """Whether delivered points are missing from this snapshot."""
        return self._rows_behind(delivered) is None and not set(self.ids).issuperset(delivered.ids)

    def _rows_behind(self, delivered: Delivered) -> int | None:
        """The number of delivered rows, where they are the first ones of this snapshot."""
        rows = len(delivered.ids)
        return rows if self.ids[:rows] == delivered.ids else None

    def _points(self, delivered: Delivered) -> Iterator[Event]:
        rows = self._rows_behind(delivered)
        if rows is None:  # in one event: a position between two of them could not be described
            points = self._missing(delivered.ids)
            if points.count:
                yield Event(Kind.POINTS, self._whole(delivered.marks), points)
            return
        for number, (start, end) in enumerate(pairwise(self._ends)):
            fresh = [row - start for row in range(max(start, rows), end) if self._firsts[row]]
            if fresh:
                yield Event(Kind.POINTS, self._at(number + 1, delivered.marks), self._chosen(number, fresh))

    def _chosen(self, number: int, rows: Sequence[int]) -> Chunk:
        """Those rows of a chunk."""
        chunk = self.resource.metrics[number]
        if len(rows) == chunk.count:
            return chunk
        texts = objects(chunk)
        return chunk_of([texts[row] for row in rows])

    def _missing(self, delivered: Iterable[int]) -> Chunk:
        """The points that have not been delivered, as one chunk."""
        seen = set(delivered)
        fresh = array("i", (row for row, one in enumerate(self.ids) if _adds(seen, one)))
        return Chunk(b",".join(chunk.text for chunk in gathered(self.resource.metrics, fresh)), len(fresh))

    def _position_of(self, delivered: Delivered) -> Position:
        """The position of a client that has received ``delivered`` and resumes."""
        if delivered.before is not None:
            return msgspec.structs.replace(delivered.before, status=delivered.marks.status)
        digest = self.digest(len(delivered.ids)) or b""
        return Position(len(delivered.ids), digest, self.snapshot, *delivered.marks)

    def _whole(self, marks: Marks) -> Position:
        return self._at(len(self._ends) - 1, marks)

    def _at(self, number: int, marks: Marks) -> Position:
        """The position behind the first ``number`` chunks."""
        return Position(self._ends[number], bytes(self._hashers[number].digest()), self.snapshot, *marks)


def count_of(chunks: Iterable[Chunk]) -> int:
    """The number of distinct points in ``chunks``."""
    return len({_id(text) for chunk in chunks for text in objects(chunk)})


def _hasher() -> Any:
    return blake2b(digest_size=_DIGEST_SIZE, person=b"points given")


def _add(hasher: Any, texts: Sequence[msgspec.Raw | bytes]) -> None:
    hasher.update(b"\n".join(texts) + b"\n" if texts else b"")


def _id(text: msgspec.Raw | bytes) -> int:
    """Identifies a point within this process, in eight bytes."""
    return hash(bytes(text))


def _firsts(ids: Sequence[int]) -> bytes:
    """For each id 1 where it is the first of its kind, otherwise 0: kept once, where each reader would keep those that
    it has seen."""
    seen: set[int] = set()
    for start in range(0, len(ids), _STRETCH):
        seen.update(ids[start : start + _STRETCH])
    if len(seen) == len(ids):
        return b"\1" * len(ids)
    seen.clear()
    return bytes(_adds(seen, one) for one in ids)


def _adds(seen: set[int], one: int) -> bool:
    """Add to ``seen``; whether it was not there."""
    before = len(seen)
    seen.add(one)
    return len(seen) > before


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_SIZE).digest()


_NOTHING = Marks(_digest(b"[]"), _digest(b"[]"), "")
