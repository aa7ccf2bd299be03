"""The run that goes on: it really learns, and goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.sandbox import recorded
from service.sandbox.app import parts_of
from service.sandbox.live.softmax import Softmax, learn_batch, scaled
from service.sandbox.live.training import LiveTraining

RUN = "c85a1e94-d7b0-4f26-a3c1-64e2f8b90d1b"


def steps(api: Any) -> list[int]:
    return [metric["step"] for metric in api.resource(RUN)["metrics"]]


def test_the_recorded_steps_can_be_trained_again() -> None:
    images = [scaled(row) for row in recorded.sample()]
    model = Softmax.untrained(len(images[0][1]))
    losses = [learn_batch(model, images, step, 16, 0.02) for step in range(1, 61)]
    progress = recorded.live().progress
    assert progress is not None
    assert progress["step"] == len(losses)
    for row, kept in zip(model.weights, progress["weights"], strict=True):
        assert row == pytest.approx(kept)
    logged = json.loads(b"[" + b",".join(recorded.batches("digits-running")) + b"]")
    assert [point["value"] for point in logged] == pytest.approx(losses)
    assert losses[-1] < losses[0]


def test_it_goes_on_after_a_restart(serving: Any, tmp_path: Path) -> None:
    for last in (62, 64):
        with serving(tmp_path) as api:
            training = LiveTraining(parts_of(api.app))
            assert training.step()
            assert training.step()
            assert steps(api) == list(range(1, last + 1))
            log = api.get(f"/executions/{RUN}/logs", **{"$order": "desc", "$top": 2}).json()["data"]["result"]
            assert [line["msg"].split(":")[0] for line in log] == [f"step {last}", f"step {last - 1}"]


def test_it_ends_with_the_run(serve: Any) -> None:
    api = serve()
    training = LiveTraining(parts_of(api.app))
    api.call("PATCH", f"/executions/{RUN}", json={"targetStatus": "STOPPED"})
    assert not training.step()
    assert steps(api)[-1] == 60


def test_it_runs_in_the_background_until_told_to_stop(serve: Any) -> None:
    api = serve()
    with LiveTraining(parts_of(api.app), interval=0.01):
        while steps(api)[-1] < 63:
            pass
    before = steps(api)
    assert before == list(range(1, len(before) + 1))
    assert steps(api) == before
