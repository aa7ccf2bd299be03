"""The real MLflow servers that tests read, each shared by all processes of a session, and started once.

The fixture ``mlflow_url`` is the way to have one, but for that with accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from testing import mlflow

WITH_WORKSPACES = ("--enable-workspaces",)
GROUP = "group-b"
"""A workspace beside ``default`` on the server of version 3; version 2 has none."""


MLflowURL = Callable[[str], str]
"""The URL of a server of that major version; skips the test where that version is not installed."""


@contextmanager
def real_servers(place: Path) -> Iterator[MLflowURL]:
    """Each is started when it is asked for first, and goes on until the context ends; ``place`` is the session's own."""
    started: dict[str, str] = {}
    with ExitStack() as stack:

        def url(version: str) -> str:
            if mlflow.interpreter(version) is None:
                pytest.skip(f"MLflow {version} is not installed: python -m testing.mlflow")
            if version not in started:
                options = WITH_WORKSPACES if version == "3" else ()
                started[version] = stack.enter_context(
                    mlflow.shared_server(version, place / f"mlflow-{version}", *options)
                )
                if version == "3":
                    _make_workspace(started[version])
            return started[version]

        yield url


def _make_workspace(url: str) -> None:
    made = requests.post(f"{url}/api/3.0/mlflow/workspaces", json={"name": GROUP}, timeout=60)
    assert made.ok or "ALREADY_EXISTS" in made.text, made.text


@contextmanager
def server_with_accounts(place: Path) -> Iterator[str]:
    """The URL of a server with the app ``basic-auth``; its administrator is ``mlflow.ADMINISTRATOR``. Skips as above."""
    if not mlflow.has_accounts(mlflow.WITH_ACCOUNTS):
        pytest.skip("MLflow 3 with its extra auth is not installed: python -m testing.mlflow")
    with mlflow.shared_server(mlflow.WITH_ACCOUNTS, place, "--app-name", "basic-auth", "--workers", "1") as url:
        yield url
