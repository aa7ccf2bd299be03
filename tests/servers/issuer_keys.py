"""Signing keys of the sandbox's issuer, made once: finding the primes of an RSA key takes up to a second."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path

from service.sandbox import keys


def with_keys(directory: Path, issuer: str = "") -> Path:
    """The data directory of a sandbox, with the keys that all sandboxes of this process have; others for each ``issuer``."""
    place = directory / "keys"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, pem in _made(issuer).items():
        file = place / name
        if not file.exists():
            file.touch(0o600)
            file.write_bytes(pem)
    return directory


@functools.cache
def _made(_issuer: str) -> Mapping[str, bytes]:
    with tempfile.TemporaryDirectory() as directory:
        keys.make(Path(directory))
        return {file.name: file.read_bytes() for file in (Path(directory) / "keys").iterdir()}
