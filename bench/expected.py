"""What answers have to be, so that a row of the benchmark measures what it is named for."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answers of a row have to be, so that it measures what it is named for; ``None`` is not looked at."""

    points: int | None = None
    runs: int | None = None
    coding: str = ""
    unchanged: bool = False
    """Whether it is a ``304``, which has no body."""
    stored: bool | None = None
    zone: str | None = None

    def missed(self, body: bytes, headers: Message) -> list[str]:
        """In what an answer differs from the expected one."""
        coding = headers.get("Content-Encoding", "")
        plain = gzip.decompress(body) if coding == "gzip" else body
        pairs = {
            "Content-Encoding": (coding, self.coding),
            "no body": (not body, self.unchanged),
            "points": (plain.count(b'"timestamp":'), self.points),
            "runs": (plain.count(b'"runId":'), self.runs),
            "from the store": ("; hit" in headers.get("Cache-Status", ""), self.stored),
            "time zone": (_zone(plain), self.zone),
        }
        return [f"{name}: {got!r}, not {due!r}" for name, (got, due) in pairs.items() if due is not None and got != due]

    def check(self, name: str, body: bytes, headers: Message) -> None:
        """Raises ``RuntimeError`` where the answer is not what the row ``name`` says."""
        if missed := self.missed(body, headers):
            raise RuntimeError(f"{name}: {'; '.join(missed)}")


def _zone(body: bytes) -> str:
    found = re.search(rb'"timezone":"([^"]*)"', body)
    return found[1].decode() if found else ""
