"""The syntax of ids of runs and resource groups."""

from __future__ import annotations

import re

PATTERN = r"^[\w.-]{4,64}$"
"""For the OpenAPI document: a regular expression of ECMA-262, whose ``\\w`` is ASCII."""
RULE = "must be 4 to 64 characters of A-Z, a-z, 0-9, '_', '.' and '-'"
_ID = re.compile(r"[\w.-]{4,64}", re.ASCII)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
