"""Reads requests to ``/v2``: parameters, headers, identifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from service.sandbox.errors import BadRequest, UnsupportedMediaType
from service.sandbox.objects import Page
from service.sandbox.parts import parts

_IDENTIFIER = re.compile(r"[\w.-]{4,64}", re.ASCII)
_JSON_TYPES = ("application/json", "application/merge-patch+json")


def resource_group() -> str:
    """The workspace that the request is about."""
    group = request.headers.get("AI-Resource-Group")
    if group is None:
        raise BadRequest("the header AI-Resource-Group is missing", "AI-Resource-Group")
    return identifier(group, "AI-Resource-Group")


def identifier(text: str, target: str) -> str:
    """``text``, which must be 4 to 64 letters, digits, ``_``, ``.`` or ``-``."""
    if not _IDENTIFIER.fullmatch(text):
        raise BadRequest(f"not an id: {text!r} does not match ^[\\w.-]{{4,64}}$", target)
    return text


def listed(name: str) -> list[str]:
    """The values of a parameter that is given as a comma-separated list, several times, or both; no value twice."""
    values = [value.strip() for part in request.args.getlist(name) for value in part.split(",")]
    return list(dict.fromkeys(value for value in values if value))


def page(default: int, most: int) -> Page:
    """``$top`` and ``$skip``."""
    return Page(_integer("$top", default, most), _integer("$skip", 0, 2**62))


def members(*names: str, **lists: str) -> dict[str, Sequence[str]]:
    """Filters of a list: parameters named as the member they ask for, and parameter=member for lists of values."""
    where: dict[str, Sequence[str]] = {name: [request.args[name]] for name in names if name in request.args}
    where |= {member: listed(name) for name, member in lists.items() if name in request.args}
    return where


def json_body() -> bytes:
    """The request's body, which must be JSON by its content type."""
    if request.mimetype not in _JSON_TYPES:
        raise UnsupportedMediaType(f"expected one of {', '.join(_JSON_TYPES)}", "Content-Type")
    body = request.get_data()
    if len(body) > parts().most_body_bytes:
        raise RequestEntityTooLarge
    return body


def _integer(name: str, default: int, most: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
        raise BadRequest(f"expected an integer from 0 to {most}", name)
    return int(text)
