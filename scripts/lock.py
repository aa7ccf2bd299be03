"""Renews the locks in ``requirements/`` from ``pyproject.toml``, with uv: every version, with the hashes of its files.

``--check`` changes nothing and fails where a lock and ``pyproject.toml`` do not agree. A lock holds for every Python
and platform that is supported; nothing in it has to be compiled, but for the extra ``fast``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
_OPTIONS = ["--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]


@dataclass(frozen=True, slots=True)
class Lock:
    """One file of ``requirements/``: what it is for, and the requirements it is made from."""

    name: str
    purpose: str
    requirements: list[str]
    compiled: bool = False
    """Whether installing it may need a compiler."""


def locks(project: dict[str, Any]) -> list[Lock]:
    """All locks; the versions of the others are taken from the first."""
    needed, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    with_demo = [*needed, *extras["charts"], *extras["demo"], *extras["table"]]
    own = f"{project['project']['name']}["
    dev = [requirement for requirement in extras["dev"] if not requirement.startswith(own)]
    return [
        Lock("dev", "the tests and the tools of development", [*with_demo, *extras["tracing"], *dev]),
        Lock(
            "demo",
            "the demo: the service, charts, tables and a Redis-protocol server",
            with_demo,
        ),
        Lock("charts", "the service with charts as pictures", [*needed, *extras["charts"]]),
        Lock("table", "the service with Parquet and Arrow", [*needed, *extras["table"]]),
        Lock("tracing", "the service with traces", [*needed, *extras["tracing"]]),
        Lock("service", "the service alone", needed),
        Lock("bench", "what the benchmark compares tables with, beside one of the others", extras["bench"]),
        Lock("fast", "the C parser, beside one of the others; it has to be compiled", extras["fast"], compiled=True),
        Lock("release", "what checks a release: audit, bill of materials, twine", extras["release"]),
        Lock("build", "what builds the service's own wheel", project["build-system"]["requires"]),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a lock does not match pyproject.toml")
    check = parser.parse_args().check
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    stale = []
    with tempfile.TemporaryDirectory() as directory:
        new = Path(directory)
        for lock in locks(project):
            file = new / f"{lock.name}.txt"
            if check:
                shutil.copy(LOCKS / file.name, file)  # uv keeps the present versions where they still fit
            _compile(lock, file, project["project"]["requires-python"].removeprefix(">="))
            if check and file.read_text() != (LOCKS / file.name).read_text():
                stale.append(file.name)
        if not check:
            LOCKS.mkdir(exist_ok=True)
            for file in new.glob("*.txt"):
                shutil.copy(file, LOCKS / file.name)
    if stale:
        print(
            f"not what pyproject.toml asks for: {', '.join(stale)} in requirements/; run 'make lock'", file=sys.stderr
        )
    return bool(stale)


def _compile(lock: Lock, file: Path, oldest: str) -> None:
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        *_OPTIONS,
        "--python-version",
        oldest,
        "--output-file",
        str(file),
        "-",
    ]
    everything = file.with_name("dev.txt")
    if everything != file and everything.exists():
        command += ["--constraints", str(everything)]
    if not lock.compiled:
        command += ["--no-build"]
    subprocess.run(
        command, input="\n".join(lock.requirements), text=True, check=True, cwd=file.parent, stdout=subprocess.DEVNULL
    )
    title = f"# Locks {lock.purpose}. Made by 'make lock' from pyproject.toml."
    file.write_text(f"{title}\n{file.read_text()}")


if __name__ == "__main__":
    sys.exit(main())
