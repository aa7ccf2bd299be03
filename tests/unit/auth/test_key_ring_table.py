"""Which key rings are kept: those that proved good; of new ones a few at a time."""

from __future__ import annotations

from service.auth.issuers import KeySource
from service.auth.key_ring_table import RingTable
from service.auth.key_rings import KeyRing, Places


class World:
    def __init__(self) -> None:
        self.now = 100.0
        self.made: list[str] = []
        self.table = RingTable(self._make, lambda: self.now)

    def _make(self, source: KeySource) -> KeyRing:
        self.made.append(source.url)
        return KeyRing(source.url, lambda: b"", Places())


def source(name: object) -> KeySource:
    return KeySource(f"https://{name}/keys")


def test_a_ring_is_made_once() -> None:
    world = World()
    kept = world.table.keep(source("first"))
    assert world.table.ring(source("first")) is kept
    opened = world.table.ring(source("other"))
    assert world.table.ring(source("other")) is opened
    world.table.proved(source("other"))
    assert world.table.ring(source("other")) is opened
    assert world.made == ["https://first/keys", "https://other/keys"]


def test_few_new_rings_are_opened_at_a_time_whatever_is_asked_for_meanwhile() -> None:
    world = World()
    for number in range(4):
        assert world.table.ring(source(f"old{number}"))
    world.now += 15
    opened = 0
    for number in range(50):
        for old in range(4):
            world.table.ring(source(f"old{old}"))
        opened += world.table.ring(source(number)) is not None
    assert opened <= 5
    world.now += 15
    assert world.table.ring(source("later"))


def test_of_new_rings_five_are_opened_in_fifteen_seconds_and_eight_are_kept() -> None:
    world = World()
    opened = [world.table.ring(source(number)) for number in range(6)]
    assert [ring is not None for ring in opened] == [True] * 5 + [False]
    world.now += 14.9
    assert world.table.ring(source("too soon")) is None
    world.now = 115.0
    assert all(world.table.ring(source(f"next{number}")) for number in range(3))
    assert len(world.table.all()) == 8
    assert world.table.ring(source("ninth"))
    assert len(world.table.all()) == 8
    assert world.table.ring(source(1)) is opened[1], "the first one made way"
    assert world.made.count("https://0/keys") == 1


def test_new_rings_make_way_for_each_other_and_never_take_the_place_of_a_proven_one() -> None:
    world = World()
    proven = [world.table.ring(source(f"good{number}")) for number in range(5)]
    for number in range(5):
        world.table.proved(source(f"good{number}"))
    for number in range(300):
        world.now += 15
        assert world.table.ring(source(number))
    assert world.table.proven() == proven
    assert len(world.table.all()) < 20


def test_of_proven_rings_the_least_used_goes_first() -> None:
    world = World()
    first = world.table.keep(source("first"))
    for number in range(400):
        world.now += 15
        world.table.ring(source(number))
        world.table.proved(source(number))
        assert world.table.ring(source("first")) is first
    assert len(world.table.all()) <= 200
    assert world.table.ring(source(399)) in world.table.proven()
