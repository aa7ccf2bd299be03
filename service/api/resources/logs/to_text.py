"""A log as plain text: a line each, its timestamp in the caller's zone in front."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from service.api.resources.logs.to_json import INCOMPLETE
from service.domain.localizing import localized
from service.domain.logs import RunLog
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

_TOGETHER = 500
_LINE_END = re.compile(r"\r\n|\n")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which a terminal interprets, and characters that change the direction of text."""


def lines(log: RunLog, zone: TimeZone) -> Iterator[bytes]:
    """The log in pieces. Further lines of a message are indented, so that they cannot be taken for another entry."""
    entries = json.loads(b"[" + localized(log.text, zone_clock(zone)) + b"]")
    for start in range(0, len(entries), _TOGETHER):
        yield "".join(map(_entry, entries[start : start + _TOGETHER])).encode("utf-8")
    if not log.complete:
        yield f"# {INCOMPLETE}\n".encode()


def _entry(entry: dict[str, str | None]) -> str:
    first, *more = _LINE_END.split((entry["message"] or "").rstrip("\r\n"))
    written = "\n    ".join(visible(line) for line in (f"{entry['timestamp'] or '-'} {first}", *more))
    return f"{written}\n"


def visible(text: str) -> str:
    """The text with control characters as escapes: ``\\x1b``, ``\\u202e``."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
