"""The catalogue of tokens that must not hold, by name: forged, broken, stale, and meant for others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tests.unit.auth import confusing, forged, malformed, padded, stale
from tests.unit.auth.key_sets import Bad

KINDS: tuple[Callable[[], Bad], ...] = (
    forged.confusion,
    forged.unsigned,
    forged.psychic,
    forged.edwards,
    forged.keys,
    forged.embedded,
    padded.padded,
    malformed.form,
    malformed.encodings,
    malformed.cuts,
    malformed.credentials,
    confusing.members_of_header,
    confusing.types_of_header,
    confusing.json_text,
    stale.times,
    stale.names,
)


@cache
def of_kind(kind: Callable[[], Bad]) -> dict[str, str]:
    """``Authorization`` fields by name. They are made when they are asked for first: signing takes its time."""
    found: dict[str, str] = {}
    for name, authorization in kind():
        full = f"{kind.__name__}: {name}"
        assert full not in found, full
        found[full] = authorization
    return found


def catalogue() -> dict[str, str]:
    """All of them, each another one."""
    return {name: authorization for kind in KINDS for name, authorization in of_kind(kind).items()}
