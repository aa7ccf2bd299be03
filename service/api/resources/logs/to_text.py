"""A log as plain text: a line each, its timestamp in the caller's zone in front."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from service.api.resources.logs.to_json import INCOMPLETE
from service.domain.localizing import localized
from service.domain.logs import RunLog
from service.domain.stretches import AT_ONCE, find, stretches
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

_BETWEEN = b'},{"timestamp":'
"""Between two entries: in no string is such a place, for its quotation marks are escaped."""
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which a terminal interprets, and characters that change the direction of text."""


def lines(log: RunLog, zone: TimeZone) -> Iterator[bytes]:
    """The log in pieces. Further lines of a message are indented, so that they cannot be taken for another entry."""
    text = localized(log.text, zone_clock(zone))
    start = 0
    while start < len(text):
        at = find(text, _BETWEEN, start + AT_ONCE) + 1
        end = at or len(text)
        for entry in json.loads(b"[" + text[start:end] + b"]"):
            yield from _entry(entry)
        start = end + 1
    if not log.complete:
        yield f"# {INCOMPLETE}\n".encode()


def _entry(entry: dict[str, str | None]) -> Iterator[bytes]:
    message = (entry["message"] or "").rstrip("\r\n").replace("\r\n", "\n")
    yield f"{entry['timestamp'] or '-'} ".encode()
    for start, end in stretches(len(message)):
        yield visible(message[start:end]).replace("\n", "\n    ").encode("utf-8")
    yield b"\n"


def visible(text: str) -> str:
    """The text with control characters as escapes: ``\\x1b``, ``\\u202e``."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
