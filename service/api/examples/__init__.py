"""Answers that the service has given, as examples for the OpenAPI document.

``<operationId>.json`` holds those of one operation by media type and name, ``problems.json`` one for each metadata
response. They are recorded from the sandbox's runs, and a test compares them with what the service answers now.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec

PROBLEMS = "problems"


def add(document: dict[str, Any]) -> None:
    """Put all examples into an OpenAPI document."""
    for item in document["paths"].values():
        for operation in item.values():
            _into(operation["responses"].get("200", {}), _recorded(operation["operationId"]))
    for name, by_media_type in _recorded(PROBLEMS).items():
        _into(document["components"]["responses"][name], by_media_type)


def _into(response: dict[str, Any], recorded: dict[str, Any]) -> None:
    for media_type, examples in recorded.items():
        response["content"][media_type]["examples"] = examples


def _recorded(name: str) -> dict[str, Any]:
    file = resources.files(__name__).joinpath(f"{name}.json")
    recorded: dict[str, Any] = msgspec.json.decode(file.read_bytes()) if file.is_file() else {}
    return recorded
