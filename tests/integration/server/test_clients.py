"""Clients that are slow, silent or do not leave: they cost the others nothing and end when their time is over."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from contextlib import suppress

import pytest

from service.server.connection import State
from testing.waiting import eventually
from tests.integration.server.conftest import MOST_SENDING, THREADS, NewClient, NewServer, open_files
from tests.servers.plain_application import MIB
from tests.servers.raw_http import Client, request

MANY = 40
ABUSERS = {
    "half-open": request("/small")[:-2],
    "silent": b"",
    "lingering": request("/small", "Connection: close"),
    "dripping": request("/echo", "Content-Length: 9") + b"a",
    "idle": request("/small"),
    "not reading": request("/shared"),
}
LITTLE = 4096


def problem(client: Client) -> str:
    return str(json.loads(client.answer().body)["type"]).removeprefix("urn:metric-resource:")


def test_many_of_each_kind_hold_no_other_up(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(linger_seconds=60)
    abusers = [new_client(server, receive_buffer=LITTLE) for _ in range(MANY) for _ in ABUSERS]
    for client, said in zip(abusers, list(ABUSERS.values()) * MANY, strict=True):
        client.send(said)
    healthy = new_client(server)
    for _ in range(20):
        assert healthy.get("/small").body == b"small"
        assert new_client(server).get("/shared").body == b"".join(server.application.shared)
    assert len(server.loop.connections) >= len(abusers) + 1, "all of them are there still"
    server.until(State.LINGERING, MANY)
    server.until(State.SENDING, MANY)
    assert server.loop.bytes_held <= 4 * MIB + MANY * 1024, "the body is counted once, the heads for each"


def test_a_loop_with_all_kinds_of_clients_has_nothing_to_do(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(linger_seconds=60)
    clients = [new_client(server, receive_buffer=LITTLE) for _ in ABUSERS]
    for client, said in zip(clients, ABUSERS.values(), strict=True):
        client.send(said)
    ahead, gone = new_client(server), new_client(server)
    ahead.send(request("/hold") + request("/small"))
    gone.send(request("/hold"))
    gone.close()
    server.until(State.RUNNING, THREADS)
    server.until(State.SENDING, 1)
    server.until(State.LINGERING, 1)
    server.pause()
    for _ in range(10):
        server.loop.turn(0.05)
    assert [server.loop.turn(0) for _ in range(20)] == [0] * 20


def test_threads_are_free_while_clients_take_their_answers(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server()
    readers = [new_client(server, receive_buffer=LITTLE) for _ in range(4 * THREADS)]
    for reader in readers:
        reader.send(request("/own"))
    server.until(State.SENDING, len(readers))
    assert new_client(server).get("/small").status == 200
    assert all(len(reader.answer().body) == 4 * MIB for reader in readers)
    eventually(lambda: server.loop.bytes_held == 0)
    assert readers[0].get("/small").status == 200, "the connection goes on"


def test_what_is_at_hand_is_answered_while_all_threads_work(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server()
    for _ in range(THREADS):
        new_client(server).send(request("/hold"))
    eventually(lambda: server.application.holding == THREADS)
    client = new_client(server)
    client.send(request("/ready/1") + request("/ready/2") + request("/oops") + request("/ready/3"))
    assert [client.answer().body for _ in range(2)] == [b"ready1", b"ready2"]
    assert problem(client) == "internal-error"
    assert client.until_closed() == b""
    closing = new_client(server)
    assert closing.get("/ready", "Connection: close").body == b"ready"
    assert closing.until_closed() == b""
    waiting, large = new_client(server), new_client(server)
    waiting.send(request("/ready/first") + request("/small") + request("/ready/next"))
    assert waiting.answer().body == b"readyfirst"
    assert large.get("/shared").body == b"".join(server.application.shared)
    assert waiting.waits(), "neither the answer that has to be made nor what comes behind it"
    server.application.release.set()
    assert [waiting.answer().body for _ in range(2)] == [b"small", b"readynext"]


def test_a_head_that_does_not_end_is_refused_and_silence_is_ended(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(request_seconds=0.1)

    def ended() -> bool:
        half, dripping, silent = (new_client(server) for _ in range(3))
        half.send(ABUSERS["half-open"])
        dripping.send(ABUSERS["dripping"])
        assert problem(half) == problem(dripping) == "request-timeout"
        return [client.until_closed() for client in (half, dripping, silent)] == [b""] * 3

    eventually(ended)  # who is too slow to say anything is ended as the silent one is


def test_dripping_wins_no_time(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(request_seconds=0.5)

    def answered() -> str:
        client = new_client(server)
        client.send(ABUSERS["half-open"])
        ends = time.monotonic() + 20
        while client.waits() and time.monotonic() < ends:
            client.send(b"a")
            time.sleep(0.05)
        return problem(client)

    assert "request-timeout" in (
        answered() for _ in range(20)
    )  # a late request's connection is closed without an answer


def test_a_request_that_begins_late_on_an_idle_connection_has_its_time(
    new_server: NewServer, new_client: NewClient
) -> None:
    server = new_server(keepalive_seconds=0.5)

    def answered() -> bool:
        client = new_client(server)
        assert client.get("/small").status == 200
        time.sleep(0.3)
        client.send(request("/small")[:-2])
        time.sleep(0.7)
        client.send(b"\r\n")
        return client.answer().status == 200

    eventually(answered)  # where the machine stands still, the first pause may be too long


def test_an_idle_connection_ends(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(keepalive_seconds=0.1)

    def ends() -> bool:
        client = new_client(server)
        return client.get("/small").headers["connection"] == "keep-alive" and client.until_closed() == b""

    assert any(ends() for _ in range(20))  # where the machine stands still, the first request may come too late


def test_who_takes_nothing_is_dropped_and_who_takes_a_little_is_not(
    new_server: NewServer, new_client: NewClient
) -> None:
    def only_the_other_is_dropped() -> bool:
        server = new_server(progress_seconds=2)
        stopped, slow = (new_client(server, receive_buffer=LITTLE) for _ in range(2))
        for client in (stopped, slow):
            client.send(request("/shared"))
        server.until(State.SENDING, 2)
        while len(server.loop.connections) > 1:
            if not slow.socket.recv(128):  # so little that the system sends it of itself, and the loop has nothing to
                return False
            time.sleep(0.02)
        assert len(stopped.until_closed()) < 4 * MIB
        return server.states() == [State.SENDING]

    eventually(only_the_other_is_dropped)  # where the machine stands still, so does the one who takes a little


def test_answers_that_clients_leave_there_are_bounded(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(outgoing_bytes=9 * MIB)
    readers = [new_client(server, receive_buffer=LITTLE) for _ in range(2)]
    for reader in readers:
        reader.send(request("/own"))
    server.until(State.SENDING, 2)
    third = new_client(server)
    third.send(request("/own"))
    answer = third.answer()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert json.loads(answer.body)["type"] == "urn:metric-resource:overloaded"
    assert [len(reader.answer().body) for reader in readers] == [4 * MIB] * 2
    assert len(new_client(server).get("/own").body) == 4 * MIB


def test_who_takes_nothing_makes_room_for_others(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(outgoing_bytes=9 * MIB, stalled_seconds=0.1)
    readers = [new_client(server, receive_buffer=LITTLE) for _ in range(2)]
    for reader in readers:
        reader.send(request("/own"))
    server.until(State.SENDING, 2)
    eventually(lambda: new_client(server).get("/own").status == 200)
    server.until(State.SENDING, 1)
    assert len(new_client(server).get("/own").body) == 4 * MIB


def test_a_stream_is_made_no_faster_than_it_is_taken(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(stream_bytes=MIB // 4)
    clients = [new_client(server, receive_buffer=LITTLE) for _ in range(MOST_SENDING)]
    for client in clients:
        client.send(request("/stream/60"))
    server.until(State.SENDING, MOST_SENDING)
    assert new_client(server).get("/small").status == 200
    assert server.application.streamed <= MOST_SENDING * 20, "far from 60"
    body = b"".join(bytes([number % 256]) * 65536 for number in range(60))
    for client in clients:
        assert hashlib.sha256(client.answer().body).digest() == hashlib.sha256(body).digest()
    assert clients[0].get("/small").status == 200


def test_who_does_not_acknowledge_what_is_pushed_is_dropped(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(progress_seconds=0.5)
    silent, idle = new_client(server, receive_buffer=LITTLE), new_client(server)
    silent.send(request(f"/push/{MIB // 16}"))
    idle.send(request("/push/1"))
    eventually(lambda: not silent.waits() and not idle.waits())  # both have begun
    server.until(State.RUNNING, 1)
    assert idle.waits() is False  # what it was sent is there
    assert server.application.pushed == 1


def test_streams_beyond_those_that_may_wait_are_cut_off(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(stream_bytes=MIB // 4)
    clients = [new_client(server, receive_buffer=LITTLE) for _ in range(MOST_SENDING + 1)]
    for client in clients:
        client.send(request("/stream/60"))
    eventually(lambda: len(server.loop.connections) == MOST_SENDING)
    assert new_client(server).get("/small").status == 200


def test_a_stream_whose_client_leaves_ends(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(stream_bytes=MIB // 4, progress_seconds=0.5)
    leaving, stopping = (new_client(server, receive_buffer=LITTLE) for _ in range(2))
    for client in (leaving, stopping):
        client.send(request("/stream/60"))
    eventually(lambda: not leaving.waits() and not stopping.waits())  # both have begun
    leaving.close()
    eventually(lambda: not server.loop.connections)
    streamed = server.application.streamed
    assert streamed < 120
    assert new_client(server).get("/stream/1").status == 200
    assert server.application.streamed == streamed + 1


def test_the_oldest_idle_connections_make_room_for_new_ones(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(connections=10)
    idle = [new_client(server) for _ in range(10)]
    for client in idle:
        assert client.get("/small").status == 200
        server.until(State.IDLE, 10)
    new = [new_client(server) for _ in range(3)]
    assert [client.get("/small").status for client in new] == [200] * 3
    assert len(server.loop.connections) == 10
    assert [client.waits() for client in idle] == [False] * 3 + [True] * 7


@pytest.mark.parametrize("said", [b"", ABUSERS["half-open"], ABUSERS["dripping"]], ids=["silent", "half", "dripping"])
def test_requests_that_do_not_come_make_room_for_some_that_do(
    new_server: NewServer, new_client: NewClient, said: bytes
) -> None:
    server = new_server(connections=10)
    for _ in range(15):
        new_client(server).send(said)
    assert [new_client(server).get("/small").status for _ in range(10)] == [200] * 10
    assert len(server.loop.connections) <= 10


def test_where_all_are_served_others_wait_to_be_accepted(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(connections=4)
    served = [new_client(server) for _ in range(4)]
    for client in served:
        client.send(request("/hold"))
    server.until(State.RUNNING, 4)
    waiting = new_client(server)
    waiting.send(request("/small"))
    server.pause()
    for _ in range(5):
        server.loop.turn(0.05)
    assert len(server.loop.connections) == 4
    assert server.loop.turn(0) == 0, "a listener that is not accepted from wakes nobody"
    server.application.release.set()
    while any(client.waits() for client in (*served, waiting)):
        server.loop.turn(0.05)
    assert waiting.answer().status == 200


def test_incomplete_requests_are_bounded_together(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(incoming_bytes=100_000)
    clients = [new_client(server) for _ in range(20)]
    for client in clients:
        client.send(request("/small", "X: " + "a" * 20_000)[:-2])
    eventually(lambda: len(server.loop.connections) == 4)
    assert server.loop.bytes_incoming <= 100_000
    assert new_client(server).get("/small").status == 200


def test_who_is_told_that_the_connection_closes_gets_all_of_the_answer(
    new_server: NewServer, new_client: NewClient
) -> None:
    server = new_server()
    client = new_client(server)
    client.send(request("/shared", "Connection: close") + b"more that nobody reads" * 1000)
    assert client.until_closed().endswith(server.application.shared[-1])
    client.close()
    eventually(lambda: not server.loop.connections)


def test_who_stays_after_the_end_is_left(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(linger_seconds=0.1)
    staying, talking = new_client(server), new_client(server)
    for client in (staying, talking):
        assert client.get("/small", "Connection: close").status == 200
    with pytest.raises(OSError, match=r"reset|Broken"):
        talking.send(b"a" * 100_000_000)
    eventually(lambda: not server.loop.connections)


def test_nothing_is_left_of_anybody(new_server: NewServer) -> None:
    server = new_server(request_seconds=0.2, linger_seconds=0.1, progress_seconds=0.2, keepalive_seconds=0.2)
    before = open_files()
    clients = [Client(server.port, LITTLE) for _ in range(10) for _ in ABUSERS]
    for client, said in zip(clients, list(ABUSERS.values()) * 10, strict=True):
        with suppress(OSError):  # its time may be over already
            client.send(said)
    for client in clients[:30]:
        client.close()
    eventually(lambda: not server.loop.connections)
    for client in clients:
        client.close()
    eventually(lambda: open_files() == before)
    assert server.loop.bytes_held == server.loop.bytes_incoming == 0


def test_a_stop_answers_what_is_there_and_ends_what_is_idle(new_server: NewServer, new_client: NewClient) -> None:
    def all_are_ended() -> bool:
        server = new_server(stop_seconds=0.5)
        idle, held, reading, kept = (new_client(server, receive_buffer=LITTLE) for _ in range(4))
        for client in (idle, kept):
            assert client.get("/small").status == 200
        held.send(request("/hold"))
        reading.send(request("/own"))
        server.until(State.RUNNING, 1)
        server.until(State.SENDING, 1)
        server.loop.call(server.loop.stop)
        eventually(lambda: server.loop.stopping)
        assert kept.get("/small").headers["connection"] == "close", "a request may have been on its way"
        assert idle.until_closed() == b""
        server.application.release.set()
        assert held.answer().body == b"held"
        assert len(reading.answer().body) == 4 * MIB
        kept.close()
        eventually(lambda: not server.loop.connections)
        return True

    eventually(all_are_ended)  # where the machine stands still, a request is on its way for too long


def test_a_stop_answers_who_is_connected_already(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server()
    server.pause()
    clients = [new_client(server) for _ in range(20)]
    for client in clients:
        client.send(request("/small"))
    server.loop.stop()
    assert len(server.loop.connections) == len(clients)
    while any(client.waits() for client in clients):
        server.loop.turn(0.05)
    assert {client.answer().headers["connection"] for client in clients} == {"close"}


@pytest.mark.parametrize("ends", [False, True], ids=["asks again", "sends no more"])
def test_what_a_client_sends_as_the_loop_takes_its_answer_over_waits_for_the_end_of_it(
    new_server: NewServer, new_client: NewClient, *, ends: bool
) -> None:
    server = new_server()
    client = new_client(server, receive_buffer=LITTLE)
    client.send(request("/hold/shared"))
    server.until(State.RUNNING, 1)
    server.pause()
    server.loop.turn(0)
    server.application.release.set()
    eventually(lambda: next(iter(server.loop.connections)).outgoing.handed_over)
    time.sleep(0.05)  # until the loop is called as well
    client.send(request("/small"))  # told of in the same turn, behind that call
    if ends:
        client.socket.shutdown(socket.SHUT_WR)
    client.socket.settimeout(5)
    server.resume()
    assert len(client.answer().body) == 4 * MIB
    assert client.answer().body == b"small"


def test_who_comes_behind_a_crowd_is_read_in_a_few_turns(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server()
    crowd = [new_client(server) for _ in range(200)]
    server.until(State.IDLE, len(crowd))
    server.pause()
    for client in crowd:
        client.send(request("/hold"))
    late = new_client(server)
    late.send(request("/livez"))
    server.loop.turn(0.05)
    assert server.loop.crowd.is_there
    for _ in range(2):
        server.loop.turn(0.05)
    served = [connection for connection in server.loop.connections if connection.requests]
    assert late.socket.getsockname() in {connection.peer for connection in served}
    assert len(served) < 60, "a turn is short, however many are ready"
    while server.loop.turn(0.05) > 1:
        pass
    server.loop.turn(0)
    assert not server.loop.crowd.is_there


@pytest.mark.parametrize("path", ["/shared", "/stream/60"])
def test_who_takes_too_little_for_long_is_dropped(new_server: NewServer, new_client: NewClient, path: str) -> None:
    server = new_server(stream_bytes=MIB // 4, progress_seconds=1, least_rate=1024 * MIB)
    slow = new_client(server, receive_buffer=LITTLE)
    slow.send(request(path))
    eventually(lambda: not slow.waits())
    took = 0
    while server.loop.connections:
        took += len(slow.socket.recv(128))
        time.sleep(0.01)
    assert took < MIB


def test_streams_count_for_what_may_be_made_ahead(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(stream_bytes=MIB // 4, outgoing_bytes=MIB)
    clients = [new_client(server, receive_buffer=LITTLE) for _ in range(6)]
    for client in clients:
        client.send(request("/stream/60"))
    eventually(lambda: len(server.loop.connections) == 4)
    server.until(State.SENDING, 4)
    assert server.loop.bytes_held == MIB
    for client in clients:
        client.close()
    eventually(lambda: not server.loop.connections and server.loop.bytes_held == 0)


def test_a_connection_that_goes_idle_after_a_stop_ends_soon(new_server: NewServer, new_client: NewClient) -> None:
    server = new_server(stop_seconds=0.2, keepalive_seconds=3600)
    client = new_client(server)
    client.send(request("/hold"))
    eventually(lambda: server.application.holding == 1)
    server.loop.call(server.loop.stop)
    eventually(lambda: server.loop.stopping)
    server.application.release.set()
    assert client.answer().headers["connection"] == "keep-alive", "that it stops was not known when the answer began"
    assert client.until_closed() == b""
