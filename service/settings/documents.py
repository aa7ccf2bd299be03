"""JSON objects from outside, read member by member. Faults name members, never values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def parse_object(text: str) -> Document:
    """The object that ``text`` is; raises ``ValueError`` where it is none."""
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
