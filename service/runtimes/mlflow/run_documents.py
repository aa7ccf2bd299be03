"""MLflow's JSON documents of runs, experiments and logged models, as the server sends them."""

from __future__ import annotations

from itertools import chain

import msgspec
from msgspec import Raw

from service.domain.errors import BadGateway
from service.domain.runs import NULL
from service.runtimes import json_literals
from service.runtimes.mlflow import timestamps

_NULL = Raw(NULL)
MOST_KEY = 1000
"""Characters of a metric's, parameter's or tag's key; MLflow itself takes 250. Every point repeats its metric's."""


class Pair(msgspec.Struct, gc=False):
    """A parameter or a tag."""

    key: str
    value: str = ""


class Info(msgspec.Struct, gc=False):
    run_id: str
    status: str = ""
    run_name: str | None = None
    experiment_id: str | None = None
    artifact_uri: str | None = None
    lifecycle_stage: str = "active"
    start_time: Raw = _NULL
    end_time: Raw = _NULL


class _Metric(msgspec.Struct, gc=False):
    """The latest point of a metric: that of its largest step."""

    key: str
    step: Raw = _NULL


class _ListedData(msgspec.Struct, gc=False):
    tags: list[Pair] = []


class _Data(_ListedData, gc=False):
    metrics: list[_Metric] = []
    params: list[Pair] = []


class _Dataset(msgspec.Struct, gc=False):
    name: str | None = None
    digest: str | None = None
    source: str | None = None


class DatasetInput(msgspec.Struct):
    dataset: _Dataset
    tags: list[Pair] = []


class _Model(msgspec.Struct, gc=False):
    model_id: str


class _Inputs(msgspec.Struct):
    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[_Model] = []


class _Outputs(msgspec.Struct):
    model_outputs: list[_Model] = []


class ListedRun(msgspec.Struct):
    """A run of ``runs/search``. Its parameters and metrics, of which there may be thousands, are not decoded."""

    info: Info
    data: _ListedData = msgspec.field(default_factory=_ListedData)

    @property
    def deleted(self) -> bool:
        return self.info.lifecycle_stage == "deleted"


class MLflowRun(ListedRun):
    """A run of ``runs/get``."""

    data: _Data = msgspec.field(default_factory=_Data)
    inputs: _Inputs = msgspec.field(default_factory=_Inputs)
    outputs: _Outputs = msgspec.field(default_factory=_Outputs)

    @property
    def last_steps(self) -> dict[str, int]:
        """The largest step of each metric, in the server's order; 0 where it cannot be read."""
        return {metric.key: timestamps.integer(metric.step) or 0 for metric in self.data.metrics}

    @property
    def made(self) -> list[str]:
        """The ids of the models that the run has logged."""
        return list(dict.fromkeys(model.model_id for model in self.outputs.model_outputs))

    @property
    def models(self) -> list[str]:
        """The ids of the models that the run has logged or was given."""
        return list(dict.fromkeys((*self.made, *(model.model_id for model in self.inputs.model_inputs))))


class _GetRun(msgspec.Struct):
    run: MLflowRun


class RunPage(msgspec.Struct):
    runs: list[ListedRun] = []
    next_page_token: str | None = None


class _Experiment(msgspec.Struct):
    experiment_id: str
    name: str | None = None


class _GetExperiment(msgspec.Struct):
    experiment: _Experiment


class ExperimentPage(msgspec.Struct):
    experiments: list[_Experiment] = []
    next_page_token: str | None = None


class ModelMetric(msgspec.Struct, gc=False):
    key: str
    value: Raw = _NULL
    timestamp: Raw = _NULL
    step: Raw = _NULL
    run_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class _ModelInfo(msgspec.Struct, gc=False):
    model_id: str
    name: str | None = None
    artifact_uri: str | None = None


class _ModelData(msgspec.Struct):
    metrics: list[ModelMetric] = []


class LoggedModel(msgspec.Struct):
    """A logged model with all its points."""

    info: _ModelInfo
    data: _ModelData = msgspec.field(default_factory=_ModelData)


class _GetModel(msgspec.Struct):
    model: LoggedModel


def run_of(body: bytes, asked: str) -> MLflowRun:
    """The run ``asked`` for. Raises ``BadGateway`` where the answer is not a run, or another one."""
    found = json_literals.decode(body, _GetRun).run
    if found.info.run_id != asked:
        raise BadGateway("the AI runtime answered with another run than the one it was asked for")
    keys = chain([one.key for one in found.data.metrics], [one.key for one in (*found.data.params, *found.data.tags)])
    if max(map(len, keys), default=0) > MOST_KEY:
        raise BadGateway(f"the AI runtime's answer has a key of more than {MOST_KEY:,} characters")
    return found


def logged_model(body: bytes) -> LoggedModel:
    return json_literals.decode(body, _GetModel).model


def experiment_name(body: bytes) -> str | None:
    return json_literals.decode(body, _GetExperiment).experiment.name
