"""Locks that only their owner can extend or release.

The check of the owner and what follows it must be one step, so both are scripts that the server runs. Each touches one
key, which is all that a cluster asks of a script.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError


class Script(NamedTuple):
    """Lua source and the SHA-1 under which a server remembers it."""

    source: str
    sha: str


def _script(source: str) -> Script:
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


EXTEND = _script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end"
)
RELEASE = _script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end")


def run(client: Any, script: Script, key: str, *arguments: str | int) -> bool:
    """Whether the script found ``key`` in its owner's hands. A server that restarted is sent the source again."""
    try:
        answer = client.evalsha(script.sha, 1, key, *arguments)
    except NoScriptError:
        answer = client.eval(script.source, 1, key, *arguments)
    return bool(answer == 1)
