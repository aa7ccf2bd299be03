"""Which points of a run are a model's."""

from __future__ import annotations

from testing.work import run_within

LABELS = """
import json
from service.runtimes.mlflow import run_documents, run_mapping
run = run_documents.run_of(json.dumps({"run": {"info": {"run_id": "r", "status": "RUNNING"}}}).encode(), "r")
def labels(sets):
    metrics = [{"key": "loss", "value": 1, "timestamp": 1, "step": 1, "dataset_name": str(one)} for one in sets]
    model = {"model": {"info": {"model_id": "m"}, "data": {"metrics": metrics}}}
    return run_mapping.labels(run, [run_documents.logged_model(json.dumps(model).encode())])["loss"]
(few,) = labels([1, 2, 1]).values()
(many,) = labels(range(20_000)).values()
print(len(few), len(many))
"""


def test_label_sets_of_one_point_are_distinguished_one_by_one() -> None:
    assert run_within(LABELS, cpu_seconds=3).split() == ["2", "20000"]
