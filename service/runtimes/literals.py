"""JSON answers read with their literals kept: numbers and strings stay the bytes that the runtime sent.

Two things that real writers send are mended before the strict parser sees them, on the rare path where it refuses:

- ``NaN``, ``Infinity`` and ``-Infinity``, which JSON cannot hold, become the strings of these names.
- An escaped surrogate without its other half (``\\ud83d`` of a cut emoji) is a legal JSON escape that the parser cannot
  turn into text. It is set aside as ``\\u001f`` and its digits, and ``restored`` puts it back into what was mapped.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

import msgspec

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway

T = TypeVar("T")

NULL = b"null"
_BOM = b"\xef\xbb\xbf"
_SHAPE = "the AI runtime's answer does not have the expected shape"
_STRING_OR_BARE_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+|-?Infinity\b|NaN\b', re.DOTALL)
"""A string that nothing ends goes on to the end of the text, so that no part of it is looked at again."""
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|u001[fF](?P<aside>[dD][89a-fA-F][0-9a-fA-F]{2}|~)?|.)",
    re.DOTALL,
)


def decode(body: bytes, kind: type[T]) -> T:
    """Read ``body`` as UTF-8 JSON of the shape ``kind``. Raises ``BadGateway`` for anything else."""
    return decode_mended(body, kind)[0]


def decode_mended(body: bytes, kind: type[T]) -> tuple[T, bool]:
    """As ``decode``, and whether literals in the result must be ``restored``."""
    body = body.removeprefix(_BOM)
    try:
        if not body.isascii():
            body.decode("utf-8")
        try:
            return json_decoder(kind).decode(body), False
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return json_decoder(kind).decode(_mended(body)), True
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise BadGateway(_SHAPE) from error


def restored(literals: bytes) -> bytes:
    """Put back what ``decode_mended`` set aside."""
    return _ESCAPE.sub(_put_back, literals) if b"\\" in literals else literals


def shape(what: str) -> str:
    """What is said of an answer in which ``what`` is of another type than expected."""
    return f"{_SHAPE}: {what} is of another type"


def is_string(literal: bytes) -> bool:
    return literal.startswith(b'"')


def text(literal: bytes) -> str:
    """The text of a JSON string literal; a lone surrogate stays what it is."""
    value: str = json.loads(literal)
    return value


def _mended(body: bytes) -> bytes:
    if b"NaN" in body or b"Infinity" in body:
        body = _STRING_OR_BARE_NUMBER.sub(_named, body)
    return _ESCAPE.sub(_set_aside, body)


def _named(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return found if found.startswith(b'"') else b'"' + found + b'"'


def _set_aside(match: re.Match[bytes]) -> bytes:
    if match["lone"]:
        return b"\\u001f" + match["lone"]
    whole = match[0]
    return whole[:6] + b"~" + whole[6:] if whole[:6].lower() == b"\\u001f" else whole


def _put_back(match: re.Match[bytes]) -> bytes:
    aside = match["aside"]
    if aside is None:
        return match[0]
    return match[0][:-1] if aside == b"~" else b"\\u" + aside
