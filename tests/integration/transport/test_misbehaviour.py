"""Servers that are slow, lie, flood or break off: each has one decided outcome, in bounded time and memory."""

from __future__ import annotations

import gzip
import resource
import socket
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from isal import igzip

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport import HttpTransport
from service.telemetry.prometheus import Telemetry
from tests.integration.transport.conftest import MAX_BODY_BYTES, Exchange, Serve
from tests.integration.transport.servers import HEAD_OK as HEAD
from tests.integration.transport.servers import Misbehaviour, Reply, raw, reply, silence, trickle
from tests.rows import each_row

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


TEXT = b'{"name": "Accuracy", "value": 0.9}' * 5000


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", headers: bytes = b"") -> Misbehaviour:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(HEAD + headers + b"Transfer-Encoding: chunked\r\n\r\n" + framed + end)


def coded(body: bytes, coding: str, **more: str) -> bytes:
    return reply(body, headers={"Content-Encoding": coding, **more})


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(silence, id="never answers"),
        pytest.param(trickle(b""), id="status line"),
        pytest.param(trickle(HEAD + b"X: "), id="header"),
        pytest.param(trickle(HEAD + b"Content-Length: 100000\r\n\r\n"), id="body"),
        pytest.param(trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n"), id="chunk"),
        pytest.param(trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;"), id="chunk extension"),
        pytest.param(trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"), id="trailer"),
        pytest.param(trickle(HEAD + b"\r\n"), id="body without end"),
        pytest.param(trickle(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(TEXT)[:-20]), id="compressed"),
        pytest.param(raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 500, pause=0.01), id="interim answers"),
    ],
)
def test_a_byte_now_and_then_does_not_outlive_the_deadline(exchange: Exchange, slow: Reply) -> None:
    with pytest.raises(RuntimeTimeout):
        exchange(slow, seconds=0.4)


