"""Builds the sandbox's application."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from service.sandbox import errors
from service.sandbox.database import Database
from service.sandbox.faults import Faults, FaultSwitch
from service.sandbox.issuer import Issuer
from service.sandbox.logs import Logs
from service.sandbox.metric_store import MetricStore
from service.sandbox.objects import Objects
from service.sandbox.parts import EXTENSION, Client, Parts
from service.sandbox.routes import (
    absent,
    artifacts,
    configurations,
    control,
    executions,
    guard,
    login,
    logs,
    meta,
    metrics,
    oauth,
    openid,
    resource_groups,
    scenarios,
)
from service.sandbox.seed import seed

MOST_BODY_BYTES = 16 * 1024 * 1024

_ROUTES = (
    metrics,
    executions,
    logs,
    login,
    configurations,
    artifacts,
    scenarios,
    meta,
    resource_groups,
    absent,
    oauth,
    openid,
    control,
)


def create_sandbox(
    data_dir: Path | str,
    public_url: str,
    *,
    client: Client = Client(),  # noqa: B008 - frozen
    faults: Faults = Faults(),  # noqa: B008 - frozen
    recorded_runs: bool = True,
    most_body_bytes: int = MOST_BODY_BYTES,
) -> Flask:
    """The sandbox as a WSGI application. Close it with :func:`close_sandbox`.

    ``data_dir`` keeps keys and data and is made where it is missing; ``public_url`` is where clients reach the sandbox
    and the issuer of its tokens. ``recorded_runs`` are put in at the first start; request bodies of more than
    ``most_body_bytes`` are refused with 413.
    """
    app = Flask(__name__, static_folder=None)
    # One more than is allowed: a body of unknown length is cut there, and so is seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = most_body_bytes + 1
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = _parts(Path(data_dir), public_url.rstrip("/"), client, faults, most_body_bytes)
    if recorded_runs:
        seed(parts_of(app).database)
    app.before_request(guard.admit)
    errors.register(app)
    for routes in _ROUTES:
        app.register_blueprint(routes.blueprint)
    return app


def parts_of(app: Flask) -> Parts:
    """The parts of a sandbox, for what has no endpoint: bulk loading, minting tokens."""
    parts: Parts = app.extensions[EXTENSION]
    return parts


def close_sandbox(app: Flask) -> None:
    """Close the database."""
    parts_of(app).database.close()


def _parts(data_dir: Path, public_url: str, client: Client, faults: Faults, most_body_bytes: int) -> Parts:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(data_dir / "sandbox.sqlite3")
    return Parts(
        data_dir,
        public_url,
        client,
        database,
        Objects(database),
        MetricStore(database),
        Logs(database),
        Issuer.at(data_dir, public_url),
        FaultSwitch(faults),
        most_body_bytes,
    )
