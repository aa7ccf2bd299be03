"""MLflow's documents → domain: runs, their related objects, their logged models.

A run's status is given in the AI API's words, so that one filter fits all runtimes: ``SCHEDULED`` is ``PENDING``,
``FINISHED`` ``COMPLETED``, ``FAILED`` ``DEAD``, ``KILLED`` ``STOPPED``, ``RUNNING`` itself; any other is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain.comparison import MODEL_LABEL
from service.domain.errors import BadGateway
from service.domain.runs import NULL, Run, RunStatus
from service.runtimes import json_literals
from service.runtimes.mlflow import timestamps
from service.runtimes.mlflow.points import Place
from service.runtimes.mlflow.run_documents import DatasetInput, ListedRun, LoggedModel, MLflowRun, ModelMetric, Pair

_NULL = Raw(NULL)
_STATUSES = {
    "SCHEDULED": RunStatus.PENDING,
    "RUNNING": RunStatus.RUNNING,
    "FINISHED": RunStatus.COMPLETED,
    "FAILED": RunStatus.DEAD,
    "KILLED": RunStatus.STOPPED,
}
MOST_LABEL_BYTES = 16 * 1024
"""Of the names of a model and dataset, which each of their points repeats; MLflow has 500 characters each."""
_NOTE, _MODEL_HISTORY = "mlflow.note.content", "mlflow.log-model.history"
_EXECUTABLE = ("mlflow.source.name", "mlflow.project.entryPoint")
_COMMIT = "mlflow.source.git.commit"
_CONTEXT = "mlflow.data.context"


def status(found: ListedRun) -> RunStatus:
    return _STATUSES.get(found.info.status, RunStatus.UNKNOWN)


def run(found: ListedRun) -> Run:
    """A run without its related objects. MLflow has no time of its creation or last change."""
    start, end = timestamps.literal(found.info.start_time), timestamps.literal(found.info.end_time)
    began = start or NULL
    return Run(
        run_id=found.info.run_id,
        status=status(found),
        scenario_id=_text(found.info.experiment_id),
        executable_id=_text(_executable(found)),
        configuration_name=_text(found.info.run_name),
        created_at=began,
        submission_time=began,
        start_time=began,
        completion_time=end or NULL,
        unreadable=(start is None) + (end is None),
    )


def created_at(found: MLflowRun) -> bytes | None:
    """``None`` where it cannot be read."""
    return timestamps.literal(found.info.start_time)


def parameters(found: MLflowRun) -> bytes:
    return _array(b'{"key":%b,"value":%b}' % (_text(one.key), _text(one.value)) for one in found.data.params)


def tags(found: MLflowRun) -> bytes:
    """All tags, including MLflow's own (``mlflow.…``)."""
    return _named_values(found.data.tags)


def custom_info(found: MLflowRun) -> bytes:
    """The tags whose value is a JSON object or array, and the run's note; MLflow has no custom info of its own."""
    return _named_values(tag for tag in found.data.tags if tag.key == _NOTE or _is_json(tag.value))


def scenario(found: MLflowRun, name: str | None) -> bytes:
    return b'{"id":%b,"name":%b}' % (_text(found.info.experiment_id), _text(name))


def executable(found: MLflowRun) -> bytes:
    """The script or entry point, its version that of git; ``null`` where the client did not log it."""
    name = _executable(found)
    commit = next((tag.value for tag in found.data.tags if tag.key == _COMMIT), None)
    members = (_text(name), _text(name), _text(commit))
    return NULL if name is None else b'{"id":%b,"name":%b,"versionId":%b}' % members


def input_artifacts(found: MLflowRun) -> bytes:
    """The data sets; their key is their use (``mlflow.data.context``), where the client logged it."""

    def artifact(given: DatasetInput) -> bytes:
        dataset = given.dataset
        used_for = next((tag.value for tag in given.tags if tag.key == _CONTEXT), dataset.name)
        return _artifact(used_for, dataset.digest, dataset.name, "dataset", dataset.source)

    return _array(map(artifact, found.inputs.dataset_inputs))


def output_artifacts(found: MLflowRun, models: Mapping[str, LoggedModel | None]) -> bytes:
    """The logged models, only with an id where one could not be read; with MLflow 2, those of the client's tag."""

    def artifact(model_id: str) -> bytes:
        model = models.get(model_id)
        if model is None:
            return _artifact(model_id, model_id, None, "model", None)
        return _artifact(model.info.name or model_id, model_id, model.info.name, "model", model.info.artifact_uri)

    return _array(map(artifact, found.made) if found.made else _models_of_tag(found))


def labels(found: MLflowRun, models: Iterable[LoggedModel]) -> dict[str, dict[Place, list[bytes]]]:
    """By metric key, the label sets of the points of models."""
    by_key: dict[str, dict[Place, dict[bytes, None]]] = {}
    for model in models:
        for metric in model.data.metrics:
            if metric.run_id in {None, found.info.run_id}:
                place = (bytes(metric.timestamp), bytes(metric.step), bytes(metric.value))
                by_key.setdefault(metric.key, {}).setdefault(place, {})[_label_set(model, metric)] = None
    return {key: {place: [*known] for place, known in places.items()} for key, places in by_key.items()}


def _label_set(model: LoggedModel, metric: ModelMetric) -> bytes:
    given = (
        (MODEL_LABEL, model.info.name or model.info.model_id),
        ("dataset_name", metric.dataset_name),
        ("dataset_digest", metric.dataset_digest),
    )
    found = _array(
        b'{"name":%b,"value":%b}' % (_text(name), _text(value)) for name, value in given if value is not None
    )
    if len(found) > MOST_LABEL_BYTES:
        raise BadGateway("the AI runtime's answer has a model or dataset with too long a name")
    return found


class _LoggedByMLflow2(msgspec.Struct):
    artifact_path: str
    model_uuid: str | None = None


def _models_of_tag(found: MLflowRun) -> Iterator[bytes]:
    text = next((tag.value for tag in found.data.tags if tag.key == _MODEL_HISTORY), "[]")
    try:
        logged: Sequence[_LoggedByMLflow2] = json_decoder(list[_LoggedByMLflow2]).decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return
    for model in logged:
        path = model.artifact_path
        url = None if found.info.artifact_uri is None else f"{found.info.artifact_uri}/{path}"
        yield _artifact(path, model.model_uuid or path, path, "model", url)


def _executable(found: ListedRun) -> str | None:
    by_key = {tag.key: tag.value for tag in found.data.tags if tag.key in _EXECUTABLE}
    return next((by_key[key] for key in _EXECUTABLE if by_key.get(key)), None)


def _is_json(value: str) -> bool:
    if value[:1] not in {"{", "["}:
        return False
    try:
        json_decoder(Raw).decode(value)  # checks it without making objects
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _named_values(found: Iterable[Pair]) -> bytes:
    return _array(b'{"name":%b,"value":%b}' % (_text(one.key), msgspec.json.encode(one.value)) for one in found)


def _artifact(key: str | None, id_: str | None, name: str | None, kind: str, url: str | None) -> bytes:
    return b'{"key":%b,"id":%b,"name":%b,"kind":%b,"url":%b}' % tuple(map(_text, (key, id_, name, kind, url)))


def _text(value: str | None) -> bytes:
    """A literal of text that is read and written as a whole."""
    return json_literals.check_length(msgspec.json.encode(value), "a member of a run")


def _array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"
