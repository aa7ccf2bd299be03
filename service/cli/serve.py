"""``metric-resource serve``: the HTTP interface under gunicorn."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from service.cli import configured
from service.settings import Settings
from service.telemetry import logs

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where workers tell that they are alive, without a disk to wait for
_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_SCRIPT_NAME = "SCRIPT_NAME"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bind", help="address to listen on, instead of HOST and PORT: host:port or unix:path")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; 1 where the configuration is not right."""
    settings = configured.settings()
    if settings is None:
        return 1
    logs.configure(settings.server.log_level)
    master = os.getpid()
    shared = _share_metrics(settings)
    import_module("service.app")  # once for all workers, so that a new one is there at once; not before it is known
    try:  # how metrics are shared, which the metrics library looks at when it is loaded
        Server(settings, arguments.bind).run()
    finally:
        if shared is not None and os.getpid() == master:  # workers, forked in between, come by here as they end
            shutil.rmtree(shared, ignore_errors=True)
    return 0


class Server(BaseApplication):
    """gunicorn with threads, its C parser, and limits that suit reading with bearer tokens."""

    def __init__(self, settings: Settings, bind: str | None = None) -> None:
        self._settings = settings
        self._bind = bind or f"{settings.server.host}:{settings.server.port}"
        super().__init__()

    def load_config(self) -> None:
        server = self._settings.server
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": server.workers,
            "worker_class": "service.cli.worker.Worker",
            "threads": server.threads,
            "worker_connections": 1000 + server.threads,
            "http_parser": "auto",
            "keepalive": 30,
            "timeout": 60,
            "graceful_timeout": int(self._settings.runtime.timeout) + 20,
            "limit_request_line": 8190,
            "limit_request_field_size": 32768,
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "logger_class": "service.cli.worker.Logger",
            "loglevel": server.log_level.lower(),
            "proc_name": "metric-resource",
            "worker_exit": _close,
            "child_exit": _forget_metrics,
        }
        if _SHARED_MEMORY.is_dir():
            options["worker_tmp_dir"] = str(_SHARED_MEMORY)
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in the worker."""
        from service.app import create_app  # noqa: PLC0415 - after PROMETHEUS_MULTIPROC_DIR is set, and after the fork

        app = create_app(self._settings)
        prefix = _prefix()
        if prefix:
            app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {prefix: app.wsgi_app})  # type: ignore[method-assign]
        return app


def _prefix() -> str:
    """The path that the environment's ``SCRIPT_NAME`` mounts the service below, beside the root.

    It is taken from the environment, since gunicorn refuses every request elsewhere: the platform's probes, say.
    """
    segments = os.environ.pop(_SCRIPT_NAME, "").strip("/")
    return f"/{segments}".encode().decode("latin-1") if segments else ""


def _share_metrics(settings: Settings) -> str | None:
    """Have the workers put their metrics where each of them can give the sum."""
    if settings.server.workers == 1 or _METRICS_DIRECTORY in os.environ:
        return None
    directory = tempfile.mkdtemp(prefix="metric-resource-metrics-")
    os.environ[_METRICS_DIRECTORY] = directory
    return directory


def _close(_server: Any, worker: Any) -> None:
    """End what the worker's application began, once its requests are answered: connections, threads, leases."""
    from service.app import close  # noqa: PLC0415 - in the worker, as in ``load``

    if worker.wsgi is not None:
        close(worker.wsgi)


def _forget_metrics(_server: Any, worker: Any) -> None:
    if _METRICS_DIRECTORY in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415 - after the variable is set

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
