"""Entries that check out and hold something else, as only who knows the secret or needs none can write them."""

from __future__ import annotations

import time

import pytest
import redis

from service.caching import codec
from service.caching.codec import Header, Packed, Sealer, digest_of
from service.caching.entry_keys import body_key, rest_key
from tests.integration.service.conftest import RUN, Service, Surroundings

PATHS = [RUN, "/runs/run1", "/capabilities"]
BODIES: dict[str, Packed] = {
    "nothing": (),
    "a number": (b"\x01",),
    "deep": (b"\x91" * 100_000,),
    "a text that is no UTF-8": (b"\x92\x98\xa1\xff\xc4\0\xc4\0\x90\xc4\0\xc4\0\0\0\x90",),
    "fewer chunks than it says": (b"\x92\x98\xa4run1\xc4\0\xc4\0\x90\xc4\0\xc4\0\0\0\x91\x01",),
    "more chunks than it says": (b"\x92\x98\xa4run1\xc4\0\xc4\0\x90\xc4\0\xc4\0\0\0\x90", b"{}"),
}


def forge(service: Service, body: Packed) -> int:
    """Put ``body`` in place of every entry's; how many there were."""
    secret = service.settings.cache.secret
    header = Header("value", True, time.time(), digest_of(body), codec.size_of(body))
    with redis.Redis(port=service.valkey.port) as store:
        keys = [key.decode() for key in store.keys("mr1:{*}")]
        for key in keys:
            store.set(key, Sealer(secret).seal(key, header))
            stored = codec.compress(body)
            store.set(body_key(key, header.digest), stored.head)
            store.set(rest_key(key, header.digest), stored.rest)
    return len(keys)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_entry_of_another_kind_is_read_anew(surroundings: Surroundings, body: Packed) -> None:
    with surroundings.service() as service:
        token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
        before = {path: service.get(path, token).status_code for path in PATHS}
        assert set(before.values()) == {200}
    with surroundings.service() as service:
        assert forge(service, body) >= len(PATHS)
        for path in PATHS:
            answer = service.get(path, token)
            assert answer.status_code == 200, (path, answer.data)
