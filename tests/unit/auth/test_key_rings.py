"""One key ring: when it asks for its keys, and what it gives meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from service.auth.key_rings import KeyRing, Places, State
from service.domain.errors import BadGateway, KeysUnavailable, RuntimeTimeout
from testing.clocks import Clock
from testing.waiting import PATIENCE, eventually
from tests.unit.auth.forge import ec_key, jwk, rsa_key


def key_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


FIRST = jwk(rsa_key("rsa-1"), "rsa-1")
SECOND = jwk(ec_key("ec-1"), "ec-1")


class World:
    """A ring whose documents, errors and time are chosen by hand."""

    def __init__(self, *keys: object, places: int = 32) -> None:
        self.clock = Clock(1000.0)
        self.answer: Callable[[], bytes] = lambda: key_set(*keys)
        self.asked = 0
        self.ring = KeyRing("https://issuer.example", self._load, Places(places), clock=self.clock)

    def _load(self) -> bytes:
        self.asked += 1
        return self.answer()

    def fail(self, error: Exception) -> None:
        def failing() -> bytes:
            raise error

        self.answer = failing

    def refreshed(self) -> int:
        """How many fetches a refresh begins; they have ended."""
        before = self.asked
        self.ring.refresh()
        for thread in threading.enumerate():
            if thread.name == "keys":
                thread.join(PATIENCE)
        return self.asked - before

    def keys(self, key_id: str | None, algorithm: str = "RS256") -> list[str | None]:
        """The ids of the keys that are given, none where none can be had."""
        with suppress(KeysUnavailable):
            return [key.key_id for key in self.ring.keys(key_id, algorithm)]
        return []


def test_keys_are_fetched_ahead_when_they_are_missing_and_every_four_minutes() -> None:
    world = World(FIRST)
    assert not world.ring.loaded
    assert (world.refreshed(), world.ring.loaded) == (1, True)
    assert world.refreshed() == 0
    world.clock.pass_(239)
    assert world.refreshed() == 0
    world.clock.pass_(1)
    assert world.refreshed() == 1


def test_keys_that_are_five_minutes_old_are_given_and_fetched_anew_behind_that() -> None:
    world = World(FIRST)
    assert world.keys("rsa-1") == ["rsa-1"]
    world.clock.pass_(299)
    assert world.keys("rsa-1") == ["rsa-1"]
    assert world.asked == 1
    world.clock.pass_(1)
    waits, go = threading.Event(), threading.Event()

    def slow() -> bytes:
        waits.set()
        go.wait(PATIENCE)
        return key_set(SECOND)

    world.answer = slow
    assert world.keys("rsa-1") == ["rsa-1"]
    assert waits.wait(PATIENCE)
    go.set()
    assert world.keys("ec-1", "ES256") == ["ec-1"], "who needs the new keys waits for them"
    assert world.keys("rsa-1") == []


def test_nobody_waits_for_a_fetch_without_end() -> None:
    world = World(FIRST)
    go = threading.Event()

    def endless() -> bytes:
        go.wait(PATIENCE)
        return key_set(FIRST)

    world.answer = endless
    assert world.keys("rsa-1") == []
    go.set()
    eventually(lambda: world.ring.loaded)
    assert world.keys("rsa-1") == ["rsa-1"]


def test_without_a_key_id_the_only_suitable_key_is_meant() -> None:
    world = World(FIRST, SECOND, jwk(ec_key("ec-2"), "ec-2"))
    assert world.keys(None) == ["rsa-1"]
    assert world.keys(None, "ES256") == []
    assert world.keys("ec-2", "ES256") == ["ec-2"]
    assert world.keys("ec-2", "RS256") == [], "a key is for its own algorithms"


@pytest.mark.parametrize(("loaded", "pauses"), [(False, [1, 2, 4, 8, 10, 10]), (True, [10, 10, 10])])
def test_fetches_that_fail_are_repeated_by_and_by(loaded: bool, pauses: list[float]) -> None:
    world = World(FIRST)
    if loaded:
        assert world.refreshed() == 1
        world.clock.pass_(240)
    world.fail(RuntimeTimeout())
    assert world.refreshed() == 1
    for pause in pauses:
        world.clock.pass_(pause - 0.25)
        assert world.refreshed() == 0
        world.clock.pass_(0.25)
        assert world.refreshed() == 1
    assert world.ring.loaded is loaded
    assert world.keys("rsa-1") == (["rsa-1"] if loaded else [])


def test_after_a_fetch_that_succeeds_failures_count_from_the_beginning() -> None:
    world = World(FIRST)
    world.fail(RuntimeTimeout())
    for _ in range(3):
        world.refreshed()
        world.clock.pass_(10)
    world.answer = lambda: key_set(FIRST)
    assert world.refreshed() == 1
    assert (world.ring.state, world.keys("rsa-1")) == (State.LOADED, ["rsa-1"])


@pytest.mark.parametrize(
    ("error", "state", "line"),
    [
        (BadGateway("no such document"), State.REFUSED, "BadGateway"),
        (ValueError("no keys"), State.REFUSED, "ValueError"),
        (RuntimeTimeout(), State.FAILED, "RuntimeTimeout"),
        (ZeroDivisionError(), State.FAILED, "unexpected error"),
    ],
    ids=repr,
)
def test_how_a_fetch_ended_is_known_and_logged_once(
    error: Exception, state: State, line: str, keys_log: pytest.LogCaptureFixture
) -> None:
    world = World(FIRST)

    def lines() -> list[tuple[str, ...]]:
        return [
            (found["levelname"], record.getMessage(), found["event"], found["state"], found["issuer"], found["reason"])
            for record in keys_log.records
            if "reason" in (found := record.__dict__)
        ]

    assert world.ring.state is State.UNASKED
    world.fail(error)
    for _ in range(2):
        assert world.refreshed() == 1
        world.clock.pass_(10)
    assert world.ring.state is state
    issuer = "https://issuer.example"
    assert lines() == [("WARNING", f"keys {state.value}", "keys", state.value, issuer, line)]
    unexpected = [record for record in keys_log.records if record.exc_info]
    said = [(record.getMessage(), record.__dict__["event"], record.__dict__["issuer"]) for record in unexpected]
    times = 2 * (line == "unexpected error")
    assert said == [("unexpected error while fetching keys", "keys", issuer)] * times
    world.answer = lambda: key_set(FIRST, SECOND)
    assert world.refreshed() == 1
    assert lines()[1:] == [("INFO", "keys loaded", "keys", "loaded", issuer, "2 keys")]


def test_who_finds_no_place_to_wait_is_answered_at_once() -> None:
    world = World(FIRST, places=0)
    go = threading.Event()
    world.answer = lambda: key_set(FIRST) if go.wait(PATIENCE) else b""
    with pytest.raises(KeysUnavailable, match=r"^the keys of the token's issuer cannot be loaded now$"):
        world.ring.keys("rsa-1", "RS256")
    go.set()
    eventually(lambda: world.ring.loaded)


def test_of_those_who_name_unknown_keys_eight_wait_where_keys_are_known() -> None:
    world = World(FIRST)
    world.refreshed()
    world.clock.pass_(10)
    asked, go = threading.Event(), threading.Event()

    def slow() -> bytes:
        asked.set()
        go.wait(PATIENCE)
        return key_set(FIRST, SECOND)

    world.answer = slow
    answers: list[list[str | None]] = []
    readers = [threading.Thread(target=lambda: answers.append(world.keys("ec-1", "ES256"))) for _ in range(9)]
    for reader in readers:
        reader.start()
    assert asked.wait(PATIENCE)
    eventually(lambda: answers == [[]])
    go.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert answers == [[]] + [["ec-1"]] * 8
