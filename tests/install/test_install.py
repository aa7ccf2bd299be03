"""``scripts/install.py`` on machines that are not as they should be; nothing is fetched here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install.py"
BASE = [str(Path(sys.base_prefix) / "bin" / "python3")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose locks are missing, so that every install ends before anything is fetched."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def install(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*BASE, str(checkout / "scripts" / "install.py"), "demo", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def has_pip(checkout: Path) -> bool:
    command = [str(checkout / ".venv" / "bin" / "python"), "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_python_without_ensurepip_is_reported_with_its_cure(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    done = install(checkout, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "lacks the modules venv and ensurepip" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    stale = checkout / ".venv" / "bin"
    stale.mkdir(parents=True)
    (stale / "python").symlink_to("/nowhere/python3.9")
    (stale.parent / "demo").write_text("of the environment that is gone")
    done = install(checkout)
    assert "Recreating .venv" in done.stdout
    assert has_pip(checkout)
    assert done.returncode != 0  # the locks are missing; what was not installed must not count as installed
    assert not (stale.parent / "demo").exists()


@pytest.mark.slow
def test_an_environment_without_pip_is_given_it(checkout: Path) -> None:
    subprocess.run([*BASE, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True)
    assert not has_pip(checkout)
    (checkout / ".venv" / "kept").touch()
    install(checkout)
    assert has_pip(checkout)
    assert (checkout / ".venv" / "kept").exists()


def test_an_environment_that_was_moved_here_is_made_anew(checkout: Path, tmp_path: Path) -> None:
    subprocess.run([*BASE, "-m", "venv", "--without-pip", str(tmp_path / "elsewhere")], check=True)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(tmp_path / "elsewhere" / "bin" / "python")
    command = [*BASE, str(checkout / "scripts" / "install.py"), "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as installing:
        assert installing.stdout is not None
        try:
            assert "Recreating .venv" in installing.stdout.readline()
        finally:  # how one is made is tried above, and takes seconds
            os.killpg(installing.pid, signal.SIGKILL)
