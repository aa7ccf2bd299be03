"""Logs the sandbox's recorded runs to an MLflow server with MLflow's own client.

A program for an interpreter that has MLflow, which need not be the service's: it imports nothing of the service. Prints
a line of JSON for each run once it is logged. A metric's labels become part of its key, ``validation/Accuracy``: MLflow
has none of its own.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

_STATUSES = {"COMPLETED": "FINISHED", "DEAD": "FAILED", "STOPPED": "KILLED"}
_MODEL = "metrics.ai.sap.com/Artifact.name"
_BATCH = 1000


def main(tracking_uri: str, recordings: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415 - the service's interpreter can read this file, too

    output, sys.stdout = sys.stdout, sys.stderr  # the client prints there, too
    client = MlflowClient(tracking_uri)
    experiments: dict[str, str] = {}
    for path in sorted(recordings.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            about, *points = map(json.loads, lines)
        name = about["scenario"]["name"]
        if name not in experiments:
            experiments[name] = client.create_experiment(name)
        run_id = _log(client, experiments[name], about, points)
        status = about["execution"]["status"]
        print(
            json.dumps({"runId": run_id, "status": status, "description": about["description"]}),
            file=output,
            flush=True,
        )


def _log(client: MlflowClient, experiment: str, about: dict[str, Any], points: list[dict[str, Any]]) -> str:
    from mlflow.entities import Param, RunTag  # noqa: PLC0415

    execution, executable = about["execution"], about["executable"]
    tags = {"mlflow.source.name": executable["id"], "mlflow.note.content": about["description"]}
    run = client.create_run(
        experiment, _milliseconds(execution["startTime"]), tags, run_name=execution["configurationName"]
    )
    run_id: str = run.info.run_id
    parameters = [Param(one["key"], one["value"]) for one in about["configuration"].get("parameterBindings", ())]
    resource_tags = [RunTag(one["name"], one["value"]) for one in (about["metric_resource"] or {}).get("tags", ())]
    client.log_batch(run_id, params=parameters, tags=resource_tags)
    for batch in _batches([_metric(point) for point in points]):
        client.log_batch(run_id, metrics=batch)
    if execution["status"] in _STATUSES:
        end = _milliseconds(execution.get("completionTime") or execution["modifiedAt"])
        client.set_terminated(run_id, _STATUSES[execution["status"]], end)
    return run_id


def _metric(point: dict[str, Any]) -> Metric:
    from mlflow.entities import Metric  # noqa: PLC0415

    labels = [label["value"] for label in point.get("labels", ()) if label["name"] != _MODEL]
    key = "/".join((*labels, point["name"]))
    return Metric(key, point["value"], _milliseconds(point["timestamp"]), point.get("step") or 0)


def _batches(metrics: list[Metric]) -> Iterator[list[Metric]]:
    for at in range(0, len(metrics), _BATCH):
        yield metrics[at : at + _BATCH]


def _milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
