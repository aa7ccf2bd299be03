"""Real MLflow servers, one of each major version, shared by all processes of a test session.

``python -m testing.mlflow`` installs what they need, each into an environment of its own in the user's cache.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from service.demo import mlflow_server
from testing.ports import free_port
from testing.waiting import eventually

REQUIREMENTS: dict[str, Sequence[str]] = {"2": mlflow_server.NEWEST_2, "3": mlflow_server.NEWEST}
WITH_ACCOUNTS = "3"
_FOR_ACCOUNTS = ("Flask-WTF<2",)
"""What MLflow's app ``basic-auth`` needs (its extra ``auth``)."""
ADMINISTRATOR = ("admin", "a password of the tests")
_FOR_THE_APP = {
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the tests, and of nothing else",
    "MLFLOW_AUTH_ADMIN_PASSWORD": ADMINISTRATOR[1],
}
"""Of ``basic-auth``; other servers do not look at it."""
_PATIENCE = 180.0
"""Seconds that a server may take to start: its first import alone takes many on a busy machine."""


def directory(version: str) -> Path:
    """Where the environment of that major version is."""
    return mlflow_server.cache_directory() / f"mlflow-{version}"


def interpreter(version: str) -> Path | None:
    """Its interpreter; ``None`` where it is not installed."""
    return mlflow_server.python_of(directory(version), REQUIREMENTS[version])


def has_accounts(version: str) -> bool:
    """Whether a server of that version can be started with the app ``basic-auth``."""
    installed = directory(version).glob("lib/python*/site-packages/flask_wtf")
    return interpreter(version) is not None and any(installed)


@contextmanager
def shared_server(version: str, place: Path, *more: str) -> Iterator[str]:
    """The URL of a server; the first process with that ``place`` starts it, and the last one to leave stops it."""
    place.mkdir(parents=True, exist_ok=True)
    users = place / "users"
    users.mkdir(exist_ok=True)
    mine = users / str(os.getpid())
    with _locked(place):
        if not any(users.iterdir()):
            _start(version, place, *more)
        mine.touch()
    try:
        yield (place / "url").read_text()
    finally:
        with _locked(place):
            mine.unlink()
            if not any(users.iterdir()):
                os.killpg(int((place / "group").read_text()), signal.SIGKILL)


def _start(version: str, place: Path, *more: str) -> None:
    python = interpreter(version)
    assert python is not None, f"MLflow {version} is not installed: python -m testing.mlflow"
    port = free_port()
    command = mlflow_server.command(python, place, port, *more)
    started = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'echo $$; "$@" >server.log 2>&1 &',
            "sh",
            *command,
        ],  # the server outlives the process that started it
        cwd=place,
        env={**mlflow_server.environment(os.environ), **_FOR_THE_APP},
        start_new_session=True,
        capture_output=True,
        check=True,
    )
    url = f"http://127.0.0.1:{port}"
    (place / "group").write_bytes(started.stdout)
    (place / "url").write_text(url)

    def is_up() -> bool:
        return requests.get(f"{url}/health", timeout=10).ok

    eventually(is_up, _PATIENCE)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    for version, requirements in REQUIREMENTS.items():
        python = mlflow_server.install(directory(version), requirements)
        print(python)  # noqa: T201 - a command
        if version == WITH_ACCOUNTS and not has_accounts(version):
            mlflow_server.add(python, _FOR_ACCOUNTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
