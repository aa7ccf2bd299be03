"""What an exchange brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``headers`` go by name regardless of case; ``body`` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
