"""Comma-separated values (RFC 4180, UTF-8) that a spreadsheet shows as they are.

Spreadsheets evaluate text that begins like a formula: at the beginning of a cell and, where they take a semicolon or a
tab for a separator, after one of these or a line break within it. There an apostrophe is inserted, which they read as
"text"; plain numbers stay as they are. Logged text that already looks escaped gets one more apostrophe, so that
removing one at each such place restores what was logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BLANKS = r"(?:[^\S\t\r\n]|\")*+"  # blanks and quotation marks, which a spreadsheet may take away
_NUMBER = r"[+\-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+\-]?[0-9]++)?"
_CALCULATED = rf"(?='*+{_BLANKS}[=+\-@\uff1d\uff0b\uff0d\uff20])(?!'*+{_BLANKS}{_NUMBER}{_BLANKS}(?:[;\t\r\n]|\Z))"
_BEGINS = re.compile(_CALCULATED)
_BEGINS_WITHIN = re.compile(rf"[;\t\r\n]{_CALCULATED}")
_QUOTED = re.compile(r'[",;\s]')  # a semicolon or tab separates too where a spreadsheet is set up so
_SURROGATE = re.compile("[\ud800-\udfff]")


def guarded(text: str) -> str:
    """``text`` with an apostrophe wherever a spreadsheet would begin to evaluate it."""
    guarded_within = _BEGINS_WITHIN.sub(r"\g<0>'", text)
    return "'" + guarded_within if _BEGINS.match(text) else guarded_within


def readable(text: str) -> str:
    """``text`` as valid UTF-8: a lone surrogate becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def cell(text: str) -> bytes:
    """A cell of ``text`` that cannot be taken for a formula, or is ``guarded``."""
    written = readable(text)
    if _QUOTED.search(written):
        written = '"' + written.replace('"', '""') + '"'
    return written.encode("utf-8")


def text_cell(text: str | None) -> bytes:
    """A cell of untrusted text; empty for ``None``."""
    return b"" if text is None else cell(guarded(text))


def row(cells: Iterable[bytes]) -> bytes:
    """A row of the table."""
    return b",".join(cells) + b"\r\n"
