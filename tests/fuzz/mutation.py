"""Inputs near to real ones: examples with pieces cut out, repeated, replaced and put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import AnyStr

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

MOST_CHANGES = 6
LONGEST = 20_000


@st.composite
def _mutated(draw: DrawFn, seeds: Sequence[AnyStr], pieces: Sequence[AnyStr]) -> AnyStr:
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, MOST_CHANGES))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.sampled_from([0, 0, 1, 2, 8, 64])))
        piece = draw(st.sampled_from(pieces) | st.sampled_from(seeds))
        times = draw(st.sampled_from([0, 1, 1, 1, 2, 50]))
        text = (text[:begin] + piece * times + text[end:])[:LONGEST]
    return text


def texts(seeds: Sequence[str], pieces: Sequence[str]) -> SearchStrategy[str]:
    """Texts near to ``seeds``, or anything."""
    return _mutated(seeds, [*pieces, "", "\0", "é", "\ud83d", "😀"]) | st.text(max_size=200)


def binaries(seeds: Sequence[bytes], pieces: Sequence[bytes]) -> SearchStrategy[bytes]:
    """Bytes near to ``seeds``, or any."""
    anything = st.binary(max_size=200)
    return _mutated(seeds, [*pieces, b"", b"\0", b"\xff", b"\xc3\xa9", b"\xed\xa0\xbd"]) | anything
