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


ACQUIRE = _script(
    "local left = redis.call('PTTL', KEYS[1]) "
    "if left >= 0 and left <= tonumber(ARGV[2]) then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1"
)
"""A value with a longer time to live than a lock's, or without one, is not a lock and is overwritten."""
EXTEND = _script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end"
)
RELEASE = _script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end")
REPLACE = _script(
    "for number = 2, #KEYS do redis.call('SET', KEYS[number], ARGV[number + 3], 'PX', ARGV[2]) end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) redis.pcall('PUBLISH', ARGV[3], ARGV[4]) return 1"
)
"""The first key is announced; the others take the last arguments.

A user without ``PUBLISH`` can still store values; announcements are not used then (see ``subscription``)."""


class Call(NamedTuple):
    """The keys and arguments of a script."""

    keys: Sequence[str]
    arguments: Sequence[str | bytes | int]


def run(client: Any, script: Script, call: Call) -> bool:
    """Run a script; whether it returned success. The source is sent again to a server that has restarted."""
    given = (len(call.keys), *call.keys, *call.arguments)
    try:
        answer = client.evalsha(script.sha, *given)
    except NoScriptError:
        answer = client.eval(script.source, *given)
    return bool(answer == 1)


def run_many(client: Any, script: Script, calls: Sequence[Call]) -> list[bool]:
    """As ``run``, for each of ``calls``, in one trip to their server."""
    if len(calls) == 1:
        return [run(client, script, calls[0])]
    with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.evalsha(script.sha, len(call.keys), *call.keys, *call.arguments)
        answers = pipeline.execute(raise_on_error=False)
    return [_outcome(answer, client, script, call) for call, answer in zip(calls, answers, strict=True)]


def _outcome(answer: object, client: Any, script: Script, call: Call) -> bool:
    if isinstance(answer, NoScriptError):
        return run(client, script, call)
    if isinstance(answer, Exception):
        raise answer
    return bool(answer == 1)
