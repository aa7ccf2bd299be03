"""Where the demo that runs on this machine keeps its keys, so that ``metric-resource token`` finds them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The sandbox's data directory and its issuer's URL."""

    data: Path
    issuer: str


def running_demo() -> RunningDemo | None:
    """The demo that this user started last, while it runs."""
    note = _note()
    try:
        if note.stat().st_uid != os.getuid():
            return None
        told = json.loads(note.read_text())
        return RunningDemo(Path(told["data"]), told["issuer"])
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def noted(demo: RunningDemo) -> Iterator[None]:
    """Leave a note of the demo for as long as the context lasts."""
    note = _note()
    text = json.dumps({"data": str(demo.data), "issuer": demo.issuer})
    note.unlink(missing_ok=True)
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        yield
    finally:
        if running_demo() == demo:
            note.unlink(missing_ok=True)


def _note() -> Path:
    return Path(tempfile.gettempdir()) / f"metric-resource-demo-{os.getuid()}.json"
