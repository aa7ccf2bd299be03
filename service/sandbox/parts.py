"""The parts of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from service.sandbox.authorization_codes import Codes
from service.sandbox.database import Database
from service.sandbox.faults import FaultSwitch
from service.sandbox.issuer import Issuer
from service.sandbox.logs import Logs
from service.sandbox.metric_store import MetricStore
from service.sandbox.objects import Objects

EXTENSION = "sandbox"


@dataclass(frozen=True, slots=True)
class Client:
    """The credentials that the runtime's token endpoint accepts."""

    id: str = "sandbox-client"
    secret: str = "sandbox-secret"  # noqa: S105 - opens nothing but a sandbox


@dataclass(frozen=True, slots=True)
class Parts:
    """``public_url`` is where clients reach the sandbox, without a slash at its end."""

    data_dir: Path
    public_url: str
    client: Client
    database: Database
    objects: Objects
    metrics: MetricStore
    logs: Logs
    issuer: Issuer
    faults: FaultSwitch
    most_body_bytes: int
    codes: Codes = field(default_factory=Codes)


def parts() -> Parts:
    """The parts of the application that handles the current request."""
    found: Parts = current_app.extensions[EXTENSION]
    return found
