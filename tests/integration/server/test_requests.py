"""Requests of every form and in every piecing are read as one who reads them whole would."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testing.effort import effort
from tests.integration.server.conftest import Server, running
from tests.servers.raw_http import Client, request

MANY = settings(max_examples=effort(15, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEQUENCES = [
    [request("/small"), request("/small/two"), request("/nothing")],
    [request("/echo", "Content-Length: 5", method="POST") + b"GET /a", request("/small")[1:]],
    [b"\r\n" + request("/small"), request("/small", "Connection: close"), request("/small")],
    [request("/small", "Connection: keep-alive", version="1.0"), request("/small", version="1.0")],
    [request("/small"), b"GET /small HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n", request("/small")],
    [request("/echo", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", request("/small")],
    [request("/echo", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n", request("/small")],
    [request("/echo", "Content-Length: 3", "Content-Length: 4") + b"abcd", request("/small")],
    [b"GET /small HTTP/1.1\nHost: a\n\n", request("/small")],
    [b"\r\n\r\n", request("/small")],
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def python_server() -> Iterator[Server]:
    with running("python") as made:
        yield made


def answers(server: Server, *pieces: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer to ``pieces``, sent one by one, until the server closes."""
    with Client(server.port) as client:
        for piece in pieces:
            client.send(piece)
        client.socket.shutdown(1)
        found = []
        try:
            while True:
                answer = client.answer()
                body = (
                    answer.body if answer.status < 400 or not answer.body else json.loads(answer.body)["type"].encode()
                )
                found.append((answer.status, body))
        except ConnectionError:
            return found


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: str(sequence[0][:30]))
def test_pipelined_requests_are_answered_in_order_by_both_parsers(
    server: Server, python_server: Server, sequence: list[bytes]
) -> None:
    whole = answers(server, b"".join(sequence))
    assert whole
    assert whole == answers(python_server, b"".join(sequence))


def test_what_pipelined_requests_are_answered(server: Server) -> None:
    given = [answers(server, b"".join(sequence)) for sequence in SEQUENCES]
    bad = (400, b"urn:metric-resource:bad-request")
    assert given == [
        [(200, b"small"), (200, b"smalltwo"), (404, b"")],
        [(200, b"POST GET /"), bad],
        [(200, b"small"), (200, b"small")],
        [(200, b"small"), (200, b"small")],
        [(200, b"small"), bad],
        [(411, b"urn:metric-resource:length-required")],
        [bad],
        [bad],
        [bad],
        [bad],
    ]


@MANY
@given(st.sampled_from(SEQUENCES), st.data())
def test_how_a_request_is_pieced_changes_nothing(server: Server, sequence: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(sequence)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=6)))
    pieces = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert answers(server, *pieces) == answers(server, whole)


def test_byte_by_byte(server: Server) -> None:
    whole = request("/echo", "Content-Length: 4", method="PUT") + b"body"
    assert answers(server, *(whole[number : number + 1] for number in range(len(whole)))) == [(200, b"PUT body")]


def test_head_has_no_body_and_the_connection_stays(server: Server) -> None:
    with Client(server.port) as client:
        client.send(request("/small", method="HEAD"))
        answer = client.answer(body=False)
        assert (answer.status, answer.headers["content-length"]) == (200, "5")
        assert client.get("/small").body == b"small"


def test_http_1_0_is_closed_but_where_it_asks_not_to(server: Server) -> None:
    with Client(server.port) as client:
        client.send(request("/small", "Connection: keep-alive", version="1.0"))
        assert client.answer().headers["connection"] == "keep-alive"
        client.send(request("/stream/2", version="1.0"))
        head, _, body = client.until_closed().partition(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head
        assert len(body) == 2 * 65536


def test_a_client_that_asks_first_is_told_to_go_on(server: Server) -> None:
    with Client(server.port) as client:
        client.send(request("/echo", "Content-Length: 4", "Expect: 100-continue", method="POST"))
        assert client.answer().status == 100
        client.send(b"body")
        assert client.answer().body == b"POST body"
        client.send(request("/echo", "Content-Length: 4", "Expect: 100-continue", method="POST") + b"body")
        assert client.answer().body == b"POST body"
        client.send(request("/small", "Expect: a miracle"))
        assert client.answer().status == 417


def test_a_body_that_is_too_long_is_refused_at_its_head_and_the_refusal_arrives(server: Server) -> None:
    with Client(server.port) as client:
        client.send(request("/echo", f"Content-Length: {server.limits.body_bytes + 1}", method="POST"))
        client.send(b"a" * 32_000)
        assert b"urn:metric-resource:content-too-large" in client.until_closed()
    exactly = b"a" * server.limits.body_bytes
    said = request("/echo", f"Content-Length: {len(exactly)}", method="POST") + exactly
    assert answers(server, said) == [(200, b"POST " + exactly)]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /" + b"a" * 200_000, 414),
        (request("/")[:-2] + b"A: b\r\n" * 30_000, 431),
        (request("/")[:-2] + b"A: " + b"b" * 200_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"hello\r\n", 400),
    ],
    ids=["line", "fields", "field", "TLS", "none of HTTP"],
)
def test_a_head_that_cannot_become_one_is_refused_before_it_ends(
    server: Server, python_server: Server, said: bytes, status: int
) -> None:
    for each in (server, python_server):
        with Client(each.port) as client:
            client.send(said[:150_000])
            assert client.answer().status == status


def test_a_failure_of_the_application_is_a_problem_where_nothing_was_sent_and_an_end_otherwise(server: Server) -> None:
    assert answers(server, request("/fail") + request("/small")) == [(500, b"urn:metric-resource:internal-error")]
    with Client(server.port) as client:
        client.send(request("/break"))
        assert client.until_closed().endswith(b"begun\r\n"), "and no last chunk"
    assert answers(server, request("/small")) == [(200, b"small")]
