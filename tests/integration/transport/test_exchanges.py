"""Proper exchanges, and what a server must not learn or set."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeUnavailable
from service.runtimes.transport import Answer, HttpTransport
from service.runtimes.transport.budget import Budget, spending
from service.runtimes.transport.sockets import connect
from service.telemetry.prometheus import Telemetry
from tests.integration.transport.conftest import MAX_BODY_BYTES, Exchange, Serve
from tests.integration.transport.servers import HANG_GUARD, Request, raw, reply
from tests.rows import each_row


def get(transport: HttpTransport, url: str, **options: object) -> Answer:
    given = {"headers": {}, "deadline": Deadline.after(5), "operation": "test", **options}
    return transport.exchange("GET", url, **given)  # type: ignore[arg-type]


def test_gives_status_headers_and_body(exchange: Exchange) -> None:
    answer = exchange(reply(b'{"a": 1}', status=404, headers={"Content-Type": "application/json", "X-Two": "a, b"}))
    assert answer.status == 404
    assert answer.body == b'{"a": 1}'
    assert answer.headers["content-TYPE"] == "application/json"
    assert answer.headers["x-two"] == "a, b"


@each_row("status", [200, 204, 400, 401, 403, 404, 410, 429, 500, 501, 503])
def test_judges_no_status(exchange: Exchange, status: int) -> None:
    assert exchange(reply(b"" if status == 204 else b"x", status=status)).status == status


def test_interim_answers_are_passed_over(serve: Serve, transport: HttpTransport) -> None:
    """And the next exchange on that connection gets its own answer."""
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    numbers = iter(range(9))
    server = serve(lambda _: hints + reply(str(next(numbers)).encode()))
    assert [get(transport, server.url).body for _ in range(3)] == [b"0", b"1", b"2"]
    assert server.connections == 1


def test_sends_what_it_was_given_and_says_what_it_takes(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply())
    get(transport, server.url + "/lm/metrics?executionIds=a,b&$select=*", headers={"AI-Resource-Group": "g"})
    request = server.requests[0]
    assert (request.method, request.target) == ("GET", "/lm/metrics?executionIds=a,b&$select=*")
    assert request.headers.pop("host") == f"127.0.0.1:{server.port}"
    assert request.headers.pop("user-agent").startswith("metric-resource-service/")
    assert request.headers == {
        "accept": "application/json",
        "accept-encoding": "gzip, deflate, br, zstd",
        "ai-resource-group": "g",
    }


def test_sends_a_form(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply())
    transport.exchange(
        "POST", server.url, headers={}, deadline=Deadline.after(5), operation="test", form={"a": "1&2", "b": "ä"}
    )
    assert server.requests[0].body == b"a=1%262&b=%C3%A4"
    assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_keeps_no_cookies_from_one_caller_for_another(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply(headers={"Set-Cookie": "session=secret; Path=/"}))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: get(transport, server.url), range(12)))
    get(transport, server.url)
    assert not [request for request in server.requests if "cookie" in request.headers]


def test_takes_nothing_from_the_environment(
    serve: Serve, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = serve(lambda _: reply())
    assert get(transport, server.url).status == 200


def test_a_user_name_in_the_url_does_not_replace_the_token(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply())
    get(transport, f"http://user:word@127.0.0.1:{server.port}", headers={"Authorization": "Bearer t"})
    assert server.requests[0].headers["authorization"] == "Bearer t"


def test_follows_no_redirect_and_reads_none(serve: Serve, transport: HttpTransport) -> None:
    elsewhere = serve(lambda _: reply())
    for status in (301, 302, 303, 304, 307, 308):
        server = serve(
            lambda _, status=status: reply(b"x" * 100, status=status, headers={"Location": elsewhere.url, "A": "b"})
        )
        with pytest.raises(BadGateway):
            get(transport, server.url, headers={"Authorization": "Bearer t"})
    assert elsewhere.requests == []


def test_uses_a_connection_again(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply(b"x" * 100_000))
    for _ in range(5):
        get(transport, server.url)
    assert server.connections == 1


@pytest.mark.parametrize("parting", [raw(), raw(reset=True)])
def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(
    serve: Serve, transport: HttpTransport, parting: object
) -> None:
    """The server closes right when the next request comes, as idle connections are closed."""
    answers = iter([reply(b"1"), parting, reply(b"2")])
    server = serve(lambda _: next(answers))  # type: ignore[arg-type,return-value]
    assert get(transport, server.url).body == b"1"
    assert get(transport, server.url).body == b"2"
    assert server.connections == 2


def test_a_new_connection_that_is_closed_is_not_replaced(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: raw())
    with pytest.raises(RuntimeUnavailable):
        get(transport, server.url)
    assert len(server.requests) == 1


def test_threads_have_deadlines_of_their_own(serve: Serve, transport: HttpTransport) -> None:
    release = threading.Event()

    def script(request: Request) -> bytes:
        if request.target == "/slow":
            release.wait(5)
        return reply()

    server = serve(script)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(get, transport, server.url + "/slow")
        for _ in range(3):
            assert get(transport, server.url + "/quick", deadline=Deadline.after(1)).status == 200
        release.set()
        assert slow.result(5).status == 200


def test_counts_every_exchange(exchange: Exchange, telemetry: Telemetry) -> None:
    exchange(reply(status=404))
    with pytest.raises(BadGateway):
        exchange(reply(status=302))
    counted = {
        sample.labels["outcome"]: sample.value
        for metric in telemetry.registry.collect()
        for sample in metric.samples
        if sample.name == "metric_resource_upstream_exchanges_total"
    }
    assert counted == {"404": 1.0, "BadGateway": 1.0}


def test_makes_a_connection_for_each_exchange_where_none_is_kept(serve: Serve, telemetry: Telemetry) -> None:
    server = serve(lambda _: reply())  # which says that it would keep it
    made = HttpTransport(
        connect_timeout=2, max_body_bytes=MAX_BODY_BYTES, pool_size=4, keeps_connections=False, telemetry=telemetry
    )
    for _ in range(3):
        assert get(made, server.url).status == 200
    made.close()
    assert server.connections == 3
    assert {request.headers["connection"] for request in server.requests} == {"close"}


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux has it")
def test_an_answer_in_two_parts_is_not_held_up_by_a_late_acknowledgement() -> None:
    """On a connection that is kept, where the system acknowledges late by itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        budget = Budget(Deadline.after(10), connect_timeout=5, body_bytes=MAX_BODY_BYTES)
        with spending(budget):
            ours = connect("127.0.0.1", listening.getsockname()[1], (), budget)
            theirs, _ = listening.accept()
            with ours, theirs:
                for _ in range(9):
                    ours.sendall(b"a request")
                    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
                    assert theirs.recv(99)
                    theirs.sendall(b"an answer")
                    assert ours.recv_into(bytearray(99))


def test_a_closed_transport_keeps_no_connection(serve: Serve, transport: HttpTransport) -> None:
    """Neither that of an exchange that was under way nor that of a later one."""
    asked, goes_on, ended = threading.Event(), threading.Event(), threading.Semaphore(0)

    def answer(connection: socket.socket, over: threading.Event) -> None:
        asked.set()
        assert goes_on.wait(HANG_GUARD)
        connection.sendall(reply())
        connection.settimeout(HANG_GUARD)
        assert connection.recv(1) == b""
        ended.release()

    server = serve(lambda _: answer)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(get, transport, server.url)
        assert asked.wait(HANG_GUARD)
        transport.close()
        goes_on.set()
        assert under_way.result(HANG_GUARD).status == 200
    assert ended.acquire(timeout=HANG_GUARD)
    assert get(transport, server.url).status == 200
    assert ended.acquire(timeout=HANG_GUARD)
