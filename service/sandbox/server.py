"""Serves a sandbox under gunicorn: one process with threads, so that faults and live training are in one place."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from service.sandbox import announcement
from service.sandbox.app import close_sandbox, create_sandbox, parts_of
from service.sandbox.faults import Faults
from service.sandbox.live.training import LiveTraining
from service.sandbox.parts import Client

_THREADS = 32
_GRACE_SECONDS = 1
_ORPHAN_CHECK_SECONDS = 0.5


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
    """The sandbox cannot listen where it was told to."""


def serve(options: Options) -> None:
    """Serve until SIGTERM or Ctrl-C; raises :class:`AddressUnavailable`."""
    listener = _listen(options.host, options.port)
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    if options.exit_with_parent:
        _end_with_parent()
    url = options.public_url or _url(listener)
    _Server(options, url, listener.detach()).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise AddressUnavailable(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _end_with_parent() -> None:
    """Stop as after SIGTERM once the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_ORPHAN_CHECK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class _Server(BaseApplication):
    """``descriptor`` is that of a listening socket, which gunicorn takes over."""

    def __init__(self, options: Options, url: str, descriptor: int) -> None:
        self._options = options
        self._url = url
        self._descriptor = descriptor
        self._stop: Callable[[], None] = lambda: None
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": _THREADS,
            "timeout": 0,
            "graceful_timeout": _GRACE_SECONDS,
            "keepalive": 30,
            "loglevel": "warning",
            "proc_name": "metric-resource-sandbox",
            "control_socket_disable": True,
            "post_worker_init": self._started,
            "worker_exit": self._stopped,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the sandbox; called in the worker."""
        options = self._options
        return create_sandbox(options.data_dir, self._url, client=options.client, faults=options.faults)

    def _started(self, worker: Any) -> None:
        app: Flask = worker.wsgi
        training = LiveTraining(parts_of(app)) if self._options.live else None
        if training is not None:
            training.start()
        self._stop = lambda: _end(app, training)
        if self._options.ready_file is not None:
            announcement.write(self._options.ready_file, announcement.describe(parts_of(app)))

    def _stopped(self, _server: Any, _worker: Any) -> None:
        self._stop()


def _end(app: Flask, training: LiveTraining | None) -> None:
    if training is not None:
        training.stop()
    close_sandbox(app)
