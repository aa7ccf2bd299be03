"""The real MLflow servers that tests read, each shared by all processes of a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from testing import mlflow

WITH_WORKSPACES = ("--enable-workspaces",)
GROUP = "group-b"
"""A workspace beside ``default`` on the server of version 3; version 2 has none."""


@contextmanager
def real_server(version: str, place: Path) -> Iterator[str]:
    """The URL of a server of that major version; ``place`` is the calling test's temporary directory.

    Skips the test where that version is not installed.
    """
    if mlflow.interpreter(version) is None:
        pytest.skip(f"MLflow {version} is not installed: python -m testing.mlflow")
    shared = next(parent for parent in place.parents if parent.name.startswith("pytest-") and parent.name[7:].isdigit())
    with mlflow.shared_server(
        version, shared / f"mlflow-{version}", *(WITH_WORKSPACES if version == "3" else ())
    ) as url:
        if version == "3":
            made = requests.post(f"{url}/api/3.0/mlflow/workspaces", json={"name": GROUP}, timeout=60)
            assert made.ok or "ALREADY_EXISTS" in made.text, made.text
        yield url


@contextmanager
def server_with_accounts(place: Path) -> Iterator[str]:
    """The URL of a server with the app ``basic-auth``; its administrator is ``mlflow.ADMINISTRATOR``. Skips as above."""
    if not mlflow.has_accounts(mlflow.WITH_ACCOUNTS):
        pytest.skip("MLflow 3 with its extra auth is not installed: python -m testing.mlflow")
    with mlflow.shared_server(mlflow.WITH_ACCOUNTS, place, "--app-name", "basic-auth", "--workers", "1") as url:
        yield url
