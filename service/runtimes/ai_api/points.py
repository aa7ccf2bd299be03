"""A stretch of AI API points → a chunk of the metric resource.

Most runtimes write every point alike: exactly the known members, timestamps in UTC. Such a stretch is checked by a
typed decode and then kept as the text that it is. Any other is mapped point by point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from service.domain.errors import BadGateway
from service.domain.metrics import Chunk
from service.runtimes.ai_api import literals
from service.runtimes.ai_api.literals import NULL
from service.runtimes.ai_api.timestamps import TimestampMapping

_NULL = Raw(NULL)
_INTEGER = re.compile(rb"[0-9]+(?:\.0+)?")
_NOT_A_NUMBER = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})
_NUMBER_STARTS = frozenset(b"-0123456789")
_MEMBER, _SPACED_MEMBER = b'"timestamp":"', b'"timestamp": "'
_MINUS_ZERO = re.compile(rb":\s*-0\s*[,}]")
_PLUS_ZERO = b'+00:00"'


class NameValue(msgspec.Struct, gc=False):
    """A label, a tag or a piece of custom info."""

    name: Raw
    value: Raw


class _RegularLabel(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str
    value: str


class _RegularPoint(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str
    value: float
    timestamp: str
    step: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET
    labels: list[_RegularLabel] | UnsetType = UNSET


class _Point(msgspec.Struct, gc=False):
    name: Raw
    value: Raw
    timestamp: Raw
    step: Raw = _NULL
    labels: Raw = _NULL


_REGULAR: msgspec.json.Decoder[list[_RegularPoint]] = msgspec.json.Decoder(list[_RegularPoint])


class PointMapping:
    """The mapping of one resource's points: what it has seen, so that repeated names and labels are looked at once."""

    def __init__(self) -> None:
        self.timestamps = TimestampMapping()
        self._names: set[bytes] = set()
        self._labels: dict[bytes, bytes] = {NULL: b"[]"}

    def chunk(self, text: bytes) -> Chunk:
        """The points that ``text`` holds, JSON objects separated by commas. Raises ``BadGateway`` for all else."""
        return self._regular(text) or self.point_by_point(text)

    def point_by_point(self, text: bytes) -> Chunk:
        """As ``chunk``, without the short way."""
        points, mended = literals.decode_mended(b"[" + text + b"]", list[_Point])
        mapped = b",".join(map(self._point, points))
        return Chunk(literals.restored(mapped) if mended else mapped, len(points))

    def _regular(self, text: bytes) -> Chunk | None:
        """``text`` as it is, but for members that every point lacks and ``+00:00`` in place of ``Z``."""
        try:
            points = _REGULAR.decode(b"[" + text + b"]")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        count = len(points)
        stamps = [point.timestamp for point in points]
        text = _unspaced(text, count)
        if not count or text.count(_MEMBER) != count or not self.timestamps.moments.all_utc(stamps):
            return None
        if _PLUS_ZERO in text:
            if text.count(_PLUS_ZERO) != sum([stamp.endswith("0") for stamp in stamps]):
                return None
            text = text.replace(_PLUS_ZERO, b'Z"')
        if 0 in [point.step for point in points] and _MINUS_ZERO.search(text):
            return None
        lacking = _lacking(points)
        if lacking is None:
            return None
        return Chunk(text.replace(_MEMBER, lacking + _MEMBER) if lacking else text, count)

    def _point(self, point: _Point) -> bytes:
        return b'{"name":%b,"value":%b,"timestamp":%b,"step":%b,"labels":%b}' % (
            self._name(bytes(point.name)),
            _number(bytes(point.value)),
            self.timestamps.literal(point.timestamp, required=True),
            _step(bytes(point.step)),
            self._label_list(bytes(point.labels)),
        )

    def _name(self, literal: bytes) -> bytes:
        if literal not in self._names:
            self._names.add(_string(literal))
        return literal

    def _label_list(self, literal: bytes) -> bytes:
        known = self._labels.get(literal)
        if known is None:
            known = self._labels[literal] = pairs(literals.decode(literal, list[NameValue]))
        return known


def pairs(given: Iterable[NameValue]) -> bytes:
    """Names and values as a JSON array. Raises ``BadGateway`` where one is no string."""
    return (
        b"["
        + b",".join(
            b'{"name":%b,"value":%b}' % (_string(bytes(pair.name)), _string(bytes(pair.value))) for pair in given
        )
        + b"]"
    )


def _unspaced(text: bytes, count: int) -> bytes:
    """Python's ``json`` writes a space behind a colon; behind the timestamp's it goes, so that one form is left."""
    spaced = _SPACED_MEMBER in text[:4096] and text.count(_SPACED_MEMBER) == count
    return text.replace(_SPACED_MEMBER, _MEMBER) if spaced else text


def _lacking(points: list[_RegularPoint]) -> bytes | None:
    """The members that all points lack, as they are to be inserted; ``None`` where only some lack them."""
    without_step = sum([point.step is UNSET for point in points])
    without_labels = sum([point.labels is UNSET for point in points])
    if not {without_step, without_labels} <= {0, len(points)}:
        return None
    return (b'"step":null,' if without_step else b"") + (b'"labels":[],' if without_labels else b"")


def _string(literal: bytes) -> bytes:
    return literal if literals.is_string(literal) else _refuse("a name or a value of a label, tag or custom info")


def _number(literal: bytes) -> bytes:
    return literal if literal[0] in _NUMBER_STARTS or literal in _NOT_A_NUMBER else _refuse("a metric's value")


def _step(literal: bytes) -> bytes:
    return literal if literal == NULL or _INTEGER.fullmatch(literal) else _refuse("a metric's step")


def _refuse(what: str) -> bytes:
    raise BadGateway(literals.shape(what))
