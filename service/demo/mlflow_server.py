"""An MLflow tracking server in its own virtual environment, which keeps MLflow's many dependencies out of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

NEWEST = ("mlflow>=3,<4",)
NEWEST_2 = ("mlflow>=2,<3", "sqlalchemy<2.1")
"""MLflow 2 does not start with a later SQLAlchemy."""
_DONE = "installed"


def cache_directory() -> Path:
    """The directory that environments are kept in between starts (XDG Base Directory Specification)."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "metric-resource-service"


def python_of(directory: Path, requirements: Sequence[str]) -> Path | None:
    """The interpreter of the environment in ``directory``, if the requirements were installed there."""
    done = directory / _DONE
    return _python(directory) if done.is_file() and done.read_text() == "\n".join(requirements) else None


def install(directory: Path, requirements: Sequence[str]) -> Path:
    """Install the requirements into a new environment in ``directory``, unless they are there; its interpreter.

    By ``uv`` where there is one, else by ``pip``, whose progress goes to this process's standard error. Raises
    ``OSError`` or ``CalledProcessError`` where that cannot be done.
    """
    found = python_of(directory, requirements)
    if found is not None:
        return found
    shutil.rmtree(directory, ignore_errors=True)
    venv.create(directory, with_pip=_uv() is None)
    python = _python(directory)
    add(python, requirements)
    (directory / _DONE).write_text("\n".join(requirements))
    return python


def add(python: Path, requirements: Sequence[str]) -> None:
    """Install the requirements into an environment. Raises as ``install`` does."""
    uv = _uv()
    by_uv = [str(uv), "pip", "install", "--python", str(python)]
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"] if uv is None else by_uv
    subprocess.run([*command, *requirements], check=True, stdout=sys.stderr)


def command(python: Path, data: Path, port: int, *more: str) -> list[str]:
    """The command of a server on 127.0.0.1 with a SQLite store in the directory ``data``."""
    place = [
        "--backend-store-uri",
        f"sqlite:///{data / 'mlflow.db'}",
        "--default-artifact-root",
        str(data / "artifacts"),
    ]
    address = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return [str(python), "-m", "mlflow", "server", *place, *address, *more]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server or client: no telemetry, and no processes for jobs."""
    clean = {name: value for name, value in given.items() if not name.startswith(("MLFLOW_", "PYTHON"))}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**clean, **quiet, "GIT_PYTHON_REFRESH": "quiet"}


def _uv() -> str | None:
    return shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)


def _python(directory: Path) -> Path:
    return directory / "bin" / "python"
