"""Arrays of ``{"name", "value"}`` (labels, tags, custom info) as the AI API gives them → JSON arrays of just these."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from service.domain import stretches
from service.domain.errors import BadGateway
from service.runtimes import json_literals
from service.runtimes.json_literals import NULL


class _NameValue(msgspec.Struct, gc=False):
    name: Raw
    value: Raw


def pairs(array: Raw | bytes) -> bytes:
    """The array's literal with nothing but names and values; ``[]`` for ``null``.

    Raises ``BadGateway`` for anything but an array of objects with these members, both strings, and for a name of more
    than ``MOST_MEMBER_BYTES``.
    """
    given = bytes(array)
    if given == NULL:
        return b"[]"
    try:
        return b"[%b]" % b",".join(map(_mapped, stretches.of_pairs(given)))
    except BadGateway:
        if len(given) <= stretches.AT_ONCE:
            raise
    return b"[%b]" % _mapped(given)  # it was cut within another member


def _mapped(array: bytes) -> bytes:
    found = json_literals.decode(array, list[_NameValue])
    return b",".join([b'{"name":%b,"value":%b}' % (_name(bytes(one.name)), _text(bytes(one.value))) for one in found])


def _name(literal: bytes) -> bytes:
    return json_literals.check_length(_text(literal), "the name of a label, a tag or custom info")


def _text(literal: bytes) -> bytes:
    if not json_literals.is_string(literal):
        raise BadGateway(json_literals.shape("a name or a value of a label, tag or custom info"))
    return literal
