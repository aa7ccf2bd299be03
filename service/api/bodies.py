"""Bodies of answers, in pieces: a large one is never copied or worked on as a whole."""

from __future__ import annotations

from collections.abc import Iterable

Body = tuple[bytes, ...]
_PIECE = 1024 * 1024


def body(pieces: Iterable[bytes]) -> Body:
    """The body that ``pieces`` make, small neighbours joined."""
    joined: list[bytes] = []
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _PIECE and small:
            joined.append(b"".join(small) if len(small) > 1 else small[0])
            small, size = [], 0
        small.append(piece)
        size += len(piece)
    if small:
        joined.append(b"".join(small) if len(small) > 1 else small[0])
    return tuple(joined)


def size_of(body: Body) -> int:
    """Its length in bytes."""
    return sum(map(len, body))
