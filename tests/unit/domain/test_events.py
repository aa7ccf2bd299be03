"""Events between snapshots of a run: whoever applies them has the last snapshot, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.events import Event, Kind, Observed, Position, position_of, position_of_snapshot
from service.domain.freshness import Snapshot
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.chunks import objects
from testing.effort import effort
from testing.work import memory
from tests.rows import each_row

NOBODY_KNOWS = dict[bytes, Observed]()
EMPTY = b"[]"


def point(number: int) -> bytes:
    return b'{"name":"Loss","value":0.%d,"timestamp":"2026-03-29T01:00:00Z","step":%d,"labels":[]}' % (number, number)


def observed(
    numbers: Sequence[int], *, tags: bytes = EMPTY, info: bytes = EMPTY, status: str = "RUNNING", a_chunk: int = 3
) -> Observed:
    parts = [list(numbers[at : at + a_chunk]) for at in range(0, len(numbers), a_chunk)]
    chunks = [Chunk(b",".join(map(point, part)), len(part)) for part in parts]
    resource = MetricResource("run1", metrics=chunks, tags=tags, custom_info=info, count=len(numbers))
    name = repr((list(numbers), tags, info)).encode()
    return Observed(resource, Snapshot(name, len(name)), status, may_change=True)


@dataclass
class Reader:
    """Applies events as a client does."""

    points: list[bytes] = field(default_factory=list)
    tags: bytes = EMPTY
    info: bytes = EMPTY
    status: str = ""
    id: str = ""
    kinds: list[Kind] = field(default_factory=list)

    def take(self, event: Event) -> None:
        match event.kind:
            case Kind.CHANGED:
                self.points, self.tags, self.info = [], EMPTY, EMPTY
            case Kind.POINTS:
                assert event.points is not None
                texts = list(map(bytes, objects(event.points)))
                assert len(texts) == event.points.count
                self.points += texts
            case Kind.TAGS:
                self.tags = event.text
            case Kind.CUSTOM_INFO:
                self.info = event.text
        self.status = event.position.status
        self.id = event.position.id
        self.kinds.append(event.kind)

    def has(self, now: Observed) -> bool:
        every = {bytes(text) for chunk in now.resource.metrics for text in objects(chunk)}
        return (
            len(self.points) == len(set(self.points))
            and set(self.points) == every
            and (self.tags, self.info, self.status) == (now.resource.tags, now.resource.custom_info, now.status)
        )


def resumed(reader: Reader, now: Observed, stored: dict[bytes, Observed]) -> list[Event]:
    """What a process gives that knows nothing but the reader's last id."""
    position = position_of(reader.id)
    assert position is not None
    found = now.delivered_at(position, lambda name: stored.get(name.digest))
    return list(now.restarted() if found is None else now.beginning(found))


SNAPSHOTS = st.builds(
    observed,
    st.lists(st.integers(0, 9), max_size=12),
    tags=st.sampled_from([EMPTY, b'[{"name":"a","value":"b"}]']),
    info=st.sampled_from([EMPTY, b'[{"name":"c","value":"d"}]']),
    status=st.sampled_from(["RUNNING", "COMPLETED"]),
    a_chunk=st.integers(1, 4),
)
BREAKS = st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=8)
"""After which event the connection breaks; ``None`` where it holds."""


@settings(max_examples=effort(50, 300), deadline=None)
@given(st.lists(SNAPSHOTS, min_size=1, max_size=8), BREAKS, st.booleans())
def test_a_reader_has_the_last_snapshot_whatever_happened_and_broke(
    history: list[Observed], breaks: list[int | None], remembers: bool
) -> None:
    stored = {one.snapshot.digest: one for one in history} if remembers else NOBODY_KNOWS
    reader, given_before = Reader(), None
    for number, now in enumerate(history):
        connected = given_before is not None
        events = (
            list(now.changes(given_before))
            if given_before
            else resumed(reader, now, stored)
            if reader.id
            else list(now.beginning())
        )
        broken = breaks[number] if number < len(breaks) and number < len(history) - 1 else None
        for event in events if broken is None else events[: broken + 1]:
            reader.take(event)
        if broken is None:
            assert len(reader.points) == now.count
            assert reader.has(now), (connected, reader)
        given_before = now if broken is None else None


