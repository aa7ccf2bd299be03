"""Bodies of answers, in pieces: a large one is never copied or worked on as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Body = tuple[bytes, ...]
_PIECE = 1024 * 1024


def body(pieces: Iterable[bytes]) -> Body:
    """The body that ``pieces`` make, small neighbours joined."""
    return tuple(joined(pieces))


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces``, small neighbours joined; those that are joined already stay as they are."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _PIECE and small:
            yield b"".join(small) if len(small) > 1 else small[0]
            small, size = [], 0
        small.append(piece)
        size += len(piece)
    if small:
        yield b"".join(small) if len(small) > 1 else small[0]


def size_of(body: Body) -> int:
    """Its length in bytes."""
    return sum(map(len, body))
