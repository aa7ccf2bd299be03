"""Times single reads, one after the other. ``python -m bench.cold URL COUNT TOKEN|-``: seconds as JSON.

With ``requests`` in place of a token it is the bare fetch that a naive service would begin with (``requests.Session``);
with a token it is a client that wants fresh data and reads the answer into one buffer.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from urllib.parse import urlsplit

import requests


def bare(url: str, count: int) -> list[float]:
    """Seconds of each fetch through one session."""
    session = requests.Session()
    took: list[float] = []
    session.get(url, timeout=60)  # connects, and makes the heap grow
    for _ in range(count):
        began = time.perf_counter()
        answer = session.get(url, timeout=60)
        assert answer.status_code == 200
        assert answer.content
        took.append(time.perf_counter() - began)
    return took


def fresh(url: str, count: int, token: str) -> list[float]:
    """Seconds of each read of the service, past its cache."""
    parts = urlsplit(url)
    head = (
        f"GET {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nCache-Control: no-cache\r\n\r\n"
    ).encode()
    took = []
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as connection:
        for _ in range(1 + count):
            began = time.perf_counter()
            connection.sendall(head)
            _drain(connection)
            took.append(time.perf_counter() - began)
    return took[1:]


def _drain(connection: socket.socket) -> None:
    buffer = bytearray(1024 * 1024)
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        assert piece, "the service closed the connection"
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head[:200]
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(body)
    while left > 0:
        count = connection.recv_into(buffer)
        assert count, "the answer ended early"
        left -= count


if __name__ == "__main__":
    _url, _count, _token = sys.argv[1:4]
    print(json.dumps(bare(_url, int(_count)) if _token == "requests" else fresh(_url, int(_count), _token)))
