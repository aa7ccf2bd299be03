"""Decodes JSON answers and keeps literals: numbers and strings stay the bytes that the runtime sent.

Where the strict parser refuses an answer, two deviations of real writers are repaired before a second attempt:

- ``NaN``, ``Infinity`` and ``-Infinity``, which are not JSON, become strings of these names.
- An escaped surrogate without its other half (``\\ud83d`` of a cut emoji) is a legal JSON escape that the parser cannot
  turn into text. In literals it stays what it is: it is replaced by ``\\u001f`` and its digits, and ``restored`` puts
  it back into the result. Text, which the service compares and encodes, has U+FFFD in its place.

Who decodes, compares or searches text holds the interpreter's lock meanwhile. So texts are looked through in
stretches, and what has to be decoded at once has a longest length.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from service.concurrency.decoders import json_decoder
from service.domain.errors import AnswerTooLarge, BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.stretches import AT_ONCE, find, stretches

T = TypeVar("T")

NULL = b"null"
ASIDE = "\x1f"
"""The mark in text of which something was replaced."""
_BOM = b"\xef\xbb\xbf"
MOST_AT_ONCE = 128 * 1024 * 1024
"""Bytes that are decoded at once, which takes the parser a quarter of a second at most. Points are read in stretches,
however many there are."""
_SHAPE = "the AI runtime's answer does not have the expected shape"
_TOO_LONG = f"the AI runtime's answer has more than {MOST_AT_ONCE // 1024**2} MiB beside points"
_NO_NUMBERS = (b"NaN", b"Infinity")
_PLAIN = re.compile(rb"(?:[^\\]++|\\[^u])*+")
"""Text up to a numeric escape, or to an incomplete one."""
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a complete pair
    rb"|u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|u001[fF](?P<aside>[dD][89a-fA-F][0-9a-fA-F]{2}|~)?|.)",
    re.DOTALL,
)
_ASIDE_IN_TEXT = re.compile(f"{ASIDE}(?:~|([0-9a-fA-F]{{4}}))")


def decode(body: bytes, kind: type[T]) -> T:
    """Read ``body`` as UTF-8 JSON of the shape ``kind``, of which no strings are kept as literals.

    Raises ``BadGateway`` for anything else, and ``AnswerTooLarge`` for more than ``MOST_AT_ONCE`` bytes.
    """
    check_at_once(body)
    return _decoded(body, kind, _replace_lone)[0]


def check_at_once(body: bytes) -> None:
    """Raises ``AnswerTooLarge`` for more than ``MOST_AT_ONCE`` bytes."""
    if len(body) > MOST_AT_ONCE:
        raise AnswerTooLarge(_TOO_LONG)


def decode_mended(body: bytes, kind: type[T], *, points: bool = False) -> tuple[T, bool]:
    """As ``decode``, and whether literals in the result must be ``restored``, and texts be ``restored_text``.

    There is no limit of length for ``points``, of which readers expect that a million take a while.
    """
    if not points:
        check_at_once(body)
    return _decoded(body, kind, _set_aside)


def _decoded(body: bytes, kind: type[T], change: Callable[[re.Match[bytes]], bytes]) -> tuple[T, bool]:
    body = body.removeprefix(_BOM)
    try:
        _check_utf_8(body)
        try:
            return json_decoder(kind).decode(body), False
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return json_decoder(kind).decode(_mended(body, change)), True
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise BadGateway(_SHAPE) from error


def restored(literals: bytes) -> bytes:
    """Put back what ``decode_mended`` replaced."""
    return _rewritten(literals, _put_back)


def restored_text(text: str) -> str:
    """Decoded text without what ``decode_mended`` put into it; a lone surrogate becomes U+FFFD."""
    return _ASIDE_IN_TEXT.sub(lambda match: "\ufffd" if match[1] else ASIDE, text)


def shape(what: str) -> str:
    """The message for an answer in which ``what`` has an unexpected type."""
    return f"{_SHAPE}: {what} is of another type"


def is_string(literal: bytes) -> bool:
    return literal.startswith(b'"')


def text(literal: bytes) -> str:
    """The text of a JSON string literal; a lone surrogate stays what it is."""
    value: str = json.loads(literal)
    return value


Literal = TypeVar("Literal", bytes, str)


def check_length(literal: Literal, what: str) -> Literal:
    """A literal, or a text, that is worked on as a whole. Raises ``BadGateway`` for one of more than
    ``MOST_MEMBER_BYTES``."""
    if len(literal) > MOST_MEMBER_BYTES:
        raise BadGateway(f"the AI runtime's answer has {what} of more than {MOST_MEMBER_BYTES // 1024} KiB")
    return literal


def _mended(body: bytes, change: Callable[[re.Match[bytes]], bytes]) -> bytes:
    for name in _NO_NUMBERS:
        body = _quoted(body, name)
    return _rewritten(body, change)


def _check_utf_8(body: bytes) -> None:
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start, end in stretches(len(body)):
        decoder.decode(body[start:end])
    decoder.decode(b"", final=True)


def _quoted(body: bytes, name: bytes) -> bytes:
    """``body`` with the name and its sign in quotation marks, wherever it is outside of strings.

    Between two names only quotation marks are counted; an unterminated string extends to the end.
    """
    mended = bytearray()  # and no list: one of millions of pieces is joined and let go with the interpreter's lock held
    kept = at = 0
    within = False
    while (found := find(body, name, at)) >= 0:
        within ^= bool(_quotation_marks(body, at, found) % 2)
        at = found + len(name)
        if not within and not body[at : at + 1].isalnum() and body[at : at + 1] != b"_":
            start = found - (found > kept and body[found - 1 : found] == b"-" and name == b"Infinity")
            mended += b'%b"%b"' % (body[kept:start], body[start:at])
            kept = at
    return bytes(mended + body[kept:]) if mended else body


def _quotation_marks(body: bytes, start: int, end: int) -> int:
    """How many of them are there that are not escaped; no escape begins before ``start``."""
    count = 0
    while end - start > AT_ONCE:
        stretch = body[start : start + AT_ONCE]
        if (len(stretch) - len(stretch.rstrip(b"\\"))) % 2:
            stretch = stretch[:-1]  # and what that backslash escapes
        count += _unescaped(stretch)
        start += len(stretch)
    return count + _unescaped(body[start:end])


def _unescaped(stretch: bytes) -> int:
    if b"\\" in stretch:
        stretch = stretch.replace(b"\\\\", b"").replace(b'\\"', b"")
    return stretch.count(b'"')


def _rewritten(text: bytes, change: Callable[[re.Match[bytes]], bytes]) -> bytes:
    """``text`` with each numeric escape replaced by the result of ``change``.

    One pass, which copies only where something differs.
    """
    if find(text, b"\\u") < 0:
        return text
    rewritten = bytearray()
    kept = at = 0
    while at < len(text):
        plain = _PLAIN.match(text, at, at + AT_ONCE)
        if plain is not None and plain.end() > at:
            at = plain.end()
            continue
        found = _ESCAPE.match(text, at)
        if found is None:  # a backslash ends the text
            break
        changed = change(found)
        if changed != found[0]:
            rewritten += text[kept:at]
            rewritten += changed
            kept = found.end()
        at = found.end()
    return bytes(rewritten + text[kept:]) if kept else text


def _replace_lone(match: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if match["lone"] else match[0]


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
