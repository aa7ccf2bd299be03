"""The demos that run on this machine, noted in files so that ``token`` and ``watch`` find them."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.sandbox import announcement

_NOTE = "metric-resource-demo-{}.json"


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The demo's process, the service's URL, the sandbox's data directory and its issuer's URL."""

    process: int
    service: str
    data: Path
    issuer: str


def running_demos() -> list[RunningDemo]:
    """This user's running demos, newest first. Notes of demos that have ended are removed."""
    directory = _directory()
    if not _is_private(directory):
        return []
    dated = []
    for note in directory.glob(_NOTE.format("*")):
        try:
            demo, written = _read(note), note.stat().st_mtime_ns
        except FileNotFoundError:  # its demo has just ended
            continue
        if demo is None or not _is_alive(demo.process):
            note.unlink(missing_ok=True)
        else:
            dated.append((written, demo))
    return [demo for _, demo in sorted(dated, key=lambda one: one[0], reverse=True)]


@contextmanager
def noted(demo: RunningDemo) -> Iterator[None]:
    """Leave a note of the demo for as long as the context lasts.

    Raises ``PermissionError`` where the directory of the notes belongs to somebody else.
    """
    note = _leave(demo)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
        if note.parent != _given_directory():
            with suppress(OSError):  # another demo's note is there
                note.parent.rmdir()


def _leave(demo: RunningDemo) -> Path:
    directory = _directory()
    note = directory / _NOTE.format(demo.process)
    content = {"process": demo.process, "service": demo.service, "data": str(demo.data), "issuer": demo.issuer}
    while True:
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        try:
            if not _is_private(directory):
                raise PermissionError(f"{directory} must be a directory of this user's alone (mode 0700): remove it")
            announcement.write(note, content)
        except FileNotFoundError:  # another demo that ended has just removed the directory
            continue
        return note


def _read(note: Path) -> RunningDemo | None:
    """What the note says; ``None`` where it is none."""
    try:
        found = json.loads(note.read_text())
        return RunningDemo(int(found["process"]), str(found["service"]), Path(found["data"]), str(found["issuer"]))
    except (ValueError, KeyError, TypeError):
        return None


def _is_alive(process: int) -> bool:
    """Whether a process of this user has that id."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _directory() -> Path:
    """A directory that only this user can write to: ``XDG_RUNTIME_DIR``, or one in the temporary directory."""
    return _given_directory() or Path(tempfile.gettempdir()) / f"metric-resource-{os.getuid()}"


def _given_directory() -> Path | None:
    given = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return given if given.is_absolute() and _is_private(given) else None


def _is_private(directory: Path) -> bool:
    try:
        status = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
