"""The committed OpenAPI document as a judge of answers, stricter than its readers are: what it does not name is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import jsonschema_rs

COMMITTED = Path(__file__).parents[1] / "openapi" / "openapi.json"
BODILESS = {304, 204}
_BASE = "urn:openapi-document"


def check(method: str, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise ``AssertionError`` for an answer that is not as the document says."""
    path = urlsplit(url).path
    where = f"{method} {url} → {status}"
    if method == "HEAD" or status in BODILESS or (method == "OPTIONS" and status == 200):
        assert not body, where
    operation = _operation(path) if method in {"GET", "HEAD"} else None
    if operation is None:
        if body:
            _validate(("components", "responses", "Problem"), "application/problem+json", body, where)
        return
    response = _response(operation, status)
    assert response is not None, f"{where}: the document has no such status"
    known = {name.lower() for name in _at(response).get("headers", {})}
    sent = {name.lower() for name in headers} & {name.lower() for name in _document()["components"]["headers"]}
    assert sent <= known, f"{where}: the document has no header {sent - known}"
    if method != "HEAD" and status not in BODILESS:
        _validate(response, _media_type(headers), body, where)


def schema(name: str, body: bytes) -> None:
    """Raise ``AssertionError`` for what is not such a component."""
    _judge(f"#/components/schemas/{name}", body, name)


def _validate(response: tuple[str, ...], media_type: str, body: bytes, where: str) -> None:
    content = _at(response).get("content", {})
    assert media_type in content, f"{where}: the document has no {media_type}"
    if _is_json(media_type) and "schema" in content[media_type]:
        pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in (*response, "content", media_type))
        _judge(f"#/{quote(pointer, safe='/~')}/schema", body, where)


def _judge(pointer: str, body: bytes, where: str) -> None:
    faults = [
        f"{'/'.join(map(str, fault.instance_path))}: {fault.message}"
        for fault in _validator(pointer).iter_errors(json.loads(body))
    ]
    assert not faults, f"{where}: {faults[:5]}"


def _operation(path: str) -> tuple[str, ...] | None:
    for template in _document()["paths"]:
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path):
            return ("paths", template, "get")
    return None


def _response(operation: tuple[str, ...], status: int) -> tuple[str, ...] | None:
    responses = _at(operation)["responses"]
    for name in (str(status), f"{status // 100}XX", *(["default"] if status >= 400 else [])):
        if name in responses:
            reference = responses[name].get("$ref")
            return tuple(reference.split("/")[1:]) if reference else (*operation, "responses", name)
    return None


def _media_type(headers: Mapping[str, str]) -> str:
    found = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
    return found.split(";")[0].strip()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _at(parts: tuple[str, ...]) -> Any:
    found = _document()
    for part in parts:
        found = found[part]
    return found


@cache
def _document() -> Any:
    return json.loads(COMMITTED.read_bytes())


@cache
def _validator(pointer: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"$ref": _BASE + pointer}, registry=_registry(), validate_formats=True)


@cache
def _registry() -> Any:
    return jsonschema_rs.Registry([(_BASE, _closed(_document()))])


def _closed(node: Any) -> Any:
    """The same, with every object that names its members having no others."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(value) for name, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        closed.setdefault("additionalProperties", False)
    return closed
