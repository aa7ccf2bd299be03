"""AI API timestamps → JSON literals in UTC."""

from __future__ import annotations

from msgspec import Raw

from service.domain.localizing import utc_literal
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.timestamps import MomentReader
from service.runtimes import json_literals
from service.runtimes.json_literals import NULL


class TimestampMapping:
    """Converts timestamps; ``unreadable`` counts those that are present, or required, but could not be read."""

    def __init__(self) -> None:
        self.unreadable = 0
        self.moments = MomentReader()

    def literal(self, given: Raw, *, required: bool = False) -> bytes:
        """A timestamp in UTC, ``null`` where it cannot be read; ``null`` itself can, unless it is ``required``."""
        written = bytes(given)
        if not json_literals.is_string(written) or len(written) > MOST_MEMBER_BYTES:
            self.unreadable += written != NULL or required
            return NULL
        text = written[1:-1] if b"\\" not in written else json_literals.text(written).encode("utf-8", "replace")
        moment = self.moments.read(text)
        if moment is None:
            self.unreadable += 1
        return utc_literal(moment)
