"""Long JSON arrays of objects, read some objects at a time: who decodes holds the interpreter's lock meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway
from service.runtimes import json_literals

T = TypeVar("T")
S = TypeVar("S")

STRETCH = 1024 * 1024
"""Bytes that are read at once, at most, where the array can be cut in the second half of them."""
_OBJECT = re.compile(rb'\s*+\{(?:\s*+"[^"\\]{0,64}+"\s*+:)?+')
"""The beginning of an object, with its first key."""


class _AnyObject(msgspec.Struct, gc=False):
    pass


def items(array: Raw, kind: type[list[T]], what: str, *, stretch: int = STRETCH) -> Iterator[list[T]]:
    """The objects of an array, some at a time; none for ``null``.

    Raises ``BadGateway``, also on the way, which says that ``what`` has an unexpected type.
    """

    def none(_: bytes) -> list[T] | None:
        return None

    is_null = bytes(memoryview(array)[:5]) == json_literals.NULL
    return iter(()) if is_null else stretches(array, none, kind, what, stretch=stretch)


def stretches(
    array: Raw, read: Callable[[bytes], S | None], kind: type[list[T]], what: str, *, stretch: int = STRETCH
) -> Iterator[S | list[T]]:
    """As ``items``, of an array that must be one; each stretch as ``read`` gives it, or a list where that is ``None``.

    ``read`` is also called with text that ends within an object, which it has to refuse.
    """
    text = memoryview(array)
    if bytes(text[:1]) != b"[":
        raise BadGateway(json_literals.shape(what))
    at, end, length = 1, len(text) - 1, stretch
    while at < end:
        cut, following = (end, end) if end - at <= stretch else _cut(text, at, end, length, what)
        piece = bytes(text[at:cut])
        found: S | list[T] | None = read(piece) if len(piece) <= stretch else None
        if found is None:
            try:
                found = _decoded(piece, kind, many=len(piece) > 2 * length)
            except (msgspec.MsgspecError, RecursionError) as error:
                if cut == end or isinstance(error, msgspec.ValidationError):
                    raise BadGateway(json_literals.shape(what)) from error
                length *= 2  # the cut is within an object
                continue
        yield found
        at, length = following, stretch


def _cut(text: memoryview, at: int, end: int, length: int, what: str) -> tuple[int, int]:
    """Where some of the array's objects end, probably, and the next one begins.

    They end between two objects, if possible between two that begin as the first one does. These may be parts of an
    object: then these bytes are not a list of objects.
    """
    opening = _OBJECT.match(text, at, end)
    if opening is None:
        raise BadGateway(json_literals.shape(what))
    begins = (re.escape(opening[0].strip()), rb"\{")
    while (half := at + length // 2) < end:
        for begin in begins:
            found = re.compile(rb"\}\s*+,\s*+(?=%b)" % begin).search(text, half, min(at + length, end))
            if found is not None:
                return found.start() + 1, found.end()
        length *= 2
    return end, end


def _decoded(piece: bytes, kind: type[list[T]], *, many: bool) -> list[T]:
    text = b"[%b]" % piece
    if many:  # no object ends where one is expected to: are these objects at all?
        json_decoder(list[_AnyObject]).decode(text)
    return json_decoder(kind).decode(text)
