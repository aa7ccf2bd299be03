"""AI API JSON → domain: an execution and its related objects become a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from service.domain.errors import BadGateway
from service.domain.runs import NULL, Run
from service.runtimes import json_arrays, json_literals
from service.runtimes.ai_api.timestamps import TimestampMapping

T = TypeVar("T")

_NULL = Raw(NULL)
_MEMBER = "a member of a run"
MOST_PARTS = 10_000
"""The most parameters, inputs and outputs of a run that are read; SAP AI Core has at most 1000 of each."""


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


def execution(body: bytes, asked: str) -> tuple[Execution, bool]:
    """The execution ``asked`` for, and whether its literals must be restored."""
    found, mended = json_literals.decode_mended(body, Execution)
    if found.id != asked:
        raise BadGateway("the AI runtime answered with another run than the one it was asked for")
    return found, mended


def end(body: bytes, asked: str) -> float | None:
    """When the run ``asked`` for ended, in seconds since the epoch; ``None`` where it has not, or that is not known."""
    try:
        found, mended = execution(body, asked)
        return run(found, mended=mended).ended_at
    except BadGateway:
        return None


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
    found, are_all = _parts(execution.output_artifacts, list[_Artifact])
    return _array(_artifact(one.name if one.key == _NULL else one.key, one, mended=mended) for one in found), are_all


def configuration(body: bytes) -> tuple[Configuration, bool]:
    """The configuration, and whether its literals must be restored."""
    found, mended = json_literals.decode_mended(body, _Configuration)
    parameters, are_all_parameters = _parts(found.parameter_bindings, list[_KeyValue])
    bindings, are_all_inputs = _parts(found.input_artifact_bindings, list[_Binding])
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


def _parts(array: Raw, kind: type[list[T]]) -> tuple[list[T], bool]:
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
