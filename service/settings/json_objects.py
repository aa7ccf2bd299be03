"""Reads JSON objects member by member. Faults name members, never values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]


def parse_object(text: str) -> Document:
    """The JSON object in ``text``; raises ``ValueError`` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None
    if isinstance(document, Mapping):
        return document
    raise ValueError("is not a JSON object")


def text_at(document: Document, path: tuple[str, ...]) -> str | None:
    """The text at ``path``; ``None`` where there is none, ``null`` or empty. Raises ``ValueError`` for other types."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise ValueError("must be a string")


def is_there(path: Path) -> bool:
    """Whether there is a regular file; also ``False`` where that cannot be found out."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_text(path: str | Path) -> str:
    """The text of a regular file, since a pipe or device could block the start. Raises ``ValueError``."""
    path = Path(path)
    if not is_there(path):
        raise ValueError("leads to no file")
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"leads to a file that cannot be read ({type(error).__name__})") from None
    except ValueError:
        raise ValueError("leads to a file that is not text in UTF-8") from None
