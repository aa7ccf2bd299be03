"""``GET metrics/get-history`` and ``get-history-bulk`` → chunks of the metric resource.

A server writes all points of an answer alike: the same members in the same order, with the same white space between
them. Such an answer is split at that text into columns, which are checked as a whole and joined again, without an
object for each point. Any other answer is read point by point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES, Chunk, Unreadable
from service.domain.points import labels as labels_of
from service.domain.runs import NULL
from service.domain.selection.chunks import POINTS_A_CHUNK, chunks_of
from service.runtimes import json_literals
from service.runtimes.mlflow import timestamps

_NULL = Raw(NULL)
_NO_LABELS = b"[]"
_NOT_A_NUMBER = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})
_WHOLE = re.compile(rb"-?(?:0|[1-9][0-9]{0,18})")
_STRING = rb'"(?:[^"\\]|\\.)*+"'
_MEMBER = rb'"([a-z_]++)"\s*+:\s*+(' + _STRING + rb'|[^\s,"\[\]{}]++)'
_MEMBERS = re.compile(_MEMBER)
_POINT = re.compile(rb"\s*+(\{\s*+" + _MEMBER + rb"(?:\s*+,\s*+" + _MEMBER + rb"){3,4}+\s*+\})(\s*+,\s*+)?")
_OF_CELLS = bytes({*range(256)} - {1, 2, *b","})
_COMMAS = bytes.maketrans(b"\1\2", b",,")
_BLOCK = 24 * 1024
"""The bytes in which one search looks for a separator: of more, CPython prepares the search anew for each place."""
_COLUMNS = (b"value", b"timestamp", b"step")
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_VALUES = json_decoder(list[float | Literal["NaN", "Infinity", "-Infinity"]])
_INTEGERS = json_decoder(list[_Int64])

Place = tuple[bytes, bytes, bytes]
"""The literals of a point's timestamp, step and value, which identify a logged model's points among a run's."""


class _Point(msgspec.Struct, gc=False):
    key: Raw
    value: Raw = _NULL
    timestamp: Raw = _NULL
    step: Raw = _NULL
    run_id: str | None = None

    @property
    def place(self) -> Place:
        return (bytes(self.timestamp), bytes(self.step), bytes(self.value))


class _History(msgspec.Struct):
    metrics: list[_Point] = []
    next_page_token: str | None = None


