"""What the server has to do in one step, as scripts that it runs.

Locks that only their owner can extend or release, and that nobody else can keep from being taken; and values that are
announced as they are replaced. Each script touches one key, which is all that a cluster asks of a script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError


class Script(NamedTuple):
    """Lua source and the SHA-1 under which a server remembers it."""

    source: str
    sha: str


def _script(source: str) -> Script:
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


ACQUIRE = _script(
    "local left = redis.call('PTTL', KEYS[1]) "
    "if left >= 0 and left <= tonumber(ARGV[2]) then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1"
)
"""No lock has longer to live than it is taken for: what is there and does, or never ends, is none."""
EXTEND = _script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end"
)
RELEASE = _script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end")
REPLACE = _script(
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) redis.pcall('PUBLISH', ARGV[3], ARGV[4]) return 1"
)
"""A user who may not publish keeps values nevertheless: nobody trusts announcements then (see ``subscription``)."""


def run(client: Any, script: Script, key: str, *arguments: str | bytes | int) -> bool:
    """Whether the script did what it is for. A server that restarted is sent the source again."""
    try:
        answer = client.evalsha(script.sha, 1, key, *arguments)
    except NoScriptError:
        answer = client.eval(script.source, 1, key, *arguments)
    return bool(answer == 1)


def run_many(client: Any, script: Script, keys: Sequence[str], *arguments: str | bytes | int) -> list[bool]:
    """As ``run``, for each of ``keys``, in one trip to their server."""
    if len(keys) == 1:
        return [run(client, script, keys[0], *arguments)]
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.evalsha(script.sha, 1, key, *arguments)
        answers = pipeline.execute(raise_on_error=False)
    return [_outcome(answer, client, script, key, arguments) for key, answer in zip(keys, answers, strict=True)]


def _outcome(answer: object, client: Any, script: Script, key: str, arguments: tuple[str | bytes | int, ...]) -> bool:
    if isinstance(answer, NoScriptError):
        return run(client, script, key, *arguments)
    if isinstance(answer, Exception):
        raise answer
    return bool(answer == 1)
