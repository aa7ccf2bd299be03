"""The runs that ship with the sandbox, recorded from real training by ``scripts/record_runs.py``.

A recording is ``recordings/<name>.jsonl.gz``. Its first line is a :class:`Recording`; every other line is a metric, as
the AI API has it. Beside it, ``<name>.log.gz`` holds the lines that the training wrote, as the AI API has them too.
``digits-sample.json`` is what the live training learns from.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).with_name("recordings")
_BATCH_POINTS = 1000

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """One run and all that belongs to it, each part as the AI API has it.

    ``metric_resource`` (without its metrics) is ``None`` for a run that logged nothing; ``progress`` is where a run
    that goes on left off.
    """

    description: str
    resource_group: str
    scenario: Body
    executable: Body
    configuration: Body
    artifacts: list[Body]
    execution: Body
    metric_resource: Body | None
    progress: Body | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run in one line. ``status`` is the one at the time of recording."""

    run_id: str
    status: str
    description: str
    resource_group: str


def names() -> list[str]:
    """The names of all recordings."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in _DIRECTORY.glob("*.jsonl.gz"))


def read(name: str) -> Recording:
    """All of a recording but its metrics."""
    with gzip.open(_path(name), "rb") as file:
        return Recording(**json.loads(file.readline()))


def batches(name: str) -> Iterator[bytes]:
    """The metrics of a recording: JSON objects separated by commas, up to 1000 at a time, in their own spelling."""
    with gzip.open(_path(name), "rb") as file:
        file.readline()
        while lines := [line.strip() for line in islice(file, _BATCH_POINTS)]:
            yield b",".join(lines)


def log(name: str) -> list[Body]:
    """The log of a recording, oldest line first."""
    with gzip.open(_DIRECTORY / f"{name}.log.gz", "rb") as file:
        return [json.loads(line) for line in file]


def runs() -> list[Run]:
    """Every recorded run, the default resource group first, the oldest first in each."""
    recordings = sorted((read(name) for name in names()), key=_order)
    return [_run(recording) for recording in recordings]


def live() -> Recording:
    """The run that is trained while the sandbox runs."""
    return next(recording for recording in map(read, names()) if recording.progress is not None)


def sample() -> list[list[int]]:
    """Images of hand-written digits: for each, the digit and then 64 pixels from 0 to 16."""
    found: list[list[int]] = json.loads((_DIRECTORY / "digits-sample.json").read_text("utf-8"))
    return found


def _path(name: str) -> Path:
    return _DIRECTORY / f"{name}.jsonl.gz"


def _order(recording: Recording) -> tuple[bool, str]:
    return recording.resource_group != "default", recording.execution["createdAt"]


def _run(recording: Recording) -> Run:
    execution = recording.execution
    return Run(execution["id"], execution["status"], recording.description, recording.resource_group)
