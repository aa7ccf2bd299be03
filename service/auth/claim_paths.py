"""Finds claims by their configured names, and reads lists of names from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def find(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a JSON pointer (``/a/b``, RFC 6901) or a dotted path (``a.b``); ``None`` where there is none.

    Names of members may contain dots: of several readings of a dotted path, the one with the longest name is used.
    """
    if path.startswith("/"):
        return _at_pointer(claims, path)
    if path in claims:
        return claims[path]
    for end in (at for at in range(len(path) - 1, 0, -1) if path[at] == "."):
        inner = claims.get(path[:end])
        if isinstance(inner, dict) and (found := find(inner, path[end + 1 :])) is not None:
            return found
    return None


def texts(value: Any) -> set[str]:
    """The strings of a claim that is a string or a list; other members are ignored."""
    if isinstance(value, str):
        return {value}
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def words(value: Any) -> set[str]:
    """Like ``texts``, for a claim that may also be a string of words separated by spaces (RFC 6749, 3.3)."""
    return {word for word in value.split(" ") if word} if isinstance(value, str) else texts(value)


def _at_pointer(claims: Mapping[str, Any], pointer: str) -> Any:
    found: Any = claims
    for step in pointer[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found
