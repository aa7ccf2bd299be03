"""Steps as whole numbers, exactly."""

from __future__ import annotations

from functools import lru_cache

from service.domain import points

_REMEMBERED = 65_536


@lru_cache(_REMEMBERED)
def step(literal: bytes) -> int | None:
    """The number that a step's literal stands for, ``1.0`` and ``1e3`` too; ``None`` for ``null``."""
    try:
        return int(literal)
    except ValueError:
        return None if literal == points.NULL else int(points.exact(literal))
