"""Names of stored entries.

Each part is hashed with its length, so that no characters in a tenant, resource group or run id can make two different
entries share a name. The name stands in braces: Redis Cluster keeps everything of one entry in one slot.
"""

from __future__ import annotations

from hashlib import blake2b

_FORMAT = "mr1"


def entry_key(*parts: str) -> str:
    """The name of the entry that ``parts`` describe, from the widest (the kind) to the narrowest (the run)."""
    digest = blake2b(digest_size=20)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return f"{_FORMAT}:{{{digest.hexdigest()}}}"


def body_key(key: str, digest: bytes) -> str:
    return f"{key}:{digest.hex()}"


def rest_key(key: str, digest: bytes) -> str:
    """Where the parts of a body behind its first one are."""
    return f"{body_key(key, digest)}:rest"


def lock_key(key: str) -> str:
    return f"{key}:lock"


def refresh_key(key: str) -> str:
    return f"{key}:refresh"


def failure_key(key: str) -> str:
    return f"{key}:failure"
