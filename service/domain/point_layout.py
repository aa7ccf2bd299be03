"""Locates the members of all points of a chunk at once, without parsing.

That is possible where the chunk has the usual form: no white space between members, those in the usual order, no
escapes, no comma in a string, and the same label names in every point. Then commas alone separate members; the text
around each of them is checked.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.domain.metrics import Chunk

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
_COMMA = ord(",")
_WITHOUT_LABELS = 5
"""Commas of a point without labels, including the one after it."""
_NAME = b'{"name":"'
_TO_VALUE = b'","value":'
_TO_TIMESTAMP = b',"timestamp":"'
_TO_STEP = b'Z","step":'
_TO_LABELS = b',"labels":['
_LABEL_TO_VALUE = b'","value":"'
_LABEL_TO_LABEL = b'"},{"name":"'
_LABELS_END = b'"}]}'
_NO_LABELS = b"]}"
_SHORTEST_TIMESTAMP = len("2026-03-29T01:00")
_BLANK, _QUOTE = ord(" "), ord('"')


class Spans(msgspec.Struct, frozen=True):
    """Spans of a text, one for each point."""

    starts: Integers
    ends: Integers

    @property
    def width(self) -> int:
        """The length of the longest span."""
        return int((self.ends - self.starts).max())


class Layout(msgspec.Struct, frozen=True):
    """``names`` and the values of ``labels`` are without their quotes, ``timestamps`` with the ``Z`` in the end; a
    comma follows each of ``values`` and ``steps``, which may be ``null``. ``labels`` has the labels by their names."""

    names: Spans
    values: Spans
    timestamps: Spans
    steps: Spans
    labels: tuple[tuple[bytes, Spans], ...]


def layout_of(chunk: Chunk) -> Layout | None:
    """The layout of a chunk; ``None`` where it has another form."""
    text, count = chunk.text, chunk.count
    if not count or len(text) < len(_NAME) or b"\\" in text:
        return None
    data = np.frombuffer(text, np.uint8)
    commas = np.append(np.flatnonzero(data == _COMMA), len(text))
    each, rest = divmod(len(commas), count)
    if rest or each < _WITHOUT_LABELS or (each > _WITHOUT_LABELS and each % 2):
        return None
    try:
        return _checked(text, data, commas.reshape(count, each).T)
    except IndexError:  # a comma too close to the end
        return None


def _checked(text: bytes, data: Bytes, commas: Integers) -> Layout | None:
    begin = np.concatenate(([0], commas[-1][:-1] + 1))
    names = Spans(begin + len(_NAME), commas[0] - 1)
    values = Spans(names.ends + len(_TO_VALUE), commas[1])
    timestamps = Spans(commas[1] + len(_TO_TIMESTAMP), commas[2] - 1)
    steps = Spans(commas[2] - 2 + len(_TO_STEP), commas[3])
    checks = [
        (begin, _NAME),
        (names.ends, _TO_VALUE),
        (commas[1], _TO_TIMESTAMP),
        (commas[2] - 2, _TO_STEP),
    ]
    labels: list[tuple[Spans, Spans]] = []
    if len(commas) == _WITHOUT_LABELS:
        checks += [(commas[3], _TO_LABELS + _NO_LABELS)]
        ends = commas[3] + len(_TO_LABELS + _NO_LABELS)
    else:
        checks += [(commas[3], _TO_LABELS + _NAME)]
        at = commas[3] + len(_TO_LABELS + _NAME)
        for number in range(4, len(commas), 2):
            last = number + 2 == len(commas)
            name = Spans(at, commas[number] - 1)
            behind = _LABELS_END if last else _LABEL_TO_LABEL
            end = commas[number + 1] - (len(_LABELS_END) if last else _LABEL_TO_LABEL.index(b","))
            checks += [(name.ends, _LABEL_TO_VALUE), (end, behind)]
            labels.append((name, Spans(name.ends + len(_LABEL_TO_VALUE), end)))
            at = end + len(behind)
        ends = labels[-1][1].ends + len(_LABELS_END)
    spans = [names, values, timestamps, steps, *(span for pair in labels for span in pair)]
    if (
        not (ends == commas[-1]).all()
        or any((span.starts > span.ends).any() for span in spans)
        or (timestamps.ends - timestamps.starts <= _SHORTEST_TIMESTAMP).any()
        or not all(_stands(text, places, literal) for places, literal in checks)
        or not all(_bare(data[span.starts]) and _bare(data[span.ends - 1]) for span in (values, steps))
    ):
        return None
    if not all(alike(text, name) for name, _ in labels):
        return None
    named = tuple((text[name.starts[0] : name.ends[0]], value) for name, value in labels)
    return Layout(names, values, timestamps, steps, named)


def _bare(edges: Bytes) -> bool:
    """Whether none is white space or a quote, so that the text between them is a number."""
    return not ((edges <= _BLANK) | (edges == _QUOTE)).any()


def _stands(text: bytes, places: Integers, literal: bytes) -> bool:
    """Whether the text has the literal at all places."""
    return _at(text, places, len(literal)).tobytes() == literal * len(places)


def alike(text: bytes, spans: Spans) -> bool:
    """Whether all spans have the same text."""
    start, end = int(spans.starts[0]), int(spans.ends[0])
    if not (spans.ends - spans.starts == end - start).all():
        return False
    return start == end or _stands(text, spans.starts, text[start:end])


def stretches(text: bytes, spans: Spans) -> tuple[Bytes, NDArray[np.bool_]]:
    """The texts of the spans as rows as wide as the longest, and a mask of the bytes that belong to each."""
    lengths, width = spans.ends - spans.starts, spans.width
    if not width:
        return np.empty((len(lengths), 0), np.uint8), np.empty((len(lengths), 0), np.bool_)
    whole = int(spans.starts.max()) + width <= len(text)
    found = _at(text if whole else text + bytes(width), spans.starts, width)
    belongs = np.tri(width + 1, width, -1, np.bool_)[lengths]
    return found.view(np.uint8).reshape(len(lengths), width), belongs


def _at(text: bytes, places: Integers, width: int) -> NDArray[np.void]:
    """``width`` bytes at each place. Raises ``IndexError`` beyond the text."""
    return np.ndarray((max(0, len(text) - width + 1),), f"V{width}", text, strides=(1,))[places]