GROWING = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=5), min_size=2, max_size=6)


@settings(max_examples=effort(40, 200), deadline=None)
@given(GROWING, st.randoms(use_true_random=False), st.booleans())
def test_points_that_come_late_or_out_of_order_are_given_once_and_never_taken_back(
    batches: list[list[int]], chance: Random, breaks: bool
) -> None:
    numbers: list[int] = []
    history = []
    for batch in batches:
        numbers = [*numbers, *batch]
        chance.shuffle(numbers)
        history.append(observed(numbers))
    stored = {one.snapshot.digest: one for one in history}
    reader = Reader()
    for event in history[0].beginning():
        reader.take(event)
    for before, now in pairwise(history):
        for event in resumed(reader, now, stored) if breaks else now.changes(before):
            reader.take(event)
    assert Kind.CHANGED not in reader.kinds
    assert reader.has(history[-1])


def test_a_run_that_appends_needs_no_stored_snapshot() -> None:
    reader = Reader()
    for event in list(observed(range(10)).beginning())[:3]:
        reader.take(event)
    assert reader.points == list(map(point, range(6)))
    for event in resumed(reader, observed(range(20), a_chunk=7), NOBODY_KNOWS):
        reader.take(event)
    assert reader.points == list(map(point, range(20)))
    assert reader.kinds == ["state", "points", "points", "state", "points", "points", "points"]


def test_a_run_that_begins_anew_says_so_first() -> None:
    reader = Reader()
    before, now = observed(range(5)), observed([7])
    for event in before.beginning():
        reader.take(event)
    reader.kinds.clear()
    for event in resumed(reader, now, {before.snapshot.digest: before}):
        reader.take(event)
    assert reader.kinds == ["changed", "state", "points"]
    assert [event.kind for event in now.changes(before)] == ["changed", "state", "points"]


@each_row("text", ["", "x", "=", "é", "AAAA", "a" * 5000, Position(-1, b"", Snapshot(b"", 0), b"", b"", "").id])
def test_what_is_no_position_is_none(text: str) -> None:
    assert position_of(text) is None


def test_the_position_of_a_whole_snapshot_holds_as_long_as_that_is_stored() -> None:
    before, now = observed(range(5)), observed([9, *range(7)])
    position = position_of_snapshot(before.resource, before.snapshot, before.status)
    assert now.delivered_at(position, lambda _: None) is None
    given = now.delivered_at(position, lambda _: before)
    assert given is not None
    (event,) = now.changes(given)
    assert event.points is not None
    assert list(map(bytes, objects(event.points))) == [point(9), point(5), point(6)]


def test_nothing_is_given_where_nothing_has_come() -> None:
    now = observed(range(5))
    assert list(observed(range(5)).changes(now)) == []
    assert position_of(now.position.id) == now.position


@each_row("resumes, repeated", product([False, True], repeat=2))
def test_many_readers_who_stop_reading_keep_little_each(resumes: bool, repeated: bool) -> None:
    count, readers = 2000, 50
    now = observed([*range(count), *([7] if repeated else [])], a_chunk=100)
    halfway = next(event.position for event in now.beginning() if event.position.rows == count // 2)

    def read_almost_all() -> list[Iterator[Event]]:
        found = now.delivered_at(halfway, lambda _: None) if resumes else None
        reading = [now.beginning(found) for _ in range(readers)]
        for each in reading:
            assert any(event.position.rows == count - 100 for event in each)
        return reading

    assert memory(read_almost_all) < readers * 2 * count
