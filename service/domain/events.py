"""What has come to a run's metric resource since somebody looked at it, as events, each with a position to go on from.

A position is content, not a connection: it names what was given, so that any process can tell what is new since then,
from the run as it is now or from the snapshot that was given. Points that are alike in every member are one point.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple

import msgspec

from service.concurrency.decoders import msgpack_decoder
from service.domain.freshness import Snapshot
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.chunks import chunk_of, gathered, objects

_DIGEST_SIZE = 12
_LONGEST = 400
_UNKNOWN = b""
_Digest = Annotated[bytes, msgspec.Meta(max_length=_DIGEST_SIZE)]


class Kind(StrEnum):
    """The kinds of events, as the stream calls them."""

    STATE = "state"
    POINTS = "points"
    TAGS = "tags"
    CUSTOM_INFO = "custom-info"
    STATUS = "status"
    CHANGED = "changed"
    """Points that were given are no longer so: nothing that was given counts, and all follows anew."""


class Marks(NamedTuple):
    """What was given beside the points: digests of the tags and the custom info, and the status."""

    tags: bytes
    custom_info: bytes
    status: str


class Position(msgspec.Struct, frozen=True, array_like=True):
    """What was given: the first ``rows`` points of a snapshot, in the runtime's order, and what ``Marks`` has.

    ``points`` is a digest of those points, ``snapshot`` the name of what they were read from.
    """

    rows: Annotated[int, msgspec.Meta(ge=0)]
    points: _Digest
    snapshot: Snapshot
    tags: _Digest
    custom_info: _Digest
    status: Annotated[str, msgspec.Meta(max_length=20)]

    @property
    def id(self) -> str:
        """As clients get it: URL-safe text without a meaning to them."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode("ascii")


