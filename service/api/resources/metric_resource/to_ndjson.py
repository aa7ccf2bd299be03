"""Points as newline-delimited JSON, one object a line, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.domain.localizing import localized
from service.domain.metrics import Chunk
from service.domain.selection.chunks import objects
from service.domain.timestamps import ZoneClock

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def lines(chunks: Iterable[Chunk], clock: ZoneClock) -> Iterator[bytes]:
    """The lines of each chunk. JSON has line breaks only between tokens: in strings they are escaped."""
    for chunk in chunks:
        text = localized(chunk.text, clock)
        if b"\n" in text or b"\r" in text:
            text = text.translate(_ONE_LINE)
        yield b"\n".join((*objects(Chunk(text, chunk.count)), b""))
