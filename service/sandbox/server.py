"""Serves a sandbox: one process with a thread for each connection, so faults and live training are in one place."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from service.sandbox import announcement
from service.sandbox.app import close_sandbox, create_sandbox, parts_of
from service.sandbox.faults import Faults
from service.sandbox.live.training import LiveTraining
from service.sandbox.parts import Client

_CHECK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve. ``public_url`` is made from the address where it is not given; a ``port`` of 0 takes a free one."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    client: Client = field(default_factory=Client)
    faults: Faults = field(default_factory=Faults)
    live: bool = False
    ready_file: Path | None = None
    exit_with_parent: bool = False


class AddressUnavailable(Exception):
    """The sandbox cannot listen on that address."""


def serve(options: Options) -> None:
    """Serve until SIGTERM or Ctrl-C; raises :class:`AddressUnavailable`. Call it in the main thread."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()
    with running(options) as app:
        if options.ready_file is not None:
            announcement.write(options.ready_file, announcement.describe(parts_of(app)))
        while not ended.wait(_CHECK_SECONDS):
            if options.exit_with_parent and os.getppid() != parent:
                return


@contextmanager
def running(options: Options) -> Iterator[Flask]:
    """A sandbox that serves in threads of this process until the context ends; ``parts_of`` it has its URL.

    Raises :class:`AddressUnavailable`. Requests in hand are not waited for when it ends.
    """
    with ExitStack() as ending:
        listener = ending.enter_context(_listen(options.host, options.port))
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
        url = options.public_url or _url(listener)
        app = create_sandbox(options.data_dir, url, client=options.client, faults=options.faults)
        ending.callback(close_sandbox, app)
        ending.enter_context(_answering(app, listener))
        if options.live:
            ending.enter_context(LiveTraining(parts_of(app)))
        yield app


@contextmanager
def _answering(app: Flask, listener: socket.socket) -> Iterator[None]:
    host, port = listener.getsockname()[:2]
    server = make_server(host, port, app, threaded=True, request_handler=_Handler, fd=listener.fileno())
    thread = threading.Thread(target=_serve, args=(server,), name="sandbox", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _serve(server: BaseWSGIServer) -> None:
    server.serve_forever(poll_interval=_CHECK_SECONDS)


class _Handler(WSGIRequestHandler):
    """Keeps connections open, sends what it has at once, and logs nothing but what went wrong."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are not logged."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise AddressUnavailable(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
