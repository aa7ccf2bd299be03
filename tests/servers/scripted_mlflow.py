"""An MLflow tracking server that answers as a test says, for what a real one does rarely."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.scripted_runtime import ScriptedRuntime

Answer = tuple[int, bytes, float]
NOT_FOUND: Answer = (404, b"<!doctype html><title>404 Not Found</title>", 0.0)
MARCH = 1_774_746_000_000


def error(code: str) -> dict[str, str]:
    return {"error_code": code, "message": "said by the tests"}


class ScriptedMLflow(ScriptedRuntime):
    """Runs by id with the points of each key; what is said of a path's end (``runs/get`` …) counts before them."""

    def __init__(self, *, workspaces: bool | None = False) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.info: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.last_step = 0
        self.history: Callable[[dict[str, str]], object] | None = None
        """What a history is, by the request's query."""
        self.bulk: Callable[[dict[str, str]], object] | None = None
        """What a history by ``get-history-bulk`` is, where the server has that."""
        self.search: Callable[[], object] | None = None
        """What a page of runs is."""
        if workspaces is not None:
            self.say("mlflow/server-info", 200, {"store_type": "SqlStore", "workspaces_enabled": workspaces})
        self.say("version", 200, b"3.17.2")

    def answer(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        parts = urlsplit(path)
        what = "/".join(parts.path.strip("/").split("/")[-2:])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked[what] += 1
        if what in self.answers:
            return self.answers[what]
        document = self._document(what, query)
        return NOT_FOUND if document is None else (200, json.dumps(document, indent=2).encode(), 0.0)

    def _document(self, what: str, query: dict[str, str]) -> object:
        run = self.runs.get(query.get("run_id", ""))
        match what:
            case "runs/get" if run is not None:
                return {"run": self._run(query["run_id"], run)}
            case "metrics/get-history" if self.history is not None:
                return self.history(query)
            case "metrics/get-history":
                points = (run or {}).get(query["metric_key"], [])
                return {"metrics": [{"key": query["metric_key"], **point} for point in points]} if points else {}
            case "metrics/get-history-bulk" if self.bulk is not None:
                return self.bulk(query)
            case "experiments/search":
                return {"experiments": [{"experiment_id": "0", "name": "Default"}]}
            case "runs/search" if self.search is not None:
                return self.search()
            case "runs/search":
                return {"runs": [self._run(run_id, points) for run_id, points in self.runs.items()]}
            case "experiments/get":
                return {"experiment": {"experiment_id": "0", "name": "Default"}}
        return None

    def _run(self, run_id: str, metrics: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        info = {"run_id": run_id, "experiment_id": "0", "status": "RUNNING", "start_time": MARCH, **self.info}
        data = {"metrics": [{"key": key, "value": 0, "step": self.last_step} for key in metrics]}
        return {"info": info, "data": data, "inputs": {}, "outputs": self.outputs}
