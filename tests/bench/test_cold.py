"""Single reads for the benchmark."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import cold

BODY = bytes(300_000)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/none" else 200)
        if self.path == "/stored":
            self.send_header("Cache-Status", "metric-resource; hit; ttl=10")
        if self.path == "/none":
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_answers_are_read_with_a_length_and_in_chunks() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        for path in ("/whole", "/chunked"):
            assert len(cold.fresh(f"{base}{path}", 2, "token")) == 2
        for path in ("/none", "/stored"):
            with pytest.raises(AssertionError):
                cold.fresh(f"{base}{path}", 1, "token")
        server.shutdown()
