"""Custom info is text that often holds JSON: such text as JSON, where it can be given away as it is."""

from __future__ import annotations

import json

from service.domain import json_text

LARGEST = 1024 * 1024
"""Bytes of a value that is parsed."""
DEEPEST = 64
"""Arrays and objects within each other, in a value that is parsed."""


def with_parsed(pairs: bytes) -> bytes:
    """A JSON array of ``{"name", "value"}`` with a member ``parsed`` wherever the value is itself JSON (RFC 8259).

    ``parsed`` is the value's own text, numbers digit for digit. A value stays without it that is too large or too
    deep, has an object with one name twice, or holds anything that JSON cannot (``NaN``).
    """
    members: list[dict[str, str]] = json.loads(pairs)
    return b"[" + b",".join(map(_pair, members)) + b"]"


def _pair(member: dict[str, str]) -> bytes:
    plain = json.dumps({"name": member["name"], "value": member["value"]}).encode("ascii")
    parsed = parsed_text(member["value"])
    return plain if parsed is None else b'%b,"parsed":%b}' % (plain[:-1], parsed)


def parsed_text(text: str) -> bytes | None:
    """``text`` as UTF-8 where it is JSON that may be given away as JSON, otherwise ``None``."""
    try:
        encoded = text.encode("utf-8")
        if len(encoded) > LARGEST:
            return None
        json_text.read(text, deepest=DEEPEST, parse_int=_digits, parse_float=_digits)
    except ValueError:
        return None
    return encoded


def _digits(_: str) -> None:
    """Numbers are given away as they are written: nothing is made of them."""
