"""Flights: who asks while a fetch is under way shares it, whatever comes of it, and nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded, RuntimeTimeout, RuntimeUnavailable, ServiceError
from service.reads.bulkhead import Bulkhead
from service.reads.single_flight import Flights
from service.telemetry.metrics import Telemetry
from tests.unit.reads.worlds import PATIENCE, together

LIMIT = 6


class Airport:
    """Flights whose fetches wait for a gate and remember what they were asked."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.flights: Flights[str] = Flights(Bulkhead(limit, fast_seconds=PATIENCE, telemetry=Telemetry()))
        self.gate = threading.Event()
        self.asked: list[tuple[str, ...]] = []

    def fetch(self, keys: Sequence[str], _: Deadline) -> dict[str, str | ServiceError]:
        self.asked.append(tuple(keys))
        assert self.gate.wait(PATIENCE)
        return {key: f"{key} {len(self.asked)}" for key in keys}

    def join(self, *keys: str) -> dict[str, bool]:
        return {
            key: joined for key, (_, joined) in self.flights.join(keys, self.fetch, Deadline.after(PATIENCE)).items()
        }

    def landed(self, *keys: str) -> list[str | ServiceError]:
        return [
            flight.landed.result(PATIENCE)
            for flight, _ in self.flights.join(keys, self.fetch, Deadline.after(PATIENCE)).values()
        ]


@pytest.fixture
def airport() -> Iterator[Airport]:
    made = Airport()
    yield made
    made.gate.set()
    made.flights.close()


def test_all_who_ask_together_share_one_fetch(airport: Airport) -> None:
    joined = together(*[lambda: airport.join("a")["a"]] * 30)
    assert sorted(map(str, joined)) == ["False"] + ["True"] * 29
    airport.gate.set()
    assert airport.landed("a")
    assert airport.asked[0] == ("a",)


def test_keys_without_a_flight_are_fetched_together_and_only_they(airport: Airport) -> None:
    assert airport.join("a", "b") == {"a": False, "b": False}
    assert airport.join("c", "b", "d") == {"c": False, "b": True, "d": False}
    assert airport.join("a", "d") == {"a": True, "d": True}
    airport.gate.set()
    airport.landed("a", "b", "c", "d")
    assert airport.asked[:2] == [("a", "b"), ("c", "d")]


def test_who_asks_after_the_landing_begins_anew(airport: Airport) -> None:
    airport.gate.set()
    assert airport.landed("a") == ["a 1"]
    assert airport.landed("a") == ["a 2"]


def test_no_more_fetches_than_allowed_and_a_refused_key_has_no_flight() -> None:
    airport = Airport(limit=1)
    under_way = airport.flights.join(["a"], airport.fetch, Deadline.after(PATIENCE))["a"][0]
    for _ in range(2):
        with pytest.raises(Overloaded):
            airport.join("d")
    assert airport.join("a") == {"a": True}, "to wait for what is under way takes no place"
    airport.gate.set()
    under_way.landed.result(PATIENCE)
    assert airport.join("d") == {"d": False}
    airport.flights.close()


@pytest.mark.parametrize("round_", range(4))
def test_a_place_is_given_back_however_a_fetch_ends(airport: Airport, round_: int) -> None:
    def fails(keys: Sequence[str], _: Deadline) -> dict[str, str | ServiceError]:
        if round_ == 0:
            raise ZeroDivisionError
        if round_ == 1:
            return {}
        if round_ == 2:
            return dict.fromkeys(keys, RuntimeUnavailable())
        raise RuntimeUnavailable

    for _ in range(4):
        for flight, _joined in airport.flights.join(["a", "b"], fails, Deadline.after(PATIENCE)).values():
            assert isinstance(flight.landed.exception(PATIENCE) or flight.landed.result(), Exception)
    airport.gate.set()
    assert airport.landed("a") == ["a 1"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("x"), TimeoutError(), RuntimeUnavailable()])
def test_an_exception_reaches_all_who_wait(airport: Airport, error: Exception) -> None:
    def fails(*_: object) -> dict[str, str | ServiceError]:
        assert airport.gate.wait(PATIENCE)
        raise error

    flights = [
        flight
        for _ in range(5)
        for flight, _joined in airport.flights.join("ab", fails, Deadline.after(PATIENCE)).values()
    ]
    airport.gate.set()
    assert [flight.landed.exception(PATIENCE) for flight in flights] == [error] * 10
    assert airport.landed("a") == ["a 1"]


def test_a_fetch_that_forgets_a_key_is_an_error_and_not_an_endless_wait(airport: Airport) -> None:
    flights = airport.flights.join("ab", lambda *_: {"a": "found"}, Deadline.after(PATIENCE))
    assert all(isinstance(flight.landed.exception(PATIENCE), KeyError) for flight, _ in flights.values())


def test_after_closing_nothing_begins(airport: Airport) -> None:
    airport.flights.close()
    for _ in range(LIMIT + 1):
        with pytest.raises(Overloaded):
            airport.join("a")


def test_a_fetch_that_ran_out_of_brief_time_was_refused_and_one_at_its_own_deadline_timed_out() -> None:
    airport = Airport(limit=2)

    def runs_out(keys: Sequence[str], deadline: Deadline) -> dict[str, str | ServiceError]:
        assert airport.gate.wait(PATIENCE)
        return dict.fromkeys(keys, RuntimeTimeout())

    flights = [airport.flights.join([key], runs_out, Deadline.after(100))[key][0] for key in "ab"]
    airport.gate.set()
    assert [type(flight.landed.result(PATIENCE)) for flight in flights] == [RuntimeTimeout, Overloaded]
    airport.flights.close()
