"""A key server over HTTP, a clock that is moved by hand, and a verifier that trusts the keys there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from service.auth.verifier import Verifier
from testing.clocks import Clock
from testing.waiting import eventually
from tests.unit.auth.forge import NOW, jwk, rsa_key
from tests.unit.auth.issuer_server import IssuerServer, fetch
from tests.unit.auth.worlds import oidc, verifier

FIRST = {"keys": [jwk(rsa_key("rsa-1"), "rsa-1")]}


@pytest.fixture
def server() -> Iterator[IssuerServer]:
    with IssuerServer().serving() as server:
        server.give("/keys", FIRST)
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def checked(server: IssuerServer, clock: Clock) -> Verifier:
    return verifier(oidc(jwks_url=f"{server.url}/keys"), fetch, clock=clock)


@pytest.fixture
def keys_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged of keys, without the fetches that earlier tests left under way."""
    eventually(no_fetch_is_under_way)
    caplog.clear()
    caplog.set_level(logging.INFO, "service.auth")
    return caplog


def no_fetch_is_under_way() -> bool:
    return not any(thread.name == "keys" for thread in threading.enumerate())
