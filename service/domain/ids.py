"""The syntax of ids of runs and resource groups."""

from __future__ import annotations

import re

from service.domain.runtime import RuntimeKind

PATTERN, GROUP_PATTERN = r"^[\w.-]{4,64}$", r"^[\w.-]{2,64}$"
"""For the OpenAPI document: regular expressions of ECMA-262, whose ``\\w`` is ASCII."""
_RULE = "must be %d to 64 characters of A-Z, a-z, 0-9, '_', '.' and '-'"
RULE = _RULE % 4
_ID = re.compile(r"[\w.-]{2,64}", re.ASCII)
_LEAST_OF_GROUP = {RuntimeKind.AI_API: 4, RuntimeKind.MLFLOW: 2}
"""Characters of a resource group, by the runtime's kind: an MLflow workspace may be called ``ml``."""


def is_id(text: str, least: int = 4) -> bool:
    return len(text) >= least and _ID.fullmatch(text) is not None


def group_fault(text: str, kind: RuntimeKind | None) -> str | None:
    """What is wrong with the name of a resource group, or ``None``; without a ``kind``, of a runtime of any kind."""
    least = min(_LEAST_OF_GROUP.values()) if kind is None else _LEAST_OF_GROUP[kind]
    return None if is_id(text, least) else _RULE % least
