"""Consecutive AI API points → a chunk of the metric resource.

Most runtimes write all points alike: exactly the known members, timestamps in UTC. Such points are checked by a typed
decoder, and their text is kept. Others are mapped point by point.

A timestamp, step or value of another type, or a missing one, is ``null`` and counted, so that one odd point does not
hide the others. A point's name and labels identify its series: where they cannot be read, the answer is not the AI
API's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Raw, UnsetType

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway
from service.domain.metrics import MOST_LABEL_NAMES, MOST_MEMBER_BYTES, MOST_STEP_DIGITS, Chunk, Unreadable
from service.runtimes import json_columns, json_literals
from service.runtimes.ai_api.pairs import pairs
from service.runtimes.ai_api.timestamps import TimestampMapping
from service.runtimes.json_columns import Columns
from service.runtimes.json_literals import NULL

_NULL = Raw(NULL)
_NOT_A_NUMBER = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})
_NUMBER_STARTS = frozenset(b"-0123456789")
_MEMBER, _SPACED_MEMBER = b'"timestamp":"', b'"timestamp": "'
_Step = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_STAMPS = re.compile(_MEMBER + rb'([^"\\]*)"')
_PLUS_ZERO = b'+00:00"'


class _RegularLabel(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str
    value: str


class _RegularPoint(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str
    value: float
    timestamp: str
    step: _Step | UnsetType | None = UNSET
    labels: list[_RegularLabel] | UnsetType = UNSET


class _Point(msgspec.Struct, gc=False):
    name: Raw
    value: Raw = _NULL
    timestamp: Raw = _NULL
    step: Raw = _NULL
    labels: Raw = _NULL


_LABELS: msgspec.json.Decoder[list[_RegularLabel]] = json_decoder(list[_RegularLabel])
_FLOATS: msgspec.json.Decoder[list[float]] = json_decoder(list[float])
_STEPS: msgspec.json.Decoder[list[_Step]] = json_decoder(list[_Step])
_REGULAR: msgspec.json.Decoder[list[_RegularPoint]] = json_decoder(list[_RegularPoint])


_TIMESTAMP, _LABEL_NAME = (b"timestamp",), (b"labels", b"", b"name")
_NUMBERS: Mapping[tuple[bytes, ...], msgspec.json.Decoder[Any]] = {(b"value",): _FLOATS, (b"step",): _STEPS}
_WORTH_COLUMNS = 16 * 1024
"""Bytes of points from which on their columns take less time than the points one by one."""


class PointMapping:
    """The mapping of one resource's points, which remembers names and labels, so that repeated ones are checked
    once."""

    def __init__(self) -> None:
        self.timestamps = TimestampMapping()
        self._steps = 0
        self._values = 0
        self._names: set[bytes] = set()
        self._labels: dict[bytes, bytes] = {NULL: b"[]"}
        self._label_names: dict[str, None] | None = {}

    @property
    def unreadable(self) -> Unreadable:
        """The number of unreadable members so far."""
        return Unreadable(self.timestamps.unreadable, self._steps, self._values)

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The names of the labels so far, by first appearance; ``None`` where one cannot be stored as text."""
        return None if self._label_names is None else tuple(islice(self._label_names, MOST_LABEL_NAMES))

    def chunk(self, text: bytes) -> Chunk:
        """The points in ``text``: JSON objects separated by commas. Raises ``BadGateway`` for anything else."""
        if len(text) > MOST_MEMBER_BYTES:
            return self.point_by_point(text)
        by_columns = self.by_columns(text) if len(text) >= _WORTH_COLUMNS else None
        return by_columns or self._regular(text) or self.point_by_point(text)

    def point_by_point(self, text: bytes) -> Chunk:
        """Like ``chunk``, without the fast path."""
        points, mended = json_literals.decode_mended(b"[" + text + b"]", list[_Point], points=True)
        mapped = b",".join(map(self._point, points))
        given = dict.fromkeys([bytes(point.labels) for point in points])
        self._note({name: None for literal in given for name in self._names_in(literal)})
        return Chunk(json_literals.restored(mapped) if mended else mapped, len(points))

    def by_columns(self, text: bytes) -> Chunk | None:
        """As ``_regular``, of points that are all written as the first one is, and have its label names."""
        found = json_columns.columns(text)
        if found is None or not _are_points(found):
            return None
        stamps = found.at(_TIMESTAMP)[0].cells()
        if not self.timestamps.moments.all_utc_cells(stamps):
            return None
        offsets = int(np.count_nonzero(stamps == ord("+")))
        if offsets and text.count(_PLUS_ZERO) != offsets:
            return None
        if offsets:
            text = text.replace(_PLUS_ZERO, b'Z"')
        if _SPACED_MEMBER in found.first:
            text = text.replace(_SPACED_MEMBER, _MEMBER)
        elif _MEMBER not in found.first:
            return None
        first = _REGULAR.decode(b"[" + found.first + b"]")
        lacking = _lacking(first) or b""
        self._note({label.name: None for point in first for label in point.labels or ()})
        return Chunk(text.replace(_MEMBER, lacking + _MEMBER) if lacking else text, found.count)

    def _regular(self, text: bytes) -> Chunk | None:
        """The fast path: ``text`` unchanged, except for members that every point lacks and ``+00:00`` in place of
        ``Z``."""
        try:
            points = _REGULAR.decode(b"[" + text + b"]")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        count = len(points)
        stamps = [point.timestamp for point in points]
        text = _unspaced(text, count)
        if not count or not _are_written(stamps, text) or not self.timestamps.moments.all_utc(stamps):
            return None
        if _PLUS_ZERO in text:
            if text.count(_PLUS_ZERO) != sum([stamp.endswith("0") for stamp in stamps]):
                return None
            text = text.replace(_PLUS_ZERO, b'Z"')
        lacking = _lacking(points)
        if lacking is None:
            return None
        if b'"labels":' not in lacking:
            self._note({label.name: None for point in points for label in point.labels or ()})
        return Chunk(text.replace(_MEMBER, lacking + _MEMBER) if lacking else text, count)

    def _note(self, names: Mapping[str, None]) -> None:
        if any(json_literals.ASIDE in name for name in names):
            self._label_names = None
        elif self._label_names is not None:
            self._label_names.update(names)

    def _names_in(self, given: bytes) -> list[str]:
        return [label.name for label in _LABELS.decode(self._labels[given])]

    def _point(self, point: _Point) -> bytes:
        return b'{"name":%b,"value":%b,"timestamp":%b,"step":%b,"labels":%b}' % (
            self._name(bytes(point.name)),
            self._value(bytes(point.value)),
            self.timestamps.literal(point.timestamp, required=True),
            self._step(bytes(point.step)),
            self._label_list(bytes(point.labels)),
        )

    def _name(self, literal: bytes) -> bytes:
        if literal not in self._names:
            if not json_literals.is_string(literal):
                raise BadGateway(json_literals.shape("the name of a metric"))
            self._names.add(json_literals.check_length(literal, "the name of a metric"))
        return literal

    def _value(self, literal: bytes) -> bytes:
        if (_is_number(literal) and len(literal) <= MOST_MEMBER_BYTES) or literal in _NOT_A_NUMBER:
            return literal
        self._values += 1
        return NULL

    def _step(self, literal: bytes) -> bytes:
        if literal == NULL or _is_whole(literal):
            return literal
        self._steps += 1
        return NULL

    def _label_list(self, literal: bytes) -> bytes:
        known = self._labels.get(literal)
        if known is None:
            known = self._labels[literal] = pairs(json_literals.check_length(literal, "labels of a point"))
        return known


