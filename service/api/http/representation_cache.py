"""A cache of representations, and of errors in making them, by entity tag, within bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from service.api.http.large_work import BUSY, LargeWork
from service.concurrency.bounded_map import BoundedMap
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import Fault, InvalidParameter, Overloaded

_REFUSALS_BYTES = 1024 * 1024
_OVERHEAD = 200


class TooLarge(Exception):
    """The representation is too large to be kept, and must not be made as a whole."""


class ReadyAnswers:
    """Bodies by entity tag, so that a tag always has the same bytes.

    A tag names a content and a form, so an invalid form for that content is kept under it, too.
    """

    def __init__(self, max_bytes: int, work: LargeWork) -> None:
        self.most_whole = max(max_bytes, work.whole)
        """Bytes of the largest body that is made as a whole where it could be streamed."""
        self._work = work
        self._bodies: BoundedMap[str, Body] = BoundedMap(max_bytes, _weight_of_body)
        self._refusals: BoundedMap[str, tuple[Fault, ...]] = BoundedMap(_REFUSALS_BYTES, _weight_of)
        self._making: SingleFlight[Body] = SingleFlight()

    def get(self, tag: str) -> Body | None:
        return self._bodies.get(tag)

    def get_or_make(
        self, tag: str, make: Callable[[], Iterable[bytes]], weight: int = 0, *, at_most: int | None = None
    ) -> Body:
        """The body of ``tag``; concurrent requests make it once, and share its error.

        ``weight``: see ``LargeWork``. Raises ``TooLarge`` for a body of more than ``at_most`` bytes,
        ``InvalidParameter`` as ``make`` did before, ``Overloaded`` where it cannot be made now.
        """
        found = self._found(tag)
        if found is not None:
            return found
        try:
            return self._making.do(tag, lambda: self._make(tag, make, weight, at_most), self._work.patience)
        except StillUnderWay:
            raise Overloaded(BUSY) from None

    def admitted(self, weight: int) -> AbstractContextManager[None]:
        """See ``LargeWork``."""
        return self._work.admitted(weight)

    def turn(self, weight: int) -> AbstractContextManager[None]:
        """See ``LargeWork``."""
        return self._work.turn(weight)

    def _found(self, tag: str) -> Body | None:
        faults = self._refusals.get(tag)
        if faults is not None:
            raise InvalidParameter(faults)
        return self._bodies.get(tag)

    def _make(self, tag: str, make: Callable[[], Iterable[bytes]], weight: int, at_most: int | None) -> Body:
        found = self._found(tag)
        if found is not None:
            return found
        try:
            with self._work.admitted(weight):
                made = body(make() if at_most is None else _bounded(make(), at_most))
        except InvalidParameter as refusal:
            self._refusals.keep(tag, tuple(refusal.faults))
            raise
        self._bodies.keep(tag, made)
        return made


def _bounded(pieces: Iterable[bytes], at_most: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > at_most:
            raise TooLarge
        yield piece


def _weight_of_body(made: Body) -> int:
    return _OVERHEAD + size_of(made)


def _weight_of(faults: tuple[Fault, ...]) -> int:
    return _OVERHEAD + sum(_OVERHEAD + len(fault.parameter) + len(fault.detail) for fault in faults)


Body = tuple[bytes, ...]
_PIECE = 1024 * 1024


def body(pieces: Iterable[bytes]) -> Body:
    """A body of ``pieces``, with small neighbours joined."""
    return tuple(joined(pieces))


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` with small neighbours joined; joining again changes nothing."""
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
