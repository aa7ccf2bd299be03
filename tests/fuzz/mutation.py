"""Inputs near to real ones: examples with pieces cut out, repeated, replaced and put together."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import AnyStr

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

MOST_CHANGES = 6
LONGEST = 20_000
_LENGTHS = (0, 0, 0, 1, 2, 8, 64)
_TIMES = (0, 1, 1, 1, 2, 50)


def texts(seeds: Sequence[str], pieces: Sequence[str]) -> SearchStrategy[str]:
    """Texts near to ``seeds``, or anything."""
    return _mutated(seeds, [*pieces, "", "\0", "é", "\ud83d", "😀"]) | st.text(max_size=200)


def binaries(seeds: Sequence[bytes], pieces: Sequence[bytes]) -> SearchStrategy[bytes]:
    """Bytes near to ``seeds``, or any."""
    return _mutated(seeds, [*pieces, b"", b"\0", b"\xff", b"\xc3\xa9", b"\xed\xa0\xbd"]) | st.binary(max_size=200)


def _mutated(seeds: Sequence[AnyStr], pieces: Sequence[AnyStr]) -> SearchStrategy[AnyStr]:
    """By a number alone: to draw each change from hypothesis would take longer than most targets do."""

    def mutate(seed: int, changes: int) -> AnyStr:
        chance = Random(seed)
        text = chance.choice(seeds)
        for _ in range(changes):
            begin = chance.randint(0, len(text))
            end = begin + chance.choice(_LENGTHS)
            piece = chance.choice(pieces) if chance.random() < 0.8 else chance.choice(seeds)
            text = (text[:begin] + piece * chance.choice(_TIMES) + text[end:])[:LONGEST]
        return text

    return st.builds(mutate, st.integers(0, 2**64), st.integers(0, MOST_CHANGES))
