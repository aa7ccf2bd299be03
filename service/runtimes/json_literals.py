"""JSON answers read with their literals kept: numbers and strings stay the bytes that the runtime sent.

Two things that real writers send are mended before the strict parser sees them, on the rare path where it refuses:

- ``NaN``, ``Infinity`` and ``-Infinity``, which JSON cannot hold, become the strings of these names.
- An escaped surrogate without its other half (``\\ud83d`` of a cut emoji) is a legal JSON escape that the parser cannot
  turn into text. It is set aside as ``\\u001f`` and its digits, and ``restored`` puts it back into what was mapped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway

T = TypeVar("T")

NULL = b"null"
ASIDE = "\x1f"
"""What text has in it of which something is set aside."""
_BOM = b"\xef\xbb\xbf"
_SHAPE = "the AI runtime's answer does not have the expected shape"
_NO_NUMBERS = (b"NaN", b"Infinity")
_PLAIN = re.compile(rb"(?:[^\\]++|\\[^u])*+")
"""All up to an escape of a character's number, or to half an escape."""
_AT_ONCE = 1024 * 1024
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
    return _rewritten(literals, _put_back)


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
    for name in _NO_NUMBERS:
        body = _quoted(body, name)
    return _rewritten(body, _set_aside)


def _quoted(body: bytes, name: bytes) -> bytes:
    """``body`` with the name in quotation marks, and its sign, wherever it stands outside of strings.

    Of what lies between two names only the quotation marks are counted: a string that nothing ends goes on to the end.
    """
    pieces: list[bytes] = []
    kept = at = 0
    within = False
    while (found := body.find(name, at)) >= 0:
        within ^= bool(_quotation_marks(body, at, found) % 2)
        at = found + len(name)
        if not within and not body[at : at + 1].isalnum() and body[at : at + 1] != b"_":
            start = found - (found > kept and body[found - 1 : found] == b"-" and name == b"Infinity")
            pieces += (body[kept:start], b'"', body[start:at], b'"')
            kept = at
    return b"".join((*pieces, body[kept:])) if pieces else body


def _quotation_marks(body: bytes, start: int, end: int) -> int:
    """How many of them are there that are not escaped."""
    if body.find(b"\\", start, end) < 0:
        return body.count(b'"', start, end)
    return body[start:end].replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"')


def _rewritten(text: bytes, change: Callable[[re.Match[bytes]], bytes]) -> bytes:
    """``text`` with what ``change`` makes of each escape of a character's number.

    One pass, that holds the interpreter's lock for a stretch at a time, and pieces only for what differs.
    """
    if b"\\u" not in text:
        return text
    pieces: list[bytes] = []
    kept = at = 0
    while at < len(text):
        plain = _PLAIN.match(text, at, at + _AT_ONCE)
        if plain is not None and plain.end() > at:
            at = plain.end()
            continue
        found = _ESCAPE.match(text, at)
        if found is None:  # a backslash ends the text
            break
        changed = change(found)
        if changed != found[0]:
            pieces += (text[kept:at], changed)
            kept = found.end()
        at = found.end()
    return b"".join((*pieces, text[kept:])) if pieces else text


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
