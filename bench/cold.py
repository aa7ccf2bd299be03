"""Times single reads, one after the other. ``python -m bench.cold URL COUNT TOKEN|requests``: seconds as JSON.

With ``requests`` in place of a token it is the bare fetch that a naive service would begin with (``requests.Session``);
with a token it is a client that wants fresh data and reads the answer into one buffer.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from contextlib import closing
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
    """Seconds of each read of the service, past its cache; a large answer may come in chunks, without a length."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {"Authorization": f"Bearer {token}", "Cache-Control": "no-cache"}
    buffer = bytearray(1024 * 1024)
    took = []
    with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
        for _ in range(1 + count):
            began = time.perf_counter()
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            assert "; hit" not in answer.headers.get("Cache-Status", ""), "it is a stored answer"
            while answer.readinto(buffer):
                pass
            took.append(time.perf_counter() - began)
    return took[1:]


if __name__ == "__main__":
    _url, _count, _token = sys.argv[1:4]
    print(json.dumps(bare(_url, int(_count)) if _token == "requests" else fresh(_url, int(_count), _token)))
