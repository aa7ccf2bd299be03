"""The running run: the sandbox's own model, a step a second, which the sandbox continues."""

from __future__ import annotations

import json
import time
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.utils import resample

from service.sandbox.live.softmax import Softmax, learn_batch, scaled
from service.sandbox.live.training import METRIC, message
from training.recorder import Plan, Recorder

STEPS = 60
IMAGES = 600


def sample() -> list[list[int]]:
    """Images with the digit first: a third of all, always the same."""
    images, digits = load_digits(return_X_y=True)
    rows = [[int(digit), *map(int, image)] for image, digit in zip(images, digits, strict=True)]
    chosen: list[list[int]] = resample(rows, replace=False, n_samples=IMAGES, random_state=1, stratify=digits)
    return chosen


def save_sample(path: Path) -> None:
    path.write_text(json.dumps(sample(), separators=(",", ":")).replace("],", "],\n") + "\n", "utf-8")


def running() -> Recorder:
    parameters = {"learning_rate": 0.02, "batch_size": 16}
    plan = Plan(
        "c85a1e94-d7b0-4f26-a3c1-64e2f8b90d1b",
        "classifier that is being trained: in the demo it logs a point a second",
        ("digit-recognition", "Recognise hand-written digits"),
        ("digits-online", "Softmax regression, one mini-batch a second"),
        "digits-sample",
        "digits-online",
        parameters,
    )
    run, images = Recorder(plan), [scaled(row) for row in sample()]
    model = Softmax.untrained(len(images[0][1]))
    for step in range(1, STEPS + 1):
        time.sleep(1)
        loss = learn_batch(model, images, step, 16, 0.02)
        run.log(METRIC, loss, step)
        run.say(message(step, loss))
    run.tag("Artifact Group", "digits")
    run.progress = {"step": STEPS, "weights": model.weights}
    return run.leave()


RUNS = {"digits-running": running}
