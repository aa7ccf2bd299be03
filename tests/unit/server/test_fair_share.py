"""Who is ready has a turn soon, however many others are."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from service.server.connection import Connection
from service.server.loop import fair_share


def connections(count: int) -> Sequence[Connection]:
    with socket.socket() as sock:
        return [Connection(sock, None, None, 0.0) for _ in range(count)]


@given(ready=st.integers(0, 200), most=st.integers(2, 40), turn=st.integers(0, 10**6))
def test_everybody_has_a_turn_soon_and_the_newest_at_once(ready: int, most: int, turn: int) -> None:
    them = connections(ready)
    seen: set[Connection] = set()
    for number in range(turn, turn + 2 * ready // most + 2):
        chosen = fair_share(them, most, number)
        assert len(chosen) == len(set(chosen)) == min(ready, most)
        assert set(them[-(most // 2) :]) <= set(chosen)
        seen.update(chosen)
    assert seen == set(them)
