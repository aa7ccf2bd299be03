"""An entity tag names bytes: what is compressed as it is made is, byte for byte, what is compressed from what is kept."""

from __future__ import annotations

import random

from service.api.http import encodings
from service.api.http.representation_cache import body
from tests.rows import each_row


@each_row("coding", encodings.PREFERRED)
def test_how_a_body_is_pieced_changes_nothing(coding: str) -> None:
    made = random.Random(1)
    pieces = [made.randbytes(20) * made.choice([0, 1, 50, 5000, 60_000]) for _ in range(60)]
    kept = body(pieces)
    assert body(kept) == kept
    assert b"".join(encodings.encode(pieces, coding)) == b"".join(encodings.encode(kept, coding))
