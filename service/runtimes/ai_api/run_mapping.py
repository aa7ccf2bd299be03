"""AI API JSON → domain: executions and their related objects become runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.run_tables import LONGEST, RunTable, Texts
from service.domain.runs import NULL, Run
from service.domain.timestamps import MomentReader
from service.runtimes import json_columns, json_literals
from service.runtimes.ai_api.timestamps import TimestampMapping
from service.runtimes.json_columns import Column

_NULL = Raw(NULL)
_STRETCH = 1024 * 1024
"""Bytes of a list that are read at once, at most, where it can be cut in the second half of them."""
_OPENING = re.compile(rb'\s*+(\{\s*+"[^"\\]{0,64}+"\s*+:)')
"""The beginning of an object."""
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
_MEMBER = "a member of a run"
_STRING_OR_NULL = frozenset(b'"n')
"""The first characters of a string or ``null``."""


class _Artifact(msgspec.Struct):
    id: Raw = _NULL
    name: Raw = _NULL
    kind: Raw = _NULL
    url: Raw = _NULL
    key: Raw = _NULL


class Execution(msgspec.Struct, rename="camel"):
    """An execution; ``id``, ``configurationId`` and ``status`` are required."""

    id: str
    configuration_id: Raw
    status: str
    target_status: Raw = _NULL
    status_message: Raw = _NULL
    scenario_id: Raw = _NULL
    executable_id: Raw = _NULL
    configuration_name: Raw = _NULL
    created_at: Raw = _NULL
    modified_at: Raw = _NULL
    submission_time: Raw = _NULL
    start_time: Raw = _NULL
    completion_time: Raw = _NULL
    execution_schedule_id: Raw = _NULL
    status_details: Raw = _NULL
    output_artifacts: list[_Artifact] | None = None


_KEYS = {field.name: field.encode_name.encode() for field in msgspec.structs.fields(Execution)}
"""What the members are called in JSON."""


class _Executions(msgspec.Struct):
    resources: Raw


_RAWS: msgspec.json.Decoder[list[Raw]] = json_decoder(list[Raw])


class _KeyValue(msgspec.Struct):
    key: Raw
    value: Raw


class _Binding(msgspec.Struct, rename="camel"):
    key: Raw
    artifact_id: str


class Configuration(msgspec.Struct, rename="camel"):
    """The configuration that a run was started with."""

    parameter_bindings: list[_KeyValue] | None = None
    input_artifact_bindings: list[_Binding] | None = None
    scenario_id: Raw = _NULL
    executable_id: Raw = _NULL


class _Named(msgspec.Struct, rename="camel"):
    id: Raw = _NULL
    name: Raw = _NULL
    version_id: Raw = _NULL


def runs(body: bytes, *, stretch: int = _STRETCH) -> Iterator[Run | RunTable]:
    """All runs of the answer to ``GET /lm/executions``, read some at a time, those that are written alike together.

    ``stretch`` is how many bytes are read at once. Raises ``BadGateway``, also on the way.
    """
    answer, mended = json_literals.decode_mended(body, _Executions)
    del body
    array = memoryview(answer.resources)
    if bytes(array[:1]) != b"[":
        raise BadGateway(json_literals.shape("the list of runs"))
    moments = MomentReader()
    at, end = 1, len(array) - 1
    while at < end:
        cut, following = _cut(array, at, end, stretch)
        alike = None if mended or cut - at > stretch else _by_columns(bytes(array[at:cut]), moments)
        if alike is not None:
            yield from alike
            del alike  # before the next ones are read
        else:
            try:
                some = _values(array[at:cut])
            except msgspec.DecodeError:  # the cut is within an item
                some, following = _values(array[at:end]), end
            for first in range(0, len(some), _TOGETHER):
                yield from _by_shape(some[first : first + _TOGETHER], moments, mended=mended)
        at = following


def _cut(array: memoryview, at: int, end: int, stretch: int) -> tuple[int, int]:
    """Where some of the array's items end, probably, and the next one begins.

    They end between two objects, if possible between two that begin as the first item does. These may be parts of an
    item: then these bytes are not a list of values.
    """
    opening = _OPENING.match(array, at, end) if end - at > stretch else None
    if opening is not None:
        for begin in (re.escape(opening[1]), rb"\{"):
            between = re.compile(rb"\}\s*+,\s*+(?=%b)" % begin)
            found = between.search(array, at + stretch // 2, at + stretch)
            if found is not None:
                return found.start() + 1, found.end()
    return end, end


def _values(items: memoryview) -> list[Raw]:
    return _RAWS.decode(b"".join((b"[", items, b"]")))


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


def execution(body: bytes, asked: str) -> tuple[Execution, bool]:
    """The execution ``asked`` for, and whether its literals must be restored."""
    found, mended = json_literals.decode_mended(body, Execution)
    if found.id != asked:
        raise BadGateway("the AI runtime answered with another run than the one it was asked for")
    return found, mended


def run(execution: Execution, *, mended: bool) -> Run:
    """A run, made of its execution."""
    timestamps = TimestampMapping()

    def text(literal: Raw) -> bytes:
        return _text(literal, mended=mended)

    return Run(
        run_id=_str(execution.id, mended=mended),
        status=_str(execution.status, mended=mended),
        target_status=text(execution.target_status),
        status_message=text(execution.status_message),
        scenario_id=text(execution.scenario_id),
        executable_id=text(execution.executable_id),
        configuration_id=text(execution.configuration_id),
        configuration_name=text(execution.configuration_name),
        created_at=timestamps.literal(execution.created_at),
        modified_at=timestamps.literal(execution.modified_at),
        submission_time=timestamps.literal(execution.submission_time),
        start_time=timestamps.literal(execution.start_time),
        completion_time=timestamps.literal(execution.completion_time),
        unreadable=timestamps.unreadable,
        execution_schedule_id=text(execution.execution_schedule_id),
    )


def status_details(execution: Execution, *, mended: bool) -> bytes:
    """The status details, any JSON, as they were sent."""
    details = bytes(execution.status_details)
    return json_literals.restored(details) if mended else details


def output_artifacts(execution: Execution, *, mended: bool) -> bytes:
    """The artifacts that came of a run; the AI API gives them no key of their own, so their name is it."""
    return _array(
        _artifact(one.name if one.key == _NULL else one.key, one, mended=mended)
        for one in execution.output_artifacts or ()
    )


def configuration(body: bytes) -> tuple[Configuration, bool]:
    return json_literals.decode_mended(body, Configuration)


def parameters(found: Configuration, *, mended: bool) -> bytes:
    return _array(
        b'{"key":%b,"value":%b}' % (_text(one.key, mended=mended), _text(one.value, mended=mended))
        for one in found.parameter_bindings or ()
    )


def input_artifacts(found: Configuration, bodies: Mapping[str, bytes], *, mended: bool) -> bytes:
    """The input artifacts of a run; ``bodies`` are the answers for those that could be read, by artifact id."""
    return _array(_input(binding, bodies.get(binding.artifact_id), mended=mended) for binding in bindings(found))


def bindings(found: Configuration) -> Sequence[_Binding]:
    return found.input_artifact_bindings or ()


def scenario(body: bytes, id_: Raw, *, mended: bool) -> bytes:
    """``{"id", "name"}``."""
    return b"{%b}" % _id_and_name(id_, *json_literals.decode_mended(body, _Named), id_mended=mended)


def executable(body: bytes, id_: Raw, *, mended: bool) -> bytes:
    """``{"id", "name", "versionId"}``."""
    found, found_mended = json_literals.decode_mended(body, _Named)
    named = _id_and_name(id_, found, found_mended, id_mended=mended)
    return b'{%b,"versionId":%b}' % (named, _text(found.version_id, mended=found_mended))


def _id_and_name(id_: Raw, found: _Named, mended: bool, *, id_mended: bool) -> bytes:
    return b'"id":%b,"name":%b' % (_text(id_, mended=id_mended), _text(found.name, mended=mended))


def _input(binding: _Binding, body: bytes | None, *, mended: bool) -> bytes:
    key, id_ = _text(binding.key, mended=mended), msgspec.json.encode(_str(binding.artifact_id, mended=mended))
    if body is None:
        return b'{"key":%b,"id":%b,"name":null,"kind":null,"url":null}' % (key, id_)
    found, found_mended = json_literals.decode_mended(body, _Artifact)
    found.id = Raw(id_)
    return _artifact(Raw(key), found, mended=found_mended)


def _artifact(key: Raw, found: _Artifact, *, mended: bool) -> bytes:
    return b'{"key":%b,"id":%b,"name":%b,"kind":%b,"url":%b}' % tuple(
        _text(literal, mended=mended) for literal in (key, found.id, found.name, found.kind, found.url)
    )


def _array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _str(text: str, *, mended: bool) -> str:
    """An id or a status."""
    return json_literals.check_length(json_literals.restored_text(text) if mended else text, _MEMBER)


def _text(literal: Raw, *, mended: bool) -> bytes:
    """A string or ``null``, as it was sent."""
    given = bytes(literal)
    if given != NULL and not json_literals.is_string(given):
        raise BadGateway(json_literals.shape(_MEMBER))
    return json_literals.check_length(json_literals.restored(given) if mended else given, _MEMBER)
