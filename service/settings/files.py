"""Reads the few files that a configuration may name. Faults tell neither a path nor what is in it."""

from __future__ import annotations

from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether there is a regular file; ``False`` too where that cannot be found out."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_text(path: str | Path) -> str:
    """The text of a regular file: a pipe or a device would let the start hang. Raises ``ValueError`` otherwise."""
    path = Path(path)
    if not is_there(path):
        raise ValueError("leads to no file")
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"leads to a file that cannot be read ({type(error).__name__})") from None
    except ValueError:
        raise ValueError("leads to a file that is not text in UTF-8") from None
