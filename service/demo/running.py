"""Where the demo that runs on this machine keeps its keys, so that ``metric-resource token`` finds them."""

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

_NOTE = "metric-resource-demo.json"


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The sandbox's data directory and its issuer's URL."""

    data: Path
    issuer: str


def running_demo() -> RunningDemo | None:
    """The demo that this user started last, while it runs."""
    directory = _directory()
    if not _is_private(directory):
        return None
    try:
        told = json.loads((directory / _NOTE).read_text())
        return RunningDemo(Path(told["data"]), told["issuer"])
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def noted(demo: RunningDemo) -> Iterator[None]:
    """Leave a note of the demo for as long as the context lasts.

    Raises ``PermissionError`` where somebody else has the directory that the note would lie in.
    """
    directory = _directory()
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if not _is_private(directory):
        raise PermissionError(f"{directory} must be a directory of this user's alone (mode 0700): remove it")
    note = directory / _NOTE
    announcement.write(note, {"data": str(demo.data), "issuer": demo.issuer})
    try:
        yield
    finally:
        if running_demo() == demo:
            note.unlink(missing_ok=True)
        if directory != _given_directory():
            with suppress(OSError):  # another demo's note is there
                directory.rmdir()


def _directory() -> Path:
    """Where only this user can write: ``XDG_RUNTIME_DIR`` (XDG Base Directory Specification), or one of its kind."""
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
