"""The keys of entries in the shared cache, and of their bodies, locks and noted failures."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

_FORMAT = "mr1"
"""The prefix of every key, which changes with the format of what is stored."""


def entry_key(*parts: str) -> str:
    """The name of the entry that ``parts`` describe, from the widest (the kind) to the narrowest (the run)."""
    return entry_keys(*parts[:-1])(*parts[-1:])


def entry_keys(*widest: str) -> Callable[..., str]:
    """A function that names entries by their further parts, where the ``widest`` are the same."""
    common = blake2b(b"".join(map(_framed, widest)), digest_size=20)

    def key(*parts: str) -> str:
        named = common.copy()
        for part in parts:
            named.update(_framed(part))
        return f"{_FORMAT}:{{{named.hexdigest()}}}"

    return key


def _framed(part: str) -> bytes:
    encoded = part.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(4, "big") + encoded


def summary_key(key: str, digest: bytes) -> str:
    """The entry with the summary of the content with that digest."""
    return f"{key}:{digest.hex()}:summary"


def body_key(key: str, digest: bytes) -> str:
    """The body with that digest."""
    return f"{key}:{digest.hex()}"


def rest_key(key: str, digest: bytes) -> str:
    """The key of the parts of a body after the first."""
    return f"{body_key(key, digest)}:rest"


CHANNEL = f"{_FORMAT}:replaced"
"""The channel on which the keys of replaced entries are announced."""


def lock_key(key: str) -> str:
    """The lease for fetching an entry."""
    return f"{key}:lock"


def refresh_key(key: str) -> str:
    """The lock that spaces forced refreshes of an entry."""
    return f"{key}:refresh"


def failure_key(key: str) -> str:
    """The last failed fetch of an entry."""
    return f"{key}:failure"
