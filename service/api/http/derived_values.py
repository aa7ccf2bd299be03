"""Values derived from stored content, kept for later requests; concurrent requests derive each once, as large work."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar, cast

from service.api.http.large_work import BUSY, LargeWork
from service.concurrency.bounded_map import BoundedMap
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import Overloaded
from service.reads.results import Read

T = TypeVar("T")
OVERHEAD = 500
"""Bytes of overhead of each value kept."""


class DerivedValues:
    """Derives values from content. Thread-safe."""

    def __init__(self, work: LargeWork) -> None:
        self.work = work
        self._flights: SingleFlight[Any] = SingleFlight()

    def once(
        self,
        of: Read[Any],
        form: tuple[str, ...],
        kept: BoundedMap[bytes, T],
        work_out: Callable[[], T],
        weight: int | None = None,
    ) -> T:
        """The result of ``work_out``, kept in ``kept`` by the content and ``form``, on which alone it depends.

        ``weight``: the bytes of the content that are read, where that is not all. Raises ``Overloaded``, and what
        ``work_out`` raises.
        """
        name = _name(of, form)

        def find_or_work_out() -> T:
            found = kept.get(name)
            if found is None:
                with self.work.admitted(of.size if weight is None else weight):
                    found = work_out()
                kept.keep(name, found)
            return found

        if self.work.is_admitted or kept.get(name) is not None:
            return find_or_work_out()  # an admitted thread must not wait for one that is not: a deadlock
        try:
            return cast(T, self._flights.do(name, find_or_work_out, self.work.patience))
        except StillUnderWay:
            raise Overloaded(BUSY) from None


def _name(of: Read[Any], form: tuple[str, ...]) -> bytes:
    """A name of fixed length."""
    named = "\0".join((of.key, of.digest.hex(), *form))
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=20).digest()
