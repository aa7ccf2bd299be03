"""Installs the service into ``.venv`` from the locks in ``requirements/``: ``scripts/install.py dev`` or ``demo``.

Creates ``.venv`` where it is missing, or no longer works. Does nothing where everything was installed from these locks
before. Needs only the standard library; ``make`` calls it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
_PYTHON = VENV / "bin" / "python"
_LOCKS = ROOT / "requirements"
_PIP = [str(_PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "on"]
_CONTAINED_IN = {"demo": ("demo", "dev"), "dev": ("dev",)}
_PROBE = """
import sys
from importlib.util import find_spec
print(sys.prefix, "%d.%d" % sys.version_info[:2], find_spec("pip") is not None, sep="\\n")
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(_CONTAINED_IN))
    parser.add_argument("--this-python", action="store_true", help="recreate .venv where it has another version")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python make was given
        return _refuse(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    if not _make_venv(this_version=arguments.this_python):
        return 1
    if any(_is_current(name) for name in _CONTAINED_IN[arguments.what]):
        return 0
    print(f"Installing the service into .venv, from requirements/{arguments.what}.txt ...", flush=True)
    locks = [option for name in ("build", arguments.what) for option in ("-r", str(_LOCKS / f"{name}.txt"))]
    for command in (
        [*_PIP, "--require-hashes", *locks],
        [*_PIP, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],  # builds with the locked setuptools
    ):
        status = subprocess.run(command, check=False).returncode
        if status:
            return status
    _stamp(arguments.what).write_text(_digest(arguments.what))
    return 0


def _make_venv(*, this_version: bool) -> bool:
    """Make sure of a working virtual environment with pip; whether there is one now."""
    probe = _probe()
    if probe is not None:
        prefix, version, has_pip = probe
        if (
            Path(prefix).resolve() == VENV.resolve()
            and _new_enough(version)
            and not (this_version and version != _version())
        ):
            return has_pip or _with_ensurepip([str(_PYTHON), "-m", "ensurepip"], str(_PYTHON))
    if VENV.is_dir():
        print("Recreating .venv: the existing one does not work, or has another Python.", flush=True)
    return _with_ensurepip([sys.executable, "-m", "venv", "--clear", str(VENV)], sys.executable)


def _probe() -> tuple[str, str, bool] | None:
    """Prefix and version of the Python in ``.venv``, and whether it has pip; ``None`` where none runs."""
    try:
        done = subprocess.run([_PYTHON, "-c", _PROBE], capture_output=True, text=True, check=True, cwd=VENV)
        prefix, version, has_pip = done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return prefix, version, has_pip == "True"


def _with_ensurepip(command: list[str], python: str) -> bool:
    if not (find_spec("venv") and find_spec("ensurepip")):
        _refuse(
            f"{python} lacks the modules venv and ensurepip, which make .venv. On Debian and Ubuntu they are a package "
            "of their own: apt-get install python3-venv"
        )
        return False
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        _refuse(f".venv could not be made: {' '.join(command)} failed with exit status {done.returncode}.")
    return done.returncode == 0


def _version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _new_enough(version: str) -> bool:
    major, minor = version.split(".")
    return (int(major), int(minor)) >= (3, 11)


def _stamp(name: str) -> Path:
    return VENV / name


def _digest(name: str) -> str:
    files = (ROOT / "pyproject.toml", _LOCKS / "build.txt", _LOCKS / f"{name}.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _is_current(name: str) -> bool:
    try:
        return _stamp(name).read_text() == _digest(name)
    except OSError:
        return False


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main())
