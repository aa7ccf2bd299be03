"""The images that the container files name: the same bytes today and in a year."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"(?:\bimage: |^ARG \w*IMAGE=|:-)\$?\{?(?:\w+:-)?([a-z][^\s{}]*:[^\s{}]+)", re.MULTILINE)
_BY_DIGEST = re.compile(r"[a-z/]+:[0-9][0-9.]*-[a-z]+@sha256:[0-9a-f]{64}")


def _images(file: str) -> list[str]:
    return _NAMED.findall((ROOT / file).read_text())


def test_every_image_is_named_by_tag_and_digest() -> None:
    images = _images("Dockerfile") + _images("docker-compose.yml")
    assert [len(_images(file)) for file in ("Dockerfile", "docker-compose.yml")] == [2, 4]
    assert [image for image in images if not _BY_DIGEST.fullmatch(image)] == []
    assert len({image for image in images if image.startswith("python:")}) == 1, "one Python in both files"


def test_what_renews_the_build_arguments_finds_them() -> None:
    """Renovate's regular expressions are JavaScript's, which write a named group without the P."""
    (manager,) = json.loads((ROOT / ".github/renovate.json").read_text())["customManagers"]
    (pattern,) = manager["matchStrings"]
    found = re.finditer(pattern.replace("(?<", "(?P<"), (ROOT / "docker-compose.yml").read_text())
    python = next(image for image in _images("Dockerfile") if image.startswith("python:"))
    assert [f"{one['depName']}:{one['currentValue']}@{one['currentDigest']}" for one in found] == [python] * 2
