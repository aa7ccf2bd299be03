"""Strict JSON for tokens (RFC 8259, RFC 8725): UTF-8, and nothing that parsers read differently."""

from __future__ import annotations

import json
import math
from typing import Any

from service.domain import json_text

_DEEPEST = 32


def read_object(encoded: bytes) -> dict[str, Any]:
    """The object encoded as ``encoded``.

    Raises ``ValueError`` for anything else: another encoding than UTF-8, lone surrogates, a member twice at any level,
    ``NaN`` and numbers too large for a double, or more than 32 levels.
    """
    found = json_text.read(encoded.decode(), deepest=_DEEPEST, parse_float=_finite)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    json.dumps(found, ensure_ascii=False).encode()
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("too large")
    return number
