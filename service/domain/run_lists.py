"""The stored list of a resource group's runs: columns to select and sort by, and the runs separately."""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count, repeat
from operator import attrgetter
from typing import Literal, TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.domain.run_tables import RunTable
from service.domain.runs import NULL, Run
from service.domain.selection.instants import instant

RunColumn = Literal[
    "runId",
    "status",
    "scenarioId",
    "executableId",
    "configurationId",
    "configurationName",
    "executionScheduleId",
    "createdAt",
    "modifiedAt",
    "startTime",
    "completionTime",
]
Rows: TypeAlias = Sequence[int]
Order: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = Sequence[bool | int]
T = TypeVar("T")
_BEHIND = b"\xff"
_NONE = b"\xfe"
"""Bytes that do not occur in UTF-8."""
_TYPES = {1: "B", 2: "H", 4: "I"}


class TextColumn(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A column of texts in UTF-8, or none, as a dictionary of distinct texts and the number of each row's.

    ``words`` are the texts by first appearance, each followed by a byte that does not occur in UTF-8. ``rows`` has the
    number of each row's text in ``width`` bytes, little-endian; with a ``width`` of 0 each row has its own text.
    """

    words: bytes
    rows: bytes = b""
    width: Literal[0, 1, 2, 4] = 0

    @classmethod
    def of(cls, joined: bytes, order: Order) -> TextColumn:
        """The column of texts joined by the byte behind each of ``words``, where these rows are in this order."""
        in_order = _distinct_in_order(joined, order)
        if in_order is not None:
            return cls(in_order)
        texts = joined.split(_BEHIND)
        given = list(map(texts.__getitem__, order.tolist()))
        del texts
        words = dict.fromkeys(given, 0)
        joined = _BEHIND.join((*words, b""))
        if len(words) == len(given):
            return cls(joined)
        width: Literal[1, 2, 4] = 1 if len(words) <= 1 << 8 else 2 if len(words) <= 1 << 16 else 4
        words.update(zip(tuple(words), count()))  # in place, for there may be a hundred thousand
        rows = array(_TYPES[width], map(words.__getitem__, given))
        return cls(joined, _little_endian(rows).tobytes(), width)

    def fits(self, count: int) -> bool:
        """Whether this is a column of ``count`` rows."""
        words = self.words.count(_BEHIND)
        if not self.width:
            return words == count
        if self.width == 1:
            return len(self.rows) == count and not self.rows.translate(None, bytes(range(min(words, 1 << 8))))
        return len(self.rows) == self.width * count and max(self._numbers()) < words

    def matching(self, test: Callable[[bytes], bool]) -> Flags:
        """Which rows have a text that passes."""
        return self._flags([word != _NONE and test(word) for word in self._words()])

    def equal_to(self, text: bytes) -> Flags:
        """Which rows have this text."""
        number = self._number(text)
        if self.width > 1 and number is not None:
            return bytes(map(number.__eq__, self._numbers()))
        passing = bytearray(self.words.count(_BEHIND))
        if number is not None:
            passing[number] = True
        return self._flags(passing)

    def containing(self, part: str) -> Flags:
        """Which rows have a text that contains ``part``, ignoring case."""
        folded = part.casefold()
        if not self.words.translate(None, _BEHIND + _NONE).isascii():
            return self.matching(lambda word: folded in _decoded(word).casefold())
        searched, words = _encoded(folded), self.words.lower()
        if searched not in words:
            return bytes(len(self.rows) // self.width if self.width else words.count(_BEHIND))
        return self._flags([searched in word for word in words.split(_BEHIND)[:-1]])

    def between(self, least: bytes | None, most: bytes | None) -> range:
        """The rows with texts from ``least`` to ``most``, both included, in a column in descending order, with missing
        texts last."""
        words = self._words()
        texts = len(words) - (words[-1:] == [_NONE])
        first = 0 if most is None else bisect_left(words, True, 0, texts, key=lambda word: word <= most)
        end = texts if least is None else bisect_left(words, True, 0, texts, key=lambda word: word < least)
        if not self.width:
            return range(first, max(first, end))
        numbers = self._numbers()
        return range(bisect_left(numbers, first), bisect_left(numbers, max(first, end)))

    def mapped(self, of: Callable[[bytes], T]) -> list[T | None]:
        """The result of ``of`` for each row's text, called once for each distinct one; ``None`` for no text."""
        made = [None if word == _NONE else of(word) for word in self._words()]
        return list(map(made.__getitem__, self._numbers())) if self.width else made

    def _number(self, text: bytes) -> int | None:
        if self.words.startswith(text + _BEHIND):
            return 0
        at = self.words.find(_BEHIND + text + _BEHIND)
        return None if at < 0 else self.words.count(_BEHIND, 0, at + 1)

    def _flags(self, passing: Sequence[bool | int]) -> Flags:
        """The flag of each row's text."""
        if self.width == 1:
            return self.rows.translate(bytes(passing).ljust(1 << 8, b"\0"))
        return list(map(passing.__getitem__, self._numbers())) if self.width else passing

    def _words(self) -> list[bytes]:
        words = self.words.split(_BEHIND)
        words.pop()
        return words

    def _numbers(self) -> array[int]:
        numbers = array(_TYPES[self.width])
        numbers.frombytes(self.rows)
        return _little_endian(numbers)


class RunList:
    """The runs of a resource group by their rows, newest first.

    Columns and runs are loaded on each access.
    """

    def __init__(
        self, count: int, column: Callable[[RunColumn], TextColumn], runs: Callable[[Rows], list[Run]]
    ) -> None:
        self.count = count
        self.column = column
        self.runs = runs

    def with_runs(self, rows: Rows) -> RunList:
        """The same list with the runs of these rows in memory."""
        known = dict(zip(rows, self.runs(rows), strict=True))

        def runs(wanted: Rows) -> list[Run]:
            try:
                return list(map(known.__getitem__, wanted))
            except KeyError:
                return self.runs(wanted)

        return RunList(self.count, self.column, runs)


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _distinct_in_order(joined: bytes, order: Order) -> bytes | None:
    """The texts in this order, each followed by ``_BEHIND``, where they are of one length and it is soon seen that all
    are distinct: their sums of products are, which are equal for equal texts.
    """
    length = joined.find(_BEHIND) + 1
    if not length or len(joined) + 1 != length * len(order):
        return None
    padded = -length % 8
    rows = np.zeros((len(order), length + padded), np.uint8)
    rows[:, :length] = np.frombuffer(joined + _BEHIND, np.uint8).reshape(-1, length)
    if not (rows[:, length - 1] == ord(_BEHIND)).all():
        return None
    rows = rows[order]
    parts = rows.view(np.uint64)
    sums = np.sort(parts @ _factors(parts.shape[1]))
    if (sums[1:] == sums[:-1]).any():
        return None
    return rows[:, :length].tobytes()


@cache
def _factors(count: int) -> NDArray[np.uint64]:
    """So many odd numbers, with which the sums of different texts are likely to differ."""
    return np.array([pow(_GOLDEN, number, 1 << 64) for number in range(1, count + 1)], np.uint64)


_GOLDEN = 0x9E3779B97F4A7C15
"""2**64 by the golden ratio, made odd."""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")


def _text(literal: bytes) -> bytes | None:
    """The text of a JSON string; ``None`` for ``null``."""
    if b"\\" in literal:
        return _encoded(json.loads(literal))
    return None if literal == NULL else literal[1:-1]


def _joined(runs: Sequence[Run] | RunTable, member: str) -> bytes:
    """A member of all the runs."""
    if isinstance(runs, RunTable):
        texts = runs.members.get(member)
        return _BEHIND.join(repeat(NULL, runs.count)) if texts is None else texts.joined(_BEHIND)
    values = list(map(attrgetter(member), runs))
    return _BEHIND.join(map(_encoded, values) if isinstance(values[0], str) else values)


def _texts(joined: bytes) -> bytes:
    if b"\\" not in joined and NULL not in joined:
        return joined.replace(b'"', b"")
    return _each(_text, joined)


def _instants(joined: bytes) -> bytes:
    count, nulls = joined.count(_BEHIND) + 1, joined.count(NULL)
    if len(joined) == count - 1 + nulls * len(NULL) + (count - nulls) * len(_WHOLE_SECONDS):
        return joined.translate(None, b'"Z').replace(NULL, _NONE)  # no timestamp is shorter, so none is longer
    return _each(instant, joined)


def _each(text: Callable[[bytes], bytes | None], joined: bytes) -> bytes:
    literals = joined.split(_BEHIND)
    text_of = {literal: _NONE if (found := text(literal)) is None else found for literal in set(literals)}
    return _BEHIND.join(map(text_of.__getitem__, literals))


_WHOLE_SECONDS = b'"2026-03-29T01:00:13Z"'
_COLUMNS: Mapping[RunColumn, tuple[str, Callable[[bytes], bytes]]] = {
    "runId": ("run_id", bytes),
    "status": ("status", bytes),
    "scenarioId": ("scenario_id", _texts),
    "executableId": ("executable_id", _texts),
    "configurationId": ("configuration_id", _texts),
    "configurationName": ("configuration_name", _texts),
    "executionScheduleId": ("execution_schedule_id", _texts),
    "createdAt": ("created_at", _instants),
    "modifiedAt": ("modified_at", _instants),
    "startTime": ("start_time", _instants),
    "completionTime": ("completion_time", _instants),
}
"""The member of a run in each column, and what makes the column's texts of it, many runs' joined: of literals the texts
that they mean, of times what ``instant`` gives."""
_ORDER: tuple[RunColumn, ...] = ("runId", "createdAt")
RUN_COLUMNS: tuple[RunColumn, ...] = tuple(_COLUMNS)


class ColumnsOfRuns:
    """Builds the columns from runs that are added some at a time, and sorts them at the end.

    Texts of many runs are joined, since an object for each takes more memory than its text.
    """

    def __init__(self) -> None:
        self._columns: dict[RunColumn, list[bytes]] = {name: [] for name in _COLUMNS}

    def add(self, runs: Sequence[Run] | RunTable) -> None:
        """Some runs, at least one."""
        for name, (member, texts) in _COLUMNS.items():
            self._columns[name].append(texts(_joined(runs, member)))

    def order(self) -> Order:
        """The positions of the runs in the order of the list: the newest first, those of the same time by id, those
        without a time of creation last."""
        if not self._columns["runId"]:
            return np.empty(0, np.intp)
        ids, created = (_BEHIND.join(self._columns[name]).split(_BEHIND) for name in _ORDER)
        rows = sorted(range(len(ids)), key=ids.__getitem__)
        known = [row for row in rows if created[row] != _NONE]
        known.sort(key=created.__getitem__, reverse=True)
        return np.array(known + [row for row in rows if created[row] == _NONE], np.intp)

    def in_order(self, order: Order) -> Iterator[TextColumn]:
        """The columns, each of which is let go with that: call it once, at the end."""
        for name in _COLUMNS:
            texts = self._columns.pop(name)
            yield TextColumn.of(_BEHIND.join(texts), order) if texts else TextColumn(b"")
