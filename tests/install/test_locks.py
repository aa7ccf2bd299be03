"""The locks in ``requirements/``: they agree with ``pyproject.toml``, have hashes, and name no place to install from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import LOCKS, ROOT, locks
from tests.rows import each_row

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ALL = {lock.name: lock for lock in locks(PROJECT)}
ENTRY = re.compile(r"^([\w.-]+==\S+(?: ; [^\\\n]+)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def pinned(name: str) -> list[Requirement]:
    return [Requirement(text) for text, _ in ENTRY.findall((LOCKS / f"{name}.txt").read_text())]


def on(python: str) -> dict[str, str]:
    return {**dict[str, Any](default_environment()), "python_version": python, "python_full_version": f"{python}.9"}


@each_row("python", PYTHONS)
@each_row("name", ALL)
def test_every_requirement_is_met_by_one_version_of_its_lock(name: str, python: str) -> None:
    environment = on(python)
    versions: dict[str, str] = {}
    for pin in pinned(name):
        if pin.marker is None or pin.marker.evaluate(environment):
            assert canonicalize_name(pin.name) not in versions
            versions[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    for text in ALL[name].requirements:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate(environment):
            assert needed.specifier.contains(versions[canonicalize_name(needed.name)]), needed


def test_there_is_no_lock_but_those_that_are_made() -> None:
    assert {file.stem for file in LOCKS.iterdir()} == set(ALL)


@each_row("name", ALL)
def test_it_consists_of_versions_with_hashes_and_of_comments(name: str) -> None:
    rest = ENTRY.sub("", (LOCKS / f"{name}.txt").read_text())
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []
    assert "://" not in rest


@each_row("name", sorted({"service", "charts", "table", "demo"}))
def test_what_is_developed_with_is_what_is_shipped(name: str) -> None:
    assert {str(pin) for pin in pinned(name)} <= {str(pin) for pin in pinned("dev")}


def test_majors_whose_private_parts_are_used_are_bounded() -> None:
    needed = {Requirement(text).name: Requirement(text).specifier for text in PROJECT["project"]["dependencies"]}
    for name in ("gunicorn", "redis", "urllib3", "requests", "flask-smorest"):
        assert any(bound.operator == "<" for bound in needed[name]), name


def test_nothing_that_is_needed_has_to_be_compiled() -> None:
    compiled = {Requirement(text).name for lock in ALL.values() if lock.compiled for text in lock.requirements}
    assert compiled == {"gunicorn_h1c"}
    for name in set(ALL) - {"fast"}:
        assert not {pin.name.replace("-", "_") for pin in pinned(name)} & compiled


def test_the_image_is_built_from_locks_that_are_there() -> None:
    default = re.search(r'^ARG LOCKS="([\w ]+)"$', Path(ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert default is not None
    assert set(default[1].split()) <= set(ALL)
