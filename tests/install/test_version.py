"""The version comes from the tag, and whatever is built without one still has a version."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import warnings
from pathlib import Path

import pytest
from packaging.version import Version
from setuptools_scm import get_version

from scripts.lock import ROOT
from service.api.openapi.document import CONTRACT_VERSION

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILES = ("pyproject.toml", ".git_archival.txt", ".gitattributes")
OURSELVES = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(directory: Path, *arguments: str) -> bytes:
    environment = {**os.environ, **OURSELVES, **ALONE}
    return subprocess.run(["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True).stdout


def version(directory: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a clone is shallow, that there is no tag
        return str(get_version(root=str(directory), dist_name="x", **PROJECT["tool"]["setuptools_scm"]))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A commit of what says the version."""
    made = tmp_path / "checkout"
    made.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, made)
    git(made, "init", "-q")
    git(made, "add", ".")
    git(made, "commit", "-qm", "first")
    return made


def exported(checkout: Path, target: Path) -> Path:
    """As a forge gives a commit as an archive."""
    with tarfile.open(fileobj=io.BytesIO(git(checkout, "archive", "HEAD"))) as tar:
        tar.extractall(target, filter="data")
    return target


def test_a_tag_is_the_version_and_what_follows_it_is_none_that_was_released(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    assert version(checkout) == "1.2.3"
    assert version(exported(checkout, tmp_path / "archive")) == "1.2.3"
    git(checkout, "commit", "-qm", "second", "--allow-empty")
    assert re.fullmatch(r"1\.2\.4\.dev1\+g[0-9a-f]+", version(checkout))


def test_without_tags_or_without_git_there_is_a_version_all_the_same(checkout: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", checkout.as_uri(), "shallow")
    copy = tmp_path / "copy"  # a build's context, say
    shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git"))
    assert version(copy) == "0.1.0.dev0"
    for built in (checkout, tmp_path / "shallow"):
        assert version(built).startswith("0.1.0.dev")
    assert Version(version(exported(checkout, tmp_path / "archive"))) < Version("0.1.0")


def test_the_image_is_given_the_version_that_its_context_does_not_say(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (given,) = re.findall(r'(\w+)="\$\{VERSION#v\}"', (ROOT / "Dockerfile").read_text())
    monkeypatch.setenv(given, "")
    assert version(checkout).startswith("0.1.0.dev")
    monkeypatch.setenv(given, "1.2.3")
    assert version(checkout) == "1.2.3"


def test_the_contracts_version_is_its_own() -> None:
    """A document that changed with each commit could not be committed."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", CONTRACT_VERSION)
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
