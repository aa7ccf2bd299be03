"""``metric-resource serve``: the HTTP interface under gunicorn."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from service.auth.tokens import longest_field
from service.cli import configuration
from service.server.limits import Limits
from service.server.worker import configured_worker
from service.settings import Settings, risks
from service.telemetry import json_logs, shared_metrics
from service.telemetry.trace_options import is_installed

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the workers' heartbeat files, in memory
_log = logging.getLogger("service.server")
_FIELD_BYTES = 32768
"""The longest header field, in bytes; more where the configuration allows longer tokens."""
_SCRIPT_NAME = "SCRIPT_NAME"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bind", help="address to listen on, instead of HOST and PORT: host:port or unix:path")


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped; exit status 1 where the configuration is invalid."""
    settings = configuration.settings()
    if settings is None:
        return 1
    json_logs.configure(settings.server.log_level)
    for risk in risks(settings):
        _log.warning("%s", risk, extra={"event": "configuration"})
    master = os.getpid()
    try:
        shared = _share_metrics(settings)
    except OSError as error:
        print(f"{shared_metrics.VARIABLE}: not a usable directory: {error.strerror}", file=sys.stderr)
        return 1
    _load(settings)
    try:
        Server(settings, arguments.bind).run()
    finally:
        if shared is not None and os.getpid() == master:  # not in the workers, which run this too when they exit
            shutil.rmtree(shared, ignore_errors=True)
    return 0


def _load(settings: Settings) -> None:
    """Import the application once for all workers, so that a new one is there at once. This waits until it is known how
    metrics are shared: the metrics library looks at that when it is imported.

    Nothing of it is garbage. Frozen, its pages stay the workers' common ones: their collectors do not write into them.
    """
    gc.disable()
    if settings.tracing.wanted and is_installed():
        import_module("service.telemetry.tracing")
    if settings.cache.redis_url is not None:
        import_module("service.caching.redis.cache")
    import_module("service.app")
    gc.freeze()
    gc.enable()


class Server(BaseApplication):
    """gunicorn with threads, its C parser where that is installed, and limits that suit reading with bearer tokens."""

    def __init__(self, settings: Settings, bind: str | None = None) -> None:
        self._settings = settings
        self._bind = bind or f"{settings.server.host}:{settings.server.port}"
        super().__init__()

    def load_config(self) -> None:
        server = self._settings.server
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": server.workers,
            "worker_class": configured_worker(Limits(least_rate=server.min_send_rate), has_answers_at_hand=True),
            "threads": server.threads,
            "worker_connections": 2000,
            "http_parser": "auto",
            "keepalive": 30,
            "timeout": 60,
            "graceful_timeout": int(max(named.runtime.timeout for named in self._settings.named)) + 20,
            "limit_request_line": 8190,
            "limit_request_field_size": max(_FIELD_BYTES, longest_field(self._settings.auth.max_token_bytes) + 64),
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "logger_class": "service.server.gunicorn_log.Logger",
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
    """The path prefix below which the service is served as well as at the root (``SCRIPT_NAME``).

    gunicorn's own handling of it would refuse requests without the prefix, such as the platform's probes.
    """
    segments = os.environ.pop(_SCRIPT_NAME, "").strip("/")
    return f"/{segments}".encode().decode("latin-1") if segments else ""


def _share_metrics(settings: Settings) -> str | None:
    """Share metrics between the workers by a directory; returns it where it has to be removed at exit.

    A configured directory is cleared of metrics first: those of a killed master would stay for ever. Raises
    ``OSError`` where it cannot be.
    """
    if given := os.environ.pop(shared_metrics.VARIABLE, ""):
        _forget_all_metrics(Path(given))
        os.environ[shared_metrics.VARIABLE] = given
        return None
    if settings.server.workers == 1:
        return None
    directory = tempfile.mkdtemp(prefix="metric-resource-metrics-")
    os.environ[shared_metrics.VARIABLE] = directory
    return directory


def _forget_all_metrics(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        if file.is_file() or file.is_symlink():
            file.unlink(missing_ok=True)


def _close(_server: Any, worker: Any) -> None:
    """Close the worker's application once its requests are answered: connections, threads, leases."""
    from service.app import close  # noqa: PLC0415 - in the worker, as in ``load``

    if worker.wsgi is not None:
        close(worker.wsgi)


def _forget_metrics(_server: Any, worker: Any) -> None:
    if shared_metrics.directory() is not None:
        from prometheus_client import multiprocess  # noqa: PLC0415 - after the variable is set

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
