"""The catalogue of tokens that must not hold, by name: forged, broken, stale, and meant for others."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.auth import confusing, forged, malformed, padded, stale
from tests.unit.auth.key_sets import Bad


def catalogue() -> dict[str, str]:
    """``Authorization`` fields by name, each another one."""
    sources: list[Callable[[], Bad]] = [
        forged.confusion,
        forged.unsigned,
        forged.psychic,
        forged.edwards,
        forged.keys,
        forged.embedded,
        padded.padded,
    ]
    sources += [malformed.form, malformed.encodings, malformed.cuts, malformed.credentials]
    sources += [confusing.members_of_header, confusing.types_of_header, confusing.json_text, stale.times, stale.names]
    found: dict[str, str] = {}
    for source in sources:
        for name, authorization in source():
            full = f"{source.__name__}: {name}"
            assert full not in found, full
            found[full] = authorization
    return found
