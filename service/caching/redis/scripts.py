"""Lua scripts for atomic operations on the server.

Locks that only their owner can extend or release, and that nobody else can block; and values that are announced when
they are replaced. Each script uses keys of one slot, as a cluster requires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError


class Script(NamedTuple):
    """Lua source and its SHA-1, by which a server caches it."""

    source: str
    sha: str


def _script(source: str) -> Script:
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


_TAKE = (
    "local left, taken = redis.call('PTTL', KEYS[1]), 0 "
    "if left < 0 or left > tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) taken = 1 end "
)
"""A value with a longer time to live than a lock's, or without one, is not a lock and is overwritten."""
ACQUIRE = _script(_TAKE + "return taken")
ACQUIRE_AND_READ = _script(_TAKE + "return {taken, redis.call('MGET', KEYS[2])[1]}")
"""Returns the value of the second key, too: ``MGET`` ignores values of another type."""
EXTEND = _script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end"
)
RELEASE = _script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end")
REPLACE = _script(
    "for number = 3, #KEYS do redis.call('SET', KEYS[number], ARGV[number + 3], 'PX', ARGV[2]) end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) redis.pcall('PUBLISH', ARGV[3], ARGV[4]) "
    "if ARGV[5] ~= '' and redis.pcall('GET', KEYS[2]) == ARGV[5] then redis.pcall('DEL', KEYS[2]) end return 1"
)
"""The first key is announced; the second is a lock that is released where the fifth argument names its owner; the
others take the last arguments.

A user without ``PUBLISH`` can still store values; announcements are not used then (see ``subscription``)."""


class Call(NamedTuple):
    """The keys and arguments of a script."""

    keys: Sequence[str]
    arguments: Sequence[str | bytes | int]


def run(client: Any, script: Script, call: Call) -> Any:
    """Run a script; what it returned. The source is sent again to a server that has restarted."""
    given = (len(call.keys), *call.keys, *call.arguments)
    try:
        return client.evalsha(script.sha, *given)
    except NoScriptError:
        return client.eval(script.source, *given)


def run_many(client: Any, script: Script, calls: Sequence[Call]) -> list[Any]:
    """As ``run``, for each of ``calls``, in one trip to their server."""
    if len(calls) == 1:
        return [run(client, script, calls[0])]
    with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.evalsha(script.sha, len(call.keys), *call.keys, *call.arguments)
        answers = pipeline.execute(raise_on_error=False)
    return [_outcome(answer, client, script, call) for call, answer in zip(calls, answers, strict=True)]


def _outcome(answer: object, client: Any, script: Script, call: Call) -> Any:
    if isinstance(answer, NoScriptError):
        return run(client, script, call)
    if isinstance(answer, Exception):
        raise answer
    return answer
