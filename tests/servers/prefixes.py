"""Proxies that take a path prefix away: a small one, and nginx as it comes from Debian."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from testing.ports import free_port
from testing.waiting import eventually
from tests.servers.serving import served

PREFIX = "/metrics-api"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
_NGINX = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/bodies;
    proxy_temp_path {directory}/answers;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location {prefix}/ {{
            proxy_pass http://127.0.0.1:{upstream}/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@contextmanager
def stripping(upstream: int) -> Iterator[str]:
    """The URL below which a proxy answers for the server on port ``upstream``, bytes and headers untouched."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement

        def do_GET(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            with closing(http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)) as connection:
                connection.putrequest(self.command, self.path[len(PREFIX) :], skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        connection.putheader(name, value)
                connection.endheaders()
                self._pass_on(connection.getresponse())

        def _pass_on(self, answer: http.client.HTTPResponse) -> None:
            """Pass bytes on as they come: an event stream has no end."""
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP | {"date", "server"}:
                    self.send_header(name, value)
            if answer.length is None:
                self.send_header("Connection", "close")
            self.end_headers()
            with suppress(ConnectionError):  # the client has left
                while part := answer.read1(65536):
                    self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def has_nginx() -> bool:
    return shutil.which("nginx") is not None


@contextmanager
def nginx(upstream: int, directory: Path) -> Iterator[str]:
    """The same with nginx, which writes below ``directory`` only."""
    directory.mkdir()
    port, configuration = free_port(), directory / "nginx.conf"
    configuration.write_text(_NGINX.format(directory=directory, port=port, upstream=upstream, prefix=PREFIX))
    command = ["nginx", "-p", str(directory), "-c", str(configuration), "-e", str(directory / "error.log")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (directory / "error.log").read_text()
        yield f"http://127.0.0.1:{port}{PREFIX}"
    finally:
        process.terminate()
        process.wait(20)