def position_of(text: str) -> Position | None:
    """The position that a client names; ``None`` for text that is no position of this version of the service."""
    if len(text) > _LONGEST:
        return None
    try:
        packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgpack_decoder(Position).decode(packed)
    except (UnicodeError, binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def position_of_snapshot(resource: MetricResource, snapshot: Snapshot, status: str) -> Position:
    """Of whoever has all of a snapshot, without looking at its points: it says something as long as that is stored."""
    marks = Marks(_digest(resource.tags), _digest(resource.custom_info), status)
    return Position(resource.count, _UNKNOWN, snapshot, *marks)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is given. ``points`` are those of ``Kind.POINTS``, ``text`` the JSON array of tags or custom info.

    Whoever has it and all before it is at ``position``.
    """

    kind: Kind
    position: Position
    points: Chunk | None = None
    text: bytes = b""


class Given:
    """What somebody has: points by their ids (``_id``), in any order, and the marks.

    ``before`` is the position where they are of another snapshot than the one that is looked at now.
    """

    __slots__ = ("before", "ids", "marks")

    def __init__(self, ids: array[int], marks: Marks, before: Position | None = None) -> None:
        self.ids = ids
        self.marks = marks
        self.before = before


class Observed(Given):
    """A metric resource at a moment, looked through once: whoever has been given all of it is here.

    ``may_change`` is whether the run had not ended.
    """

    __slots__ = ("_ends", "_hashers", "count", "may_change", "resource", "snapshot")

    def __init__(self, resource: MetricResource, snapshot: Snapshot, status: str, *, may_change: bool) -> None:
        super().__init__(array("q"), Marks(_digest(resource.tags), _digest(resource.custom_info), status))
        self.resource = resource
        self.snapshot = snapshot
        self.may_change = may_change
        hasher = _hasher()
        self._ends, self._hashers = [0], [hasher.copy()]
        for chunk in resource.metrics:
            texts = objects(chunk)
            self.ids.extend(map(_id, texts))
            _add(hasher, texts)
            self._ends.append(len(self.ids))
            self._hashers.append(hasher.copy())
        self.count = len(set(self.ids))
        """How many points there are, those that are alike counted once."""

    @property
    def status(self) -> str:
        return self.marks.status

    @property
    def position(self) -> Position:
        """Of whoever has all of it."""
        return self._at(len(self._ends) - 1, self.marks)

    def digest(self, rows: int) -> bytes | None:
        """That of the first ``rows`` points; ``None`` where there are fewer."""
        if rows > len(self.ids):
            return None
        number = bisect_right(self._ends, rows) - 1
        hasher = self._hashers[number]
        if rows > self._ends[number]:
            hasher = hasher.copy()
            _add(hasher, objects(self.resource.metrics[number])[: rows - self._ends[number]])
        return bytes(hasher.digest())

    def changes(self, given: Given) -> Iterator[Event]:
        """What has come for whoever was given that, and is to know of it by events alone."""
        if self._lacks(given):
            yield from self.anew()
            return
        yield from self._points(given)
        marks = given.marks
        if self.marks.tags != marks.tags:
            marks = marks._replace(tags=self.marks.tags)
            yield Event(Kind.TAGS, self._whole(marks), text=self.resource.tags)
        if self.marks.custom_info != marks.custom_info:
            marks = marks._replace(custom_info=self.marks.custom_info)
            yield Event(Kind.CUSTOM_INFO, self._whole(marks), text=self.resource.custom_info)
        if self.marks.status != marks.status:
            yield Event(Kind.STATUS, self.position)

    def beginning(self, given: Given | None = None) -> Iterator[Event]:
        """All that there is, or all beyond what was given, for whoever begins to follow the run."""
        if given is None:
            yield Event(Kind.STATE, self._at(0, _NOTHING._replace(status=self.status)))
            given = Given(array("q"), _NOTHING._replace(status=self.status))
        elif self._lacks(given):
            yield from self.anew()
            return
        else:
            given = Given(given.ids, given.marks._replace(status=self.status), given.before)
            yield Event(Kind.STATE, self._position_of(given))
        yield from self.changes(given)

    def anew(self) -> Iterator[Event]:
        """All that there is, for whoever has something else."""
        yield Event(Kind.CHANGED, self._at(0, _NOTHING))
        yield from self.beginning()

    def given_at(self, position: Position, stored: Callable[[Snapshot], Observed | None]) -> Given | None:
        """What was given up to ``position``; ``stored`` has snapshots that are still known. ``None``: nobody can tell.

        The first points of this snapshot are looked at first: most runs only ever append.
        """
        marks = Marks(position.tags, position.custom_info, position.status)
        if self.digest(position.rows) == position.points:
            return Given(self.ids[: position.rows], marks)
        before = stored(position.snapshot)
        if before is None:
            return None
        whole = position.points == _UNKNOWN and position.rows == len(before.ids)
        if not whole and before.digest(position.rows) != position.points:
            return None
        return Given(before.ids[: position.rows], marks, position)

    def _lacks(self, given: Given) -> bool:
        """Whether points that were given are not there any more."""
        return self._rows_behind(given) is None and not set(self.ids).issuperset(given.ids)

    def _rows_behind(self, given: Given) -> int | None:
        """How many rows were given, where they are the first ones."""
        rows = len(given.ids)
        return rows if self.ids[:rows] == given.ids else None

    def _points(self, given: Given) -> Iterator[Event]:
        rows = self._rows_behind(given)
        seen = set(given.ids)
        if rows is None:
            fresh = self._fresh(range(len(self.ids)), seen)
            if fresh:  # in one event: between two of them nobody could say where the reader is
                chunks = list(gathered(self.resource.metrics, fresh))
                points = Chunk(b",".join(chunk.text for chunk in chunks), len(fresh))
                yield Event(Kind.POINTS, self._whole(given.marks), points)
            return
        for number, end in enumerate(self._ends[1:], 1):
            start = self._ends[number - 1]
            if end <= rows:
                continue
            fresh = self._fresh(range(max(start, rows), end), seen)
            if fresh:
                texts = objects(self.resource.metrics[number - 1])
                chosen = chunk_of([texts[row - start] for row in fresh])
                yield Event(Kind.POINTS, self._at(number, given.marks), chosen)

    def _fresh(self, rows: range, seen: set[int]) -> array[int]:
        """Those of ``rows`` whose points are not among ``seen``; they are, from then on."""
        fresh: array[int] = array("i")
        for row in rows:
            one = self.ids[row]
            if one not in seen:
                seen.add(one)
                fresh.append(row)
        return fresh

    def _position_of(self, given: Given) -> Position:
        """Where somebody is that was given that and begins to follow the run."""
        if given.before is not None:
            return msgspec.structs.replace(given.before, status=given.marks.status)
        digest = self.digest(len(given.ids)) or b""
        return Position(len(given.ids), digest, self.snapshot, *given.marks)

    def _whole(self, marks: Marks) -> Position:
        return self._at(len(self._ends) - 1, marks)

    def _at(self, number: int, marks: Marks) -> Position:
        """The position behind so many chunks."""
        return Position(self._ends[number], bytes(self._hashers[number].digest()), self.snapshot, *marks)


def count_of(chunks: Iterable[Chunk]) -> int:
    """How many points there are in ``chunks``, those that are alike counted once."""
    return len({_id(text) for chunk in chunks for text in objects(chunk)})


def _hasher() -> Any:
    return blake2b(digest_size=_DIGEST_SIZE, person=b"points given")


def _add(hasher: Any, texts: Sequence[msgspec.Raw | bytes]) -> None:
    hasher.update(b"\n".join(texts) + b"\n" if texts else b"")


def _id(text: msgspec.Raw | bytes) -> int:
    """Tells one point from another in this process, in eight bytes."""
    return hash(bytes(text))


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_SIZE).digest()


_NOTHING = Marks(_digest(b"[]"), _digest(b"[]"), "")
