"""AI API JSON → domain: executions and their related objects become runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.run_tables import LONGEST, RunTable, Texts
from service.domain.runs import NULL, Run
from service.domain.timestamps import MomentReader
from service.runtimes import json_arrays, json_columns, json_literals
from service.runtimes.ai_api.timestamps import TimestampMapping
from service.runtimes.json_columns import Column

T = TypeVar("T")

_NULL = Raw(NULL)
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
_LIST = "the list of runs"
MOST_PARTS = 10_000
"""The most parameters, inputs and outputs of a run that are read; SAP AI Core has at most 1000 of each."""
_STRING_OR_NULL = frozenset(b'"n')
"""The first characters of a string or ``null``."""


class _Artifact(msgspec.Struct, gc=False):
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
    output_artifacts: Raw = _NULL


_KEYS = {field.name: field.encode_name.encode() for field in msgspec.structs.fields(Execution)}
"""What the members are called in JSON."""


class _Executions(msgspec.Struct):
    resources: Raw


class _KeyValue(msgspec.Struct, gc=False):
    key: Raw
    value: Raw


class _Binding(msgspec.Struct, rename="camel", gc=False):
    key: Raw
    artifact_id: str


class _Configuration(msgspec.Struct, rename="camel"):
    parameter_bindings: Raw = _NULL
    input_artifact_bindings: Raw = _NULL
    scenario_id: Raw = _NULL
    executable_id: Raw = _NULL


class Configuration(NamedTuple):
    """The configuration that a run was started with; ``cut`` names the parts of which not all are read."""

    parameters: Sequence[_KeyValue]
    bindings: Sequence[_Binding]
    scenario_id: Raw
    executable_id: Raw
    cut: Sequence[str]


class _Named(msgspec.Struct, rename="camel"):
    id: Raw = _NULL
    name: Raw = _NULL
    version_id: Raw = _NULL


def runs(body: bytes, *, stretch: int = json_arrays.STRETCH) -> Iterator[Run | RunTable]:
    """All runs of the answer to ``GET /lm/executions``, read some at a time, those that are written alike together.

    ``stretch`` is how many bytes are read at once. Raises ``BadGateway``, also on the way.
    """
    answer, mended = json_literals.decode_mended(body, _Executions)
    del body
    moments = MomentReader()

    def alike(text: bytes) -> Iterable[Run | RunTable] | None:
        return None if mended else _by_columns(text, moments)

    for found in json_arrays.stretches(answer.resources, alike, Raw, _LIST, stretch=stretch):
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


def output_artifacts(execution: Execution, *, mended: bool) -> tuple[bytes, bool]:
    """The artifacts that came of a run, and whether these are all; the AI API gives them no key of their own, so their
    name is it."""
    found, are_all = _parts(execution.output_artifacts, _Artifact)
    return _array(_artifact(one.name if one.key == _NULL else one.key, one, mended=mended) for one in found), are_all


def configuration(body: bytes) -> tuple[Configuration, bool]:
    """The configuration, and whether its literals must be restored."""
    found, mended = json_literals.decode_mended(body, _Configuration)
    parameters, are_all_parameters = _parts(found.parameter_bindings, _KeyValue)
    bindings, are_all_inputs = _parts(found.input_artifact_bindings, _Binding)
    whole = {"parameters": are_all_parameters, "inputArtifacts": are_all_inputs}
    cut = [part for part, is_whole in whole.items() if not is_whole]
    return Configuration(parameters, bindings, found.scenario_id, found.executable_id, cut), mended


def parameters(found: Configuration, *, mended: bool) -> bytes:
    return _array(
        b'{"key":%b,"value":%b}' % (_text(one.key, mended=mended), _text(one.value, mended=mended))
        for one in found.parameters
    )


def input_artifacts(found: Configuration, bodies: Mapping[str, bytes], *, mended: bool) -> bytes:
    """The input artifacts of a run; ``bodies`` are the answers for those that could be read, by artifact id."""
    return _array(_input(binding, bodies.get(binding.artifact_id), mended=mended) for binding in found.bindings)


def _parts(array: Raw, kind: type[T]) -> tuple[list[T], bool]:
    """The first ``MOST_PARTS`` of an array, and whether these are all."""
    found: list[T] = []
    for some in json_arrays.items(array, kind, _MEMBER):
        found += some
        if len(found) > MOST_PARTS:
            return found[:MOST_PARTS], False
    return found, True


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