class _Page(msgspec.Struct):
    """A page without its points."""

    metrics: list[Raw]
    next_page_token: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Points of one metric, and how to ask for those behind them; ``token`` is ``None`` where there are none.

    ``label_names`` are those of the points by first appearance.
    """

    chunks: list[Chunk]
    token: str | None = None
    unreadable: Unreadable = Unreadable()
    label_names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return sum(chunk.count for chunk in self.chunks)


def page(body: bytes, key: str, labels: Mapping[Place, Sequence[bytes]], run_id: str | None = None) -> Page:
    """One answer for the metric ``key``; ``labels`` has the label sets of the points of models.

    A point that several models share is repeated for each. Raises ``BadGateway`` where the answer is not a history, or
    that of another metric, or of another run than ``run_id`` where points name theirs.
    """
    found = None if labels else _regular(body, key, run_id)
    return found or point_by_point(body, key, labels, run_id)


def _regular(body: bytes, key: str, run_id: str | None = None) -> Page | None:
    begin, end = body.find(b"[") + 1, body.rfind(b"]")
    first = _POINT.match(body, begin, end) if 0 < begin <= end and body.isascii() else None
    if first is None or b"\1" in body or b"\2" in body:
        return None
    written = {match[1]: match for match in _MEMBERS.finditer(body, *first.span(1))}
    cells = sorted(match.span(2) for name, match in written.items() if name in _COLUMNS)
    if len(cells) != len(_COLUMNS) or b"key" not in written or not written.keys() <= {*_COLUMNS, b"key", b"run_id"}:
        return None
    try:
        rest = json_decoder(_Page).decode(body[:begin] + body[end:])
        if rest.metrics or json_literals.text(written[b"key"][2]) != key:
            return None
        if b"run_id" in written and json_literals.text(written[b"run_id"][2]) != run_id:
            return None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        return None
    (one, one_ends), (two, two_ends), (three, three_ends) = cells
    head, tail, between = body[first.start(1) : one], body[three_ends : first.end(1)], first[first.lastindex or 0]
    text = body[begin:end].strip()
    if not text.endswith(tail):
        return None
    text = text[len(head) : -len(tail)]
    rows = _split(text, tail + between + head) if first.end() > first.end(1) else [text]
    in_order = sorted(_COLUMNS, key=lambda name: written[name].start(2))
    places = [in_order.index(name) for name in _COLUMNS]
    chunks, at_epoch = [], 0
    for at in range(0, len(rows), POINTS_A_CHUNK):
        batch = rows[at : at + POINTS_A_CHUNK]
        text = b",".join(batch).replace(body[one_ends:two], b"\1").replace(body[two_ends:three], b"\2")
        if len(text) > MOST_MEMBER_BYTES:
            return None
        is_regular = text.translate(None, _OF_CELLS) == (b"\1\2," * len(batch))[:-1]
        if not is_regular or text.split(None, 1) != [text]:
            return None
        split = text.translate(_COMMAS).split(b",")
        values, instants, steps = (split[place::3] for place in places)
        chunk = _chunk(msgspec.json.encode(key), values, instants, steps)
        if chunk is None:
            return None
        chunks.append(chunk)
        at_epoch += instants.count(b"0")
    return Page(chunks, rest.next_page_token or None, Unreadable(at_epoch=at_epoch))


def _split(text: bytes, separator: bytes) -> list[bytes]:
    """``text.split(separator)``, block by block, of a separator that cannot overlap itself."""
    found: list[bytes] = []
    begin = 0
    while begin + _BLOCK < len(text):
        end = text.rfind(separator, begin, begin + _BLOCK)
        if end < 0:
            end = text.find(separator, begin + _BLOCK - len(separator) + 1)
        if end < 0:
            break
        found += text[begin:end].split(separator)
        begin = end + len(separator)
    return found + text[begin:].split(separator)


def _chunk(name: bytes, values: list[bytes], instants: list[bytes], steps: list[bytes]) -> Chunk | None:
    """The columns as points, if every cell is valid."""
    try:
        _VALUES.decode(_array(values))
        _INTEGERS.decode(_array(steps))
        stamps = timestamps.texts(_INTEGERS.decode(_array(instants)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if stamps is None:
        return None
    opening = b'{"name":%b,"value":' % name
    pieces = [b""] * (6 * len(values))
    pieces[0::6] = repeat(b',"labels":[]},' + opening, len(values))
    pieces[0] = opening
    pieces[1::6] = values
    pieces[2::6] = repeat(b',"timestamp":"', len(values))
    pieces[3::6] = stamps
    pieces[4::6] = repeat(b'","step":', len(values))
    pieces[5::6] = steps
    return Chunk(b"".join((*pieces, b',"labels":[]}')), len(values))


def point_by_point(body: bytes, key: str, labels: Mapping[Place, Sequence[bytes]], run_id: str | None = None) -> Page:
    """Like ``page``, without the fast path."""
    history, mended = json_literals.decode_mended(body, _History, points=True)
    mapping = _Mapping(key, labels, run_id)
    texts = [text for point in history.metrics for text in mapping.points(point)]
    if mended:
        texts = [json_literals.restored(text) for text in texts]
    return Page(list(chunks_of(texts)), history.next_page_token or None, mapping.unreadable, mapping.label_names)


class _Mapping:
    def __init__(self, key: str, labels: Mapping[Place, Sequence[bytes]], run_id: str | None) -> None:
        self._key = key
        self._run_id = run_id
        self._name = msgspec.json.encode(key)
        self._labels = labels
        self._given: dict[bytes, None] = {}
        self.unreadable = Unreadable()

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label.name for given in self._given for label in labels_of(given)))

    def points(self, point: _Point) -> Iterator[bytes]:
        if not json_literals.is_string(bytes(point.key)) or json_literals.text(bytes(point.key)) != self._key:
            raise BadGateway("the AI runtime answered with another metric than the one it was asked for")
        if point.run_id not in {None, self._run_id}:
            raise BadGateway("the AI runtime answered with another run than the one it was asked for")
        value, timestamp, step = bytes(point.value), timestamps.literal(point.timestamp), bytes(point.step).strip(b'"')
        is_number = (
            not json_literals.is_string(value) and value[:1] in b"-0123456789" and len(value) <= MOST_MEMBER_BYTES
        )
        has_value = is_number or value in _NOT_A_NUMBER
        has_step = step == NULL or _WHOLE.fullmatch(step) is not None
        self.unreadable += Unreadable(
            timestamps=timestamp is None or timestamp == NULL,
            steps=not has_step,
            values=not has_value,
            at_epoch=bytes(point.timestamp) == b"0",
        )
        for labels in self._labels.get(point.place) or (_NO_LABELS,):
            self._given[labels] = None
            yield b'{"name":%b,"value":%b,"timestamp":%b,"step":%b,"labels":%b}' % (
                self._name,
                value if has_value else NULL,
                timestamp or NULL,
                step if has_step else NULL,
                labels,
            )


def moved(page: Page, before: Page) -> bool:
    """Whether a page begins with a point of the page before: points were inserted meanwhile, which shifted the
    pages."""
    first = next((text for chunk in page.chunks for text in _texts(chunk)), None)
    return first is not None and any(first in chunk.text for chunk in before.chunks)


def without_repeats(page: Page, before: Page) -> Page:
    """The page without points of the page before; a metric has no point twice."""
    known = {text for chunk in before.chunks for text in _texts(chunk)}
    kept = [[text for text in _texts(chunk) if text not in known] for chunk in page.chunks]
    chunks = [Chunk(b",".join(texts), len(texts)) for texts in kept if texts]
    return msgspec.structs.replace(page, chunks=chunks)


def _texts(chunk: Chunk) -> list[bytes]:
    return [bytes(text) for text in json_decoder(list[Raw]).decode(_array([chunk.text]))]


def all_label_names(pages: Iterable[Page]) -> tuple[str, ...]:
    """Those of pages that follow one another."""
    return tuple(dict.fromkeys(name for page in pages for name in page.label_names))


def merged(chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """The same points in fewer chunks, where many metrics have a few points each."""
    found: list[Chunk] = []
    batch: list[Chunk] = []
    held = 0
    for chunk in chunks:
        if batch and held + chunk.count > POINTS_A_CHUNK:
            found.append(_joined(batch))
            batch, held = [], 0
        batch.append(chunk)
        held += chunk.count
    return (*found, _joined(batch)) if batch else tuple(found)


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    return Chunk(b",".join(chunk.text for chunk in chunks), sum(chunk.count for chunk in chunks))


def _array(cells: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(cells) + b"]"