def test_a_server_that_takes_no_connection_is_unavailable(transport: HttpTransport) -> None:
    """The backlog is full, so the handshake of TCP gets no answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for connection in waiting:
                connection.setblocking(False)
                connection.connect_ex(("127.0.0.1", port))
            with pytest.raises(RuntimeTimeout):
                ask(transport, port, seconds=0.3)
            hasty = HttpTransport(
                connect_timeout=0.2, max_body_bytes=MAX_BODY_BYTES, pool_size=1, telemetry=Telemetry()
            )
            with pytest.raises(RuntimeUnavailable):
                ask(hasty, port, seconds=5)
            hasty.close()
        finally:
            for connection in waiting:
                connection.close()


def ask(transport: HttpTransport, port: int, *, seconds: float) -> None:
    transport.exchange(
        "GET", f"http://127.0.0.1:{port}", headers={}, deadline=Deadline.after(seconds), operation="test"
    )


def test_a_deadline_that_has_passed_asks_nothing(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply())
    with pytest.raises(RuntimeTimeout):
        ask(transport, server.port, seconds=0)
    assert server.requests == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(raw(), id="no answer"),
        pytest.param(raw(reset=True), id="reset"),
        pytest.param(raw(HEAD + b"Content-Length: 10\r\n\r\n12345"), id="short body"),
        pytest.param(raw(HEAD + b"Content-Length: 10\r\n\r\n"), id="no body"),
        pytest.param(raw(HEAD + b"Content-Length: 10\r\n\r\n12345", reset=True), id="reset in the body"),
        pytest.param(chunked(b"12345", end=b""), id="chunks without end"),
        pytest.param(chunked(b"12345", end=b"5\r\n12"), id="short chunk"),
        pytest.param(
            raw(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 999\r\n\r\n" + gzip.compress(TEXT)),
            id="short compressed body",
        ),
    ],
)
def test_a_connection_that_breaks_off_is_unavailable(exchange: Exchange, broken: Reply) -> None:
    with pytest.raises(RuntimeUnavailable):
        exchange(broken)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(raw(b"SSH-2.0-OpenSSH_9\r\n"), id="not HTTP"),
        pytest.param(raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), id="another protocol"),
        pytest.param(raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9000), id="flood of hints"),
        pytest.param(raw(b"HTTP/1.1 abc OK\r\n\r\n"), id="status"),
        pytest.param(raw(b"HTTP/3.0 200 OK\r\n\r\n"), id="version"),
        pytest.param(raw(HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), id="huge header"),
        pytest.param(raw(HEAD + b"".join(b"X%d: a\r\n" % n for n in range(200)) + b"\r\n"), id="many headers"),
        pytest.param(raw(HEAD + (b"X: " + b"a" * 9000 + b"\r\n") * 20 + b"\r\n"), id="large headers in sum"),
        pytest.param(raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 9000), id="flood of interim answers"),
        pytest.param(raw(HEAD + b"no colon here\r\nContent-Length: 1\r\n\r\nx"), id="malformed header"),
        pytest.param(raw(HEAD + b"Content-Length: -1\r\n\r\n"), id="negative length"),
        pytest.param(raw(HEAD + b"Content-Length: 1_0\r\n\r\n0123456789"), id="odd length"),
        pytest.param(raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12"), id="two lengths"),
        pytest.param(chunked(b"1", headers=b"Content-Length: 1\r\n"), id="length and chunks"),
        pytest.param(raw(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), id="transfer coding"),
        pytest.param(raw(HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)), id="claims too much"),
        pytest.param(chunked(*[b"a" * 1_000_000] * 9), id="too much in chunks"),
        pytest.param(raw(HEAD + b"\r\n", *[b"a" * 1_000_000] * 9), id="too much without a length"),
        pytest.param(chunked(end=b"0\r\n" + b"X: %b\r\n" % (b"y" * 1000) * 20_000), id="flood of trailers"),
        pytest.param(coded(TEXT, "compress"), id="unknown coding"),
        pytest.param(coded(gzip.compress(gzip.compress(TEXT)), "gzip, gzip"), id="two codings"),
        pytest.param(coded(TEXT, "gzip"), id="not gzip"),
        pytest.param(coded(TEXT, "br"), id="not brotli"),
        pytest.param(coded(TEXT, "zstd"), id="not zstd"),
        pytest.param(coded(gzip.compress(TEXT)[:-9], "gzip"), id="gzip without end"),
        pytest.param(coded(gzip.compress(TEXT)[:-8] + bytes(8), "gzip"), id="wrong checksum"),
        pytest.param(coded(gzip.compress(TEXT) + b"tail", "gzip"), id="gzip and more"),
        pytest.param(coded(brotli.compress(TEXT)[:-9], "br"), id="brotli without end"),
        pytest.param(coded(brotli.compress(TEXT) + b"tail", "br"), id="brotli and more"),
        pytest.param(coded(zstd.compress(TEXT)[:-1], "zstd"), id="zstd without end"),
    ],
)
def test_what_is_not_proper_is_a_bad_gateway(exchange: Exchange, odd: Reply) -> None:
    with pytest.raises(BadGateway) as raised:
        exchange(odd)
    assert "127.0.0.1" not in raised.value.detail


@each_row(
    "coding, compress",
    [
        ("gzip", gzip.compress),
        ("GZip", igzip.compress),
        ("x-gzip", lambda body: gzip.compress(body[:99]) + gzip.compress(body[99:])),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstd.compress),
        ("zstd", lambda body: zstd.compress(body[:99]) + zstd.compress(body[99:])),
        ("identity", bytes),
    ],
)
def test_undoes_content_codings(exchange: Exchange, coding: str, compress: Callable[[bytes], bytes]) -> None:
    assert exchange(coded(compress(TEXT), coding)).body == TEXT
    body = compress(TEXT)
    by_chunks = chunked(*(body[at : at + 7] for at in range(0, len(body), 7)), headers=b"Content-Encoding: gzip\r\n")
    if coding == "gzip":
        assert exchange(by_chunks).body == TEXT


def test_an_empty_body_may_claim_any_coding(exchange: Exchange) -> None:
    assert exchange(coded(b"", "gzip")).body == b""


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """512 MiB of nothing in some 500 KiB: the same block again and again, as each begins without a memory of others."""
    packer = zlib.compressobj(9, wbits=31)
    first, again = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 511


@pytest.mark.parametrize("most", [64 << 20, 2 << 30])
def test_a_bomb_is_refused_in_bounded_memory(serve: Serve, bomb: bytes, most: int) -> None:
    """Also where its size alone would be allowed."""
    server = serve(lambda _: coded(bomb, "gzip"))
    transport = HttpTransport(connect_timeout=2, max_body_bytes=most, pool_size=1, telemetry=Telemetry())
    tracemalloc.start()
    try:
        with pytest.raises(BadGateway):
            ask(transport, server.port, seconds=5)
        assert tracemalloc.get_traced_memory()[1] < 80 << 20
    finally:
        tracemalloc.stop()
        transport.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells the memory in use by /proc")
def test_a_claimed_length_costs_no_memory_before_it_comes(serve: Serve) -> None:
    in_use = []

    def claim(connection: socket.socket, over: threading.Event) -> None:
        in_use.append(resident_bytes())
        connection.sendall(HEAD + b"Content-Length: 2000000000\r\n\r\nabc")
        over.wait(0.2)
        in_use.append(resident_bytes())

    server = serve(lambda _: claim)
    transport = HttpTransport(connect_timeout=2, max_body_bytes=2 << 30, pool_size=1, telemetry=Telemetry())
    with pytest.raises(RuntimeUnavailable):
        ask(transport, server.port, seconds=5)
    transport.close()
    assert in_use[1] - in_use[0] < 50 << 20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@each_row(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://no-such-host.invalid/",
        "http://[::1]:1/",
        "http://[zz]/",
        "http://" + "a" * 70 + ".example/",
        "http://127.0.0.1:99999/",
        "http:///nothing",
        "ftp://127.0.0.1/",
        "nonsense",
    ],
)
def test_no_foreign_exception_leaks_for_any_url(transport: HttpTransport, url: str) -> None:
    with pytest.raises(RuntimeTrouble):
        transport.exchange("GET", url, headers={}, deadline=Deadline.after(3), operation="test")


@each_row("value", ["a\r\nX: b", "a\nb", " a", "a\0", "☃", ""])
def test_no_foreign_exception_leaks_for_any_header(serve: Serve, transport: HttpTransport, value: str) -> None:
    server = serve(lambda _: reply())
    try:
        transport.exchange("GET", server.url, headers={"X-A": value}, deadline=Deadline.after(3), operation="test")
    except RuntimeTrouble:
        assert server.requests == []
    assert not [request for request in server.requests if "x" in request.headers]
