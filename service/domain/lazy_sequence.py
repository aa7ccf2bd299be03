"""Sequences whose elements are loaded when they are accessed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class LazySequence(Sequence[T_co]):
    """Loads an element, by ``_load_element``, on each access; equal to any sequence of the same elements."""

    @abstractmethod
    def _load_element(self, number: int) -> T_co:
        """The element of that number, from 0 on. May raise what loading does."""

    @overload
    def __getitem__(self, number: int) -> T_co: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[T_co]: ...
    def __getitem__(self, number: int | slice) -> T_co | Sequence[T_co]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if number < 0:
            number += len(self)
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._load_element(number)

    def __iter__(self) -> Iterator[T_co]:
        return map(self._load_element, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]
