"""``GET /lm/executions`` of an AI API → runs, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter

import msgspec
from msgspec import Raw

from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.run_tables import LONGEST, RunTable, Texts
from service.domain.runs import NULL, Run
from service.domain.timestamps import MomentReader
from service.runtimes import json_arrays, json_columns, json_literals
from service.runtimes.ai_api.run_mapping import Execution, run
from service.runtimes.json_columns import Column

_TOGETHER = 500
"""Runs of a list that are decoded at once where they are not all written alike."""
_WORTH_COLUMNS = 1024
"""Bytes of runs from which on their columns take less time than the runs one by one."""
_PLUS = ord("+")
_BEFORE_TIMES = (
    "target_status",
    "status_message",
    "scenario_id",
    "executable_id",
    "configuration_id",
    "configuration_name",
)
_TIMES = ("created_at", "modified_at", "submission_time", "start_time", "completion_time")
_BEHIND_TIMES = "execution_schedule_id"
"""The literals of an execution, in the order of ``Run``."""
_STRING_OR_NULL = frozenset(b'"n')
"""The first characters of a string or ``null``."""
_KEYS = {field.name: field.encode_name.encode() for field in msgspec.structs.fields(Execution)}
"""What the members are called in JSON."""


class _Executions(msgspec.Struct):
    resources: Raw


def runs(body: bytes, *, stretch: int = json_arrays.STRETCH) -> Iterator[Run | RunTable]:
    """All runs of the answer to ``GET /lm/executions``, read some at a time, those that are written alike together.

    ``stretch`` is how many bytes are read at once. Raises ``BadGateway``, also on the way.
    """
    answer, mended = json_literals.decode_mended(body, _Executions)
    del body
    moments = MomentReader()

    def alike(text: bytes) -> Iterable[Run | RunTable] | None:
        return None if mended else _by_columns(text, moments)

    for found in json_arrays.stretches(answer.resources, alike, list[Raw], "the list of runs", stretch=stretch):
        if isinstance(found, list):
            for first in range(0, len(found), _TOGETHER):
                yield from _by_shape(found[first : first + _TOGETHER], moments, mended=mended)
        else:
            yield from found
        del found  # before the next ones are read


def _by_shape(executions: Sequence[Raw], moments: MomentReader, *, mended: bool) -> Iterator[Run | RunTable]:
    """Executions grouped by their number of quotation marks: they have further members once they start, end or fail."""
    groups: dict[int, list[Raw]] = {}
    for execution in executions:
        groups.setdefault(bytes(execution).count(b'"'), []).append(execution)
    for alike in groups.values():
        found = None if mended else _by_columns(b",".join(alike), moments)
        yield from _one_by_one(alike, moments, mended=mended) if found is None else found


def _by_columns(executions: bytes, moments: MomentReader) -> Iterable[Run | RunTable] | None:
    """The runs, where all are written as the first one is and can be kept so: all timestamps in UTC, with a ``Z``, and
    no member too long. They are a table where no member is too long for that either."""
    found = json_columns.columns(executions) if len(executions) >= _WORTH_COLUMNS else None
    if found is None or not all(column.is_text for column in found.columns):
        return None
    first = json_literals.decode(found.first, Execution)
    columns = {column.path[0]: column for column in found.columns if len(column.path) == 1}
    members = {"run_id": columns[b"id"], "status": columns[b"status"]}
    for name in (*_BEFORE_TIMES, *_TIMES, _BEHIND_TIMES):
        column = columns.get(_KEYS[name])
        if bytes(getattr(first, name)) != (NULL if column is None else b'"%b"' % column.first):
            return None
        if column is not None:
            members[name] = column.quoted()
    if any(column.longest > MOST_MEMBER_BYTES for column in members.values()):
        return None
    for name in members.keys() & set(_TIMES):
        column = columns[_KEYS[name]]
        cells = column.cells() if column.is_narrow else None
        if cells is None or (cells == _PLUS).any() or not moments.all_utc_cells(cells):
            return None
    if all(column.longest <= LONGEST for column in members.values()):
        texts = {name: Texts(column.cells(), column.ends - column.begins) for name, column in members.items()}
        return (RunTable(found.count, texts),)
    return _runs(members)


def _runs(members: Mapping[str, Column]) -> Iterator[Run]:
    """The runs of columns that are too wide for a table."""
    ids, statuses = (map(bytes.decode, members[name].texts()) for name in ("run_id", "status"))
    before, times, behind = (
        [members[name].texts() if name in members else repeat(NULL) for name in names]
        for names in (_BEFORE_TIMES, _TIMES, (_BEHIND_TIMES,))
    )
    return map(Run, ids, statuses, *before, *times, repeat(0), *behind)


def _one_by_one(given: Sequence[Raw], moments: MomentReader, *, mended: bool) -> Iterator[Run]:
    executions = json_literals.decode(b"[%b]" % b",".join(given), list[Execution])
    regular = None if mended else _regular(executions, moments)
    return (run(each, mended=mended) for each in executions) if regular is None else regular


def _regular(executions: Sequence[Execution], moments: MomentReader) -> Iterator[Run] | None:
    """The fast path: the runs by columns, where nothing has to be converted: all timestamps in UTC, with a ``Z``."""
    columns = [list(map(bytes, map(attrgetter(name), executions))) for name in (*_BEFORE_TIMES, *_TIMES, _BEHIND_TIMES)]
    if not all({literal[0] for literal in column} <= _STRING_OR_NULL for column in columns):
        return None
    ids, statuses = (list(map(attrgetter(name), executions)) for name in ("id", "status"))
    if max(map(len, chain(ids, statuses, *columns)), default=0) > MOST_MEMBER_BYTES:
        return None
    first = len(_BEFORE_TIMES)
    times = [literal for column in columns[first : first + len(_TIMES)] for literal in column if literal != NULL]
    joined = b"\n".join(times)
    texts = joined[1:-1].decode("latin-1").split('"\n"') if times else []
    if joined.count(b'Z"') != len(times) or len(texts) != len(times) or (texts and not moments.all_utc(texts)):
        return None
    return map(Run, ids, statuses, *columns[:-1], repeat(0), columns[-1])