def _are_points(found: Columns) -> bool:
    """Whether these are points as ``_RegularPoint`` has them, all with the label names of the first one."""
    stamps = found.at(_TIMESTAMP)
    if len(stamps) != 1 or not stamps[0].is_narrow or not all(name.is_constant for name in found.at(_LABEL_NAME)):
        return False
    try:
        _REGULAR.decode(b"[" + found.first + b"]")
        return all(
            column.is_narrow and (column.are_digits() or len(decoder.decode(column.as_json())) == found.count)
            for path, decoder in _NUMBERS.items()
            for column in found.at(path)
        )
    except (msgspec.MsgspecError, RecursionError):
        return False


def _are_written(stamps: list[str], text: bytes) -> bool:
    """Whether these are the timestamps in ``text``, each written once, as ``_MEMBER`` and without an escape."""
    if text.count(_MEMBER) != len(stamps):
        return False
    if b"\\" not in text and text.count(b'"timestamp"') == len(stamps):
        return True
    written = _STAMPS.findall(text)
    return len(written) == len(stamps) and b"\n".join(written) == "\n".join(stamps).encode("utf-8")


def _unspaced(text: bytes, count: int) -> bytes:
    """The text without the space that Python's ``json`` writes after a colon, where that is the timestamp's."""
    spaced = _SPACED_MEMBER in text[:4096] and text.count(_SPACED_MEMBER) == count
    return text.replace(_SPACED_MEMBER, _MEMBER) if spaced else text


def _lacking(points: list[_RegularPoint]) -> bytes | None:
    """The members that all points lack, as text to insert; ``None`` where only some lack them."""
    without_step = sum([point.step is UNSET for point in points])
    without_labels = sum([point.labels is UNSET for point in points])
    if not {without_step, without_labels} <= {0, len(points)}:
        return None
    return (b'"step":null,' if without_step else b"") + (b'"labels":[],' if without_labels else b"")


def _is_number(literal: bytes) -> bool:
    return literal[0] in _NUMBER_STARTS


def _is_whole(literal: bytes) -> bool:
    """Whether a literal is a whole number, ``1.0`` and ``1e3`` too, of at most ``MOST_STEP_DIGITS`` digits."""
    digits = literal.removeprefix(b"-")
    if len(digits) > MOST_STEP_DIGITS or not _is_number(literal):
        return False
    if digits.isdigit():
        return True
    try:
        number = Decimal(literal.decode("ascii"))
    except InvalidOperation:  # an endless exponent
        return False
    return number.adjusted() < MOST_STEP_DIGITS and number == number.to_integral_value()
