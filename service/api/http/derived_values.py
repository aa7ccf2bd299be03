"""What is worked out of a stored content and kept for the next request: once for all who ask, as large work."""

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
"""Bytes that something kept takes beside its own."""


class DerivedValues:
    """Safe from any thread."""

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
        """What ``work_out`` makes of that content, kept by the content and ``form``, all that it depends on.

        ``weight``: how many bytes of the content are looked at, where that is not all. Raises ``Overloaded``, and what
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
            return find_or_work_out()  # who has been admitted may not wait for who has not
        try:
            return cast(T, self._flights.do(name, find_or_work_out, self.work.patience))
        except StillUnderWay:
            raise Overloaded(BUSY) from None


def _name(of: Read[Any], form: tuple[str, ...]) -> bytes:
    """Short, however long the form is."""
    named = "\0".join((of.key, of.digest.hex(), *form))
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=20).digest()
