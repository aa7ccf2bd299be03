"""Continues the training of the unfinished recorded run, and logs the loss of each step."""

from __future__ import annotations

import json
import threading

from service.sandbox import clock, recorded, saved_state
from service.sandbox.live.softmax import Softmax, learn_batch, scaled
from service.sandbox.metric_store import Addition
from service.sandbox.objects import Kind
from service.sandbox.parts import Parts
from service.sandbox.recorded import Body

METRIC = "Loss"
_NOTE = "live training"


def line(execution_id: str, moment: str, text: str, stream: str = "stdout") -> Body:
    """A line of the log of an execution, whose container runs in a pod of its own."""
    return {"timestamp": moment, "msg": text, "container": "main", "pod": f"run-{execution_id[:8]}", "stream": stream}


def message(step: int, loss: float) -> str:
    """What the training writes to its log for each step."""
    return f"step {step}: loss {loss:.6f}"


class LiveTraining:
    """A thread that trains one step each ``interval`` seconds for as long as the run is ``RUNNING``.

    It goes on within its context, whose end waits for the step under way.
    """

    def __init__(self, parts: Parts, interval: float = 1.0) -> None:
        self._parts = parts
        self._interval = interval
        self._run = recorded.live()
        self._sample = [scaled(row) for row in recorded.sample()]
        self._settings = {item["key"]: item["value"] for item in self._run.configuration["parameterBindings"]}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="live-training", daemon=True)

    def __enter__(self) -> LiveTraining:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def step(self) -> bool:
        """Train one step and log its loss; ``False`` where the run is over."""
        if not self._is_running():
            return False
        progress = self._progress()
        model, step = Softmax(progress["weights"]), progress["step"] + 1
        batch, rate = int(self._settings["batch_size"]), float(self._settings["learning_rate"])
        loss = learn_batch(model, self._sample, step, batch, rate)
        self._log(loss, step)
        saved_state.write(self._parts.database, _NOTE, json.dumps({"step": step, "weights": model.weights}))
        return True

    def _go_on(self) -> None:
        while not self._stopped.wait(self._interval):
            if not self.step():
                return

    def _is_running(self) -> bool:
        execution = self._parts.objects.get(self._run.resource_group, Kind.EXECUTION, self._run.execution["id"])
        return execution is not None and execution["status"] == "RUNNING"

    def _progress(self) -> Body:
        kept = saved_state.read(self._parts.database, _NOTE)
        progress: Body = json.loads(kept) if kept is not None else self._run.progress or {}
        return progress

    def _log(self, loss: float, step: int) -> None:
        moment = clock.now()
        metric = {"name": METRIC, "value": loss, "timestamp": moment, "step": step, "labels": self._labels()}
        addition = Addition(json.dumps(metric).encode())
        group, id_ = self._run.resource_group, self._run.execution["id"]
        self._parts.metrics.add(group, id_, addition, moment)
        self._parts.logs.write(group, id_, [line(id_, moment, message(step, loss))])

    def _labels(self) -> list[Body]:
        model = next(artifact for artifact in self._run.artifacts if artifact["kind"] == "model")
        return [{"name": "metrics.ai.sap.com/Artifact.name", "value": model["name"]}]
