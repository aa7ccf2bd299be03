"""Records what a training logs, in the form of the AI API.

Common clients of the AI API read UTC only and up to six fractional digits, so timestamps are written like that.
"""

from __future__ import annotations

import gzip
import json
import sys
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sklearn

from service.sandbox.live.training import line

ARTIFACT_LABEL = "metrics.ai.sap.com/Artifact.name"

Body = dict[str, Any]


def utc() -> str:
    """Now, in microseconds, with a ``Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def python_spelling() -> str:
    """Now, as ``datetime.isoformat`` writes it: with ``+00:00``."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass
class Plan:
    """The description of a run before it starts. ``id`` is the execution's; other ids derive from it."""

    id: str
    description: str
    scenario: tuple[str, str]
    executable: tuple[str, str]
    dataset: str
    model: str
    parameters: Mapping[str, object]
    resource_group: str = "default"
    timestamp: Any = utc


@dataclass
class Recorder:
    """One run. Log to it while training, then end it and save it."""

    plan: Plan
    status: str = "RUNNING"
    message: str | None = None
    metrics: list[Body] = field(default_factory=list)
    tags: list[Body] = field(default_factory=list)
    custom_info: list[Body] = field(default_factory=list)
    lines: list[Body] = field(default_factory=list)
    progress: Body | None = None

    def __post_init__(self) -> None:
        self.started = self.ended = utc()
        self.say(f"scikit-learn {sklearn.__version__} on Python {sys.version.split()[0]}")
        settings = ", ".join(f"{name}={value}" for name, value in self.plan.parameters.items())
        self.say(f"training {self.plan.model} on {self.plan.dataset}: {settings}")

    @property
    def description(self) -> str:
        return self.plan.description

    def log(self, name: str, value: float, step: int | None = None, **labels: str) -> None:
        """Log a point now, labelled with the model's name and ``labels``."""
        metric: Body = {"name": name, "value": value, "timestamp": self.plan.timestamp()}
        if step is not None:
            metric["step"] = step
        all_labels = {ARTIFACT_LABEL: self.plan.model, **labels}
        metric["labels"] = [{"name": key, "value": text} for key, text in all_labels.items()]
        self.metrics.append(metric)

    def last(self, name: str) -> float:
        """The last value logged under that name."""
        return next(metric["value"] for metric in reversed(self.metrics) if metric["name"] == name)

    def say(self, text: str, stream: str = "stdout") -> None:
        """Write a line to the run's log now, and to the terminal."""
        print(text, file=sys.stderr if stream == "stderr" else sys.stdout, flush=True)
        self.lines.append(line(self.plan.id, utc(), text, stream))

    def report(self, error: Exception) -> None:
        """Log an error's traceback, with paths relative to the module path."""
        for written in "".join(traceback.format_exception(error)).splitlines():
            self.say(_from_module_path(written), "stderr")

    def tag(self, name: str, value: str) -> None:
        self.tags.append({"name": name, "value": value})

    def inform(self, name: str, value: object) -> None:
        """Log custom info: any JSON, as a string."""
        self.custom_info.append({"name": name, "value": json.dumps(value)})

    def confusion(self, actual: Sequence[Any], predicted: Sequence[Any], names: Sequence[str]) -> None:
        """Log the confusion matrix: a row for each pair of classes that occurred."""
        pairs: dict[tuple[int, int], int] = {}
        for pair in zip(map(int, actual), map(int, predicted), strict=True):
            pairs[pair] = pairs.get(pair, 0) + 1
        rows = [{"Actual": names[a], "Predicted": names[p], "Count": n} for (a, p), n in sorted(pairs.items())]
        self.inform("Confusion Matrix", rows)

    def end(self, status: str, message: str | None = None) -> Recorder:
        self.say(message or f"{status.lower()}: {len(self.metrics)} points logged")
        self.status, self.message, self.ended = status, message, utc()
        return self

    def leave(self) -> Recorder:
        """End the recording; the run stays running."""
        self.ended = utc()
        return self

    def save(self, path: Path) -> int:
        """Write the recording and its log to ``path`` with their suffixes; returns the number of points."""
        _write(path.with_name(f"{path.name}.jsonl.gz"), [self._head(), *self.metrics])
        _write(path.with_name(f"{path.name}.log.gz"), self.lines)
        return len(self.metrics)

    def _head(self) -> Body:
        logged = bool(self.metrics or self.tags or self.custom_info)
        resource = {"createdAt": self.started, "modifiedAt": self.ended, "tags": self.tags}
        return {
            "description": self.plan.description,
            "resource_group": self.plan.resource_group,
            "scenario": self._named(self.plan.scenario),
            "executable": self._executable(),
            "configuration": self._configuration(),
            "artifacts": [self._dataset(), *self._outputs()],
            "execution": self._execution(),
            "metric_resource": {**resource, "customInfo": self.custom_info} if logged else None,
            "progress": self.progress,
        }

    def _named(self, named: tuple[str, str]) -> Body:
        id_, name = named
        return {"id": id_, "name": name, "description": name, "createdAt": self.started, "modifiedAt": self.started}

    def _executable(self) -> Body:
        return self._named(self.plan.executable) | {
            "scenarioId": self.plan.scenario[0],
            "versionId": "1.0.0",
            "deployable": False,
            "parameters": [{"name": name, "type": "string"} for name in self.plan.parameters],
            "inputArtifacts": [{"name": "dataset"}],
            "outputArtifacts": [{"name": "model"}],
        }

    def _configuration(self) -> Body:
        return {
            "id": self._derived("configuration"),
            "name": f"{self.plan.model}-configuration",
            "executableId": self.plan.executable[0],
            "scenarioId": self.plan.scenario[0],
            "parameterBindings": [{"key": key, "value": str(value)} for key, value in self.plan.parameters.items()],
            "inputArtifactBindings": [{"key": "dataset", "artifactId": self._dataset_id()}],
            "createdAt": self.started,
        }

    def _dataset(self) -> Body:
        return self._artifact(self._dataset_id(), self.plan.dataset, "dataset", self.started)

    def _outputs(self) -> list[Body]:
        if self.status in {"DEAD", "STOPPED"}:
            return []
        return [self._artifact(self._derived("model"), self.plan.model, "model", self.ended)]

    def _artifact(self, id_: str, name: str, kind: str, moment: str) -> Body:
        made: Body = {
            "id": id_,
            "name": name,
            "kind": kind,
            "url": f"ai://{self.plan.resource_group}/{kind}s/{name}",
            "description": f"{self.plan.scenario[1]}: {kind}",
            "scenarioId": self.plan.scenario[0],
            "createdAt": moment,
            "modifiedAt": moment,
        }
        return made if kind == "dataset" else {**made, "executionId": self.plan.id}

    def _execution(self) -> Body:
        configuration = self._configuration()
        execution: Body = {
            "id": self.plan.id,
            "configurationId": configuration["id"],
            "configurationName": configuration["name"],
            "executableId": configuration["executableId"],
            "scenarioId": configuration["scenarioId"],
            "status": self.status,
            "targetStatus": "STOPPED" if self.status == "STOPPED" else "COMPLETED",
            "outputArtifacts": self._outputs() if self.status == "COMPLETED" else [],
            "createdAt": self.started,
            "modifiedAt": self.ended,
            "submissionTime": self.started,
            "startTime": self.started,
        }
        if self.message is not None:
            execution |= {"statusMessage": self.message}
        return execution if self.status == "RUNNING" else {**execution, "completionTime": self.ended}

    def _derived(self, part: str) -> str:
        """The id of an object of this run alone."""
        return str(uuid.uuid5(uuid.UUID(self.plan.id), part))

    def _dataset_id(self) -> str:
        """The id of the data set, the same for all runs that learn from it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"ai://{self.plan.resource_group}/datasets/{self.plan.dataset}"))


def _write(path: Path, rows: Sequence[Body]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _from_module_path(written: str) -> str:
    for directory in sorted(sys.path, key=len, reverse=True):
        written = written.replace(f'File "{directory}/', 'File "') if directory else written
    return written
