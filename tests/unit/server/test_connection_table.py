"""The bytes that are counted for clients, and who is ended where others need the room."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from service.server.connection import Connection
from service.server.connection_table import Connections
from service.server.limits import Limits
from service.server.poller import Poller
from testing.work import lines

SIZE = 100


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


def stalled(poller: Poller, count: int) -> tuple[Connections, list[Connection]]:
    """As many clients as there is room for, each with an answer of its own that it does not read."""
    table = Connections(poller, Limits(outgoing_bytes=count * SIZE))
    clients = [Connection(socket.socket(), None, None, number - 1e6) for number in range(count)]
    for number, client in enumerate(clients):
        table.open.add(client)
        assert table.hold(client, [b"%0100d" % number], 0)
    return table, clients


def test_those_that_have_stalled_longest_make_room_and_no_more_of_them_than_needed(poller: Poller) -> None:
    table, clients = stalled(poller, 10)
    another = Connection(socket.socket(), None, None, float("inf"))
    table.open.add(another)
    assert table.hold(another, [bytes(3 * SIZE)], 0)
    assert table.open == {*clients[3:], another}
    assert table.held == 10 * SIZE
    assert not table.hold(another, [bytes(20 * SIZE)], 0)
    for client in (*clients, another):
        table.end(client)


def test_making_room_is_work_in_proportion_to_the_clients(poller: Poller) -> None:
    def make_room(count: int) -> int:
        table, clients = stalled(poller, count)
        another = Connection(socket.socket(), None, None, float("inf"))
        table.open.add(another)
        made = lines(lambda: table.hold(another, [bytes(count * SIZE // 2)], 0))
        for client in (*clients, another):
            table.end(client)
        return made

    assert make_room(200) < 3 * make_room(100)
