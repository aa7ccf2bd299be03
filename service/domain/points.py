"""Reads a chunk's points, as far as they are needed: numbers for calculations, literals for answers.

Literals are the exact bytes of the chunk. Where the strict parser refuses a chunk (a lone surrogate escape such as
``\\ud83d``, a number out of range of ``float``), the standard library reads it: numbers stay literals there, too, while
escapes in strings may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain.metrics import Chunk

NULL = b"null"


class Measure(msgspec.Struct, gc=False):
    """A point as numbers. ``name`` and ``labels`` are literals; ``value`` may be a name such as ``NaN``, and ``None``
    where the runtime's could not be read."""

    name: Raw
    labels: Raw
    value: float | str | None
    step: int | float | None


class Point(msgspec.Struct, gc=False):
    """A point as literals."""

    name: Raw
    labels: Raw
    value: Raw
    step: Raw
    timestamp: Raw


class NameValue(NamedTuple):
    """A label."""

    name: str
    value: str


class _Label(msgspec.Struct, gc=False):
    name: str
    value: str


class _Stamped(msgspec.Struct, gc=False):
    timestamp: Raw


class _Named(msgspec.Struct, gc=False):
    name: Raw


class _Number(str):
    """A number's literal."""

    __slots__ = ()


_measures = json_decoder(list[Measure])
_stamped = json_decoder(list[_Stamped])
_named = json_decoder(list[_Named])
_objects = json_decoder(list[Raw])
_points = json_decoder(list[Point])
_point = json_decoder(Point)
_labels = json_decoder(list[_Label])


def measures(chunk: Chunk) -> list[Measure]:
    """All points of the chunk as numbers."""
    try:
        return _measures.decode(b"[" + chunk.text + b"]")
    except msgspec.DecodeError:
        return [
            Measure(point.name, point.labels, number(bytes(point.value)), _step(point)) for point in _leniently(chunk)
        ]


def names(chunk: Chunk) -> set[str]:
    """The names of the chunk's metrics."""
    try:
        found = {bytes(point.name) for point in _named.decode(b"[" + chunk.text + b"]")}
    except msgspec.DecodeError:
        found = {bytes(point.name) for point in _leniently(chunk)}
    return set(map(text, found))


def timestamps(chunk: Chunk) -> list[bytes]:
    """The timestamp literals of all points of the chunk."""
    try:
        return [bytes(point.timestamp) for point in _stamped.decode(b"[" + chunk.text + b"]")]
    except msgspec.DecodeError:
        return [bytes(point.timestamp) for point in _leniently(chunk)]


def points(chunk: Chunk, positions: Sequence[int]) -> list[Point]:
    """The points at ``positions`` of the chunk, as literals."""
    array = b"[" + chunk.text + b"]"
    try:
        if 4 * len(positions) < chunk.count:
            objects = _objects.decode(array)
            return [_point.decode(objects[position]) for position in positions]
        every = _points.decode(array)
    except msgspec.DecodeError:
        every = list(_leniently(chunk))
    return [every[position] for position in positions]


def values(chunk: Chunk, positions: Sequence[int]) -> list[bytes]:
    """The literals of the values at ``positions`` of the chunk."""
    if 4 * len(positions) < chunk.count:
        return [bytes(point.value) for point in points(chunk, positions)]
    (literals,) = columns(chunk, ("value",))
    return list(map(literals.__getitem__, positions))


def columns(chunk: Chunk, fields: tuple[str, ...]) -> list[list[bytes]]:
    """The literals of all points of the chunk, a list for each of ``fields`` of ``Point``."""
    found: Sequence[Any]
    try:
        found = _decoder(fields).decode(b"[" + chunk.text + b"]")
    except msgspec.DecodeError:
        found = list(_leniently(chunk))
    return [list(map(bytes, map(attrgetter(field), found))) for field in fields]


@cache
def _decoder(fields: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    some = msgspec.defstruct("Some", [(field, Raw) for field in fields], gc=False)
    return json_decoder(list[some])  # type: ignore[valid-type]


def text(literal: bytes) -> str:
    """The text of a JSON string, with lone surrogates."""
    if b"\\" not in literal:
        return literal[1:-1].decode("utf-8")
    found: str = json.loads(literal)
    return found


def label_set(literal: bytes) -> frozenset[NameValue]:
    """The labels of a point as a set: their order does not distinguish series."""
    return frozenset(labels(literal))


def labels(literal: bytes) -> list[NameValue]:
    """The labels of a point, in their order."""
    try:
        return [NameValue(label.name, label.value) for label in _labels.decode(literal)]
    except msgspec.DecodeError:
        return [NameValue(label["name"], label["value"]) for label in json.loads(literal)]


def number(literal: bytes) -> float | None:
    """A value in double precision; ``None`` for ``null``."""
    return None if literal == NULL else float(literal.strip(b'"'))


def exact(literal: bytes) -> Decimal:
    """A step or value with all its digits; also ``NaN`` and infinities."""
    written = literal.decode("ascii").strip('"')
    try:
        return Decimal(written)
    except InvalidOperation:
        return Decimal(float(written))


def _leniently(chunk: Chunk) -> Iterator[Point]:
    members: list[dict[str, Any]] = json.loads(b"[" + chunk.text + b"]", parse_int=_Number, parse_float=_Number)
    for point in members:
        yield Point(**{name: Raw(_literal(point[name])) for name in Point.__struct_fields__})


def _literal(value: Any) -> bytes:
    return value.encode("ascii") if isinstance(value, _Number) else json.dumps(value).encode("ascii")


def _step(point: Point) -> int | None:
    literal = bytes(point.step)
    return None if literal == NULL else int(exact(literal))
