"""A runtime read through the store: whose answers are whose, what is remembered, and what the runtime can do."""

from __future__ import annotations

import json
import threading
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from service.caching.codec import ContentGone
from service.caching.entry_keys import body_key, entry_key, rest_key
from service.caching.memory import MemoryCache
from service.domain.errors import (
    BadGateway,
    MetricsNotSupported,
    RateLimited,
    RunGone,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.domain.freshness import RequestCachePolicy, RequestDirectives
from service.domain.freshness import Source as From
from service.domain.metrics import Chunk, MetricResource
from service.domain.runs import Run, RunDetails
from service.domain.runtime import CacheScope, Capabilities, RequestContext, RunMetrics
from service.reads.capability_reads import RuntimeCondition, RuntimeState
from service.reads.entries import Connection
from service.reads.queries import Queries
from service.reads.results import Read
from testing.clocks import Clock
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.fakes import WITH_METRICS, WITHOUT_METRICS, FakeRuntime, context
from tests.unit.reads.worlds import LIFETIMES, Process

HERE = CacheScope("t", "g")


class World:
    def __init__(self) -> None:
        self.clock = Clock(time.time())
        self.cache = MemoryCache(10**7)
        self.runtime = FakeRuntime()
        self.made: list[Queries] = []

    def service(self, runtime: FakeRuntime | None = None) -> Queries:
        process = Process(self.cache, self.clock)
        made = queries(runtime or self.runtime, process)
        self.made.append(made)
        return made

    def cache_policy(self, **directives: Any) -> RequestCachePolicy:
        return RequestCachePolicy(RequestDirectives(**directives), self.clock())

    def runs(self, service: Queries, *run_ids: str, cache_scope: CacheScope = HERE, **directives: Any):
        return service.metrics.resources(run_ids, context(cache_scope, self.cache_policy(**directives)))

    def run(self, service: Queries, run_id: str = "run1", **more: Any) -> Read[MetricResource] | ServiceError:
        return self.runs(service, run_id, **more)[run_id]

    def metrics(self, service: Queries, run_id: str = "run1", **more: Any) -> bytes:
        found = self.run(service, run_id, **more)
        assert isinstance(found, Read), found
        return found.content().metrics[0].text

    def can(self, service: Queries, **directives: Any) -> Read[Capabilities]:
        return service.capabilities.read(context(HERE, self.cache_policy(**directives)))


def queries(runtime: FakeRuntime, process: Process) -> Queries:
    return Queries({"default": Connection(runtime, process.reads)})


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.runtime.log("run1", b"[1]")
    yield made
    for service in made.made:
        service.close()


def test_a_run_is_fetched_once_and_then_read_by_every_process(world: World) -> None:
    one, other = world.service(), world.service()
    first, second = world.run(one), world.run(other)
    assert isinstance(first, Read)
    assert isinstance(second, Read)
    logged = world.runtime.logged["t", "g", "run1"]
    assert isinstance(logged, RunMetrics)
    assert first.content() == second.content() == logged.resource
    assert (first.key, first.digest) == (second.key, second.digest)
    assert world.runtime.asked == [("run1",)]


def test_what_names_a_content_changes_with_it_and_only_with_it(world: World) -> None:
    service = world.service()
    digests = []
    for metrics in (b"[1]", b"[1]", b"[2]", b"[1]"):
        world.runtime.log("run1", metrics)
        world.clock.pass_(1)
        found = world.run(service, no_cache=True)
        assert isinstance(found, Read)
        digests.append(found.digest)
    assert digests[0] == digests[1] == digests[3] != digests[2]


@pytest.mark.parametrize(
    "elsewhere",
    [CacheScope("u", "g"), CacheScope("t", "h"), CacheScope("t", "g", "caller"), CacheScope("tg", ""), CacheScope("", "tg"), CacheScope("T", "g")],
    ids=repr,
)  # fmt: skip
def test_nobody_is_given_what_was_fetched_from_another_scope(world: World, elsewhere: CacheScope) -> None:
    service = world.service()
    assert world.metrics(service) == b"[1]"
    world.runtime.log("run1", b"[2]", tenant=elsewhere.tenant, group=elsewhere.resource_group)
    assert world.metrics(service, cache_scope=elsewhere) == b"[2]"
    assert len(world.runtime.asked) == 2


def test_two_runtimes_on_one_cache_share_nothing(world: World) -> None:
    other = FakeRuntime("another")
    other.log("run1", b"[2]")
    assert world.metrics(world.service()) == b"[1]"
    assert world.metrics(world.service(other)) == b"[2]"


def test_two_connections_share_nothing_even_of_one_runtime(world: World) -> None:
    process = Process(world.cache, world.clock)
    other = FakeRuntime(world.runtime.identity)
    other.log("run1", b"[2]")
    names = {"default": world.runtime, "other": other}
    service = Queries({name: Connection(runtime, process.reads) for name, runtime in names.items()})
    world.made.append(service)
    assert world.metrics(service) == b"[1]"
    assert world.metrics(service, cache_scope=CacheScope("t", "g", connection="other")) == b"[2]"


def test_the_callers_own_token_never_reaches_the_keys(world: World) -> None:
    service = world.service()
    one = world.run(service, cache_scope=CacheScope("t", "g", "caller", "a token"))
    other = world.run(service, cache_scope=CacheScope("t", "g", "caller", "another token"))
    assert isinstance(one, Read)
    assert isinstance(other, Read)
    assert one.key == other.key


@pytest.mark.parametrize(
    "error",
    [RunNotFound("run1"), RunGone("run1"), MetricsNotSupported(), RuntimeForbids(), RuntimeRefuses()],
    ids=lambda error: type(error).__name__,
)
def test_what_there_is_not_is_remembered_for_seconds_by_all(world: World, error: ServiceError) -> None:
    world.runtime.fail("run1", error)
    one, other = world.service(), world.service()
    for service in (one, other, one):
        assert type(world.run(service)) is type(error)
    assert len(world.runtime.asked) == 1
    world.runtime.log("run1", b"[3]")
    world.clock.pass_(5)
    assert world.metrics(other) == b"[3]"
    assert world.metrics(one, max_age=1) == b"[3]"


@pytest.mark.parametrize(
    "error",
    [RunNotFound("run1"), RunGone("run1"), MetricsNotSupported(), RuntimeForbids(), RuntimeRefuses()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("age", [10, 100], ids=["being refreshed", "stale"])
@pytest.mark.parametrize("troubled", [False, True], ids=["", "after trouble"])
def test_a_refusal_ends_what_is_stored_at_once_in_every_process(world, error, age, troubled) -> None:
    one, other = world.service(), world.service()
    assert world.metrics(one) == world.metrics(other) == b"[1]"
    world.clock.pass_(age)
    if troubled:
        world.runtime.fail("run1", RuntimeUnavailable())
        for service in (one, other):
            assert isinstance(world.run(service), Read)
    world.runtime.fail("run1", error)
    for service in (one, other):
        eventually(lambda service=service: type(world.run(service)) is type(error))
    world.runtime.fail("run1", RuntimeUnavailable())
    world.clock.pass_(6)
    for service in (one, other):
        assert isinstance(world.run(service), RuntimeUnavailable), "and nothing older stands in later"


@pytest.mark.parametrize(
    "error", [RuntimeUnavailable(), RuntimeTimeout(), RateLimited(3), BadGateway("x")], ids=lambda e: type(e).__name__
)
def test_trouble_is_not_remembered(world: World, error: ServiceError) -> None:
    service = world.service()
    world.runtime.fail("run1", error)
    assert world.run(service) is error
    world.runtime.log("run1", b"[2]")
    assert world.metrics(service) == b"[2]"


def test_several_runs_are_one_request_and_each_has_its_own_outcome(world: World) -> None:
    service = world.service()
    world.metrics(service)
    world.runtime.log("run2", b"[2]")
    world.runtime.fail("run3", RuntimeForbids())
    found = world.runs(service, "run4", "run1", "run2", "run3")
    assert [type(found[run]) for run in ("run1", "run2", "run3", "run4")] == [
        Read,
        Read,
        RuntimeForbids,
        RunNotFound,
    ]
    assert list(found) == ["run4", "run1", "run2", "run3"]
    assert world.runtime.asked == [("run1",), ("run4", "run2", "run3")]


def test_a_runtime_without_metrics_has_none_for_any_run(world: World) -> None:
    world.runtime.describes = WITHOUT_METRICS
    service = world.service()
    assert isinstance(world.run(service), MetricsNotSupported)
    assert isinstance(world.run(service, "run9"), MetricsNotSupported), "not even a run that does not exist"
    assert world.runtime.described == 1
    world.runtime.describes = WITH_METRICS
    world.clock.pass_(5)
    eventually(lambda: isinstance(world.run(service, no_cache=True), Read))


@pytest.mark.parametrize(
    "trouble", [RuntimeUnavailable(), RuntimeTimeout(), BadGateway("x"), RuntimeForbids(), RuntimeRefuses()], ids=repr
)
def test_where_the_runtime_does_not_say_what_it_can_do_its_runs_are_read(world: World, trouble: ServiceError) -> None:
    world.runtime.describes = trouble
    assert world.metrics(world.service()) == b"[1]"


def test_a_runtime_that_is_slow_to_say_so_holds_its_runs_up_by_no_more_than_a_moment(world: World) -> None:
    gate = threading.Event()

    def slow() -> Capabilities:
        gate.wait(PATIENCE)
        return WITHOUT_METRICS

    world.runtime.describes = slow
    assert world.metrics(world.service()) == b"[1]"
    gate.set()


def test_what_the_runtime_can_do_is_fetched_once_for_all(world: World) -> None:
    one, other = world.service(), world.service()
    found = together(
        *[lambda service=service: world.can(service).content() for service in (one, other) for _ in range(8)]
    )
    assert found == [WITH_METRICS] * 16
    assert world.runtime.described == 1


def test_what_the_runtime_can_do_does_not_hang_on_the_resource_group(world: World) -> None:
    service = world.service()
    world.can(service)
    service.capabilities.read(context(CacheScope("t", "another"), world.cache_policy()))
    assert world.runtime.described == 1
    service.capabilities.read(context(CacheScope("another", "g"), world.cache_policy()))
    assert world.runtime.described == 2


def test_that_metrics_are_missing_is_believed_for_seconds_that_they_are_there_for_minutes(world: World) -> None:
    service = world.service()
    world.can(service)
    world.clock.pass_(299)
    assert world.can(service).provenance.source is From.STORED
    world.runtime.describes = WITHOUT_METRICS
    world.clock.pass_(1)
    world.can(service, max_age=1)
    world.clock.pass_(5)
    assert world.can(service).provenance.source is not From.STORED


def test_a_runtime_that_does_not_say_what_it_can_do_is_a_bad_gateway_and_asked_again_in_seconds(world: World) -> None:
    world.runtime.describes = BadGateway("garbage")
    service = world.service()
    for _ in range(3):
        with pytest.raises(BadGateway):
            world.can(service)
    assert world.runtime.described == 1
    world.runtime.describes = WITH_METRICS
    world.clock.pass_(5)
    assert world.can(service).content() == WITH_METRICS


@pytest.mark.parametrize("trouble", [RuntimeUnavailable(), RuntimeTimeout(), RateLimited(1)], ids=repr)
def test_what_a_runtime_could_do_stands_in_while_it_is_in_trouble(world: World, trouble: ServiceError) -> None:
    service = world.service()
    world.can(service)
    world.clock.pass_(400)
    world.runtime.describes = trouble
    read = world.can(service)
    assert read.content() == WITH_METRICS
    assert read.provenance.source is From.STORED_ON_ERROR
    assert world.metrics(service) == b"[1]"


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (RuntimeUnavailable(), "unreachable"),
        (RuntimeTimeout(), "unreachable"),
        (BadGateway("the MLflow server has artifacts only: name another"), "unusable"),
    ],
)
def test_why_a_runtime_gives_no_usable_answer_is_told_though_it_gave_one_before(
    world: World, trouble: ServiceError, state: RuntimeState
) -> None:
    queries = world.service()
    assert queries.capabilities.condition(context(HERE), explained=True) == RuntimeCondition("reachable")
    world.clock.pass_(60)
    world.runtime.describes = trouble
    for _ in range(2):
        assert queries.capabilities.condition(context(HERE), explained=True) == RuntimeCondition(state, trouble.detail)


def test_content_that_has_left_the_store_is_gone_and_can_be_read_anew(world: World) -> None:
    found = world.run(world.service())
    assert isinstance(found, Read)
    world.cache.delete(body_key(found.key, found.digest))
    later = world.service()
    stored = world.run(later)
    assert isinstance(stored, Read)
    with pytest.raises(ContentGone):
        stored.content()
    anew = later.metrics.resources(
        ["run1"], context(HERE, RequestCachePolicy(RequestDirectives(no_cache=True), world.clock() + 1))
    )["run1"]
    assert isinstance(anew, Read)
    assert anew.content().metrics[0].text == b"[1]"
    assert world.metrics(world.service()) == b"[1]", "and it is there for all again"


def test_a_body_of_another_content_is_no_body(world: World) -> None:
    found = world.run(world.service())
    world.runtime.log("run2", b"[2]")
    foreign = world.run(world.service(), "run2")
    assert isinstance(found, Read)
    assert isinstance(foreign, Read)
    body = world.cache.get(body_key(foreign.key, foreign.digest))
    assert body is not None
    world.cache.set_many({body_key(found.key, found.digest): body}, 60)
    stored = world.run(world.service())
    assert isinstance(stored, Read)
    with pytest.raises(ContentGone):
        stored.content()


def test_keys_are_those_of_the_parts_that_distinguish_answers(world: World) -> None:
    found = world.run(world.service())
    assert isinstance(found, Read)
    assert found.key == entry_key("run-metrics", "t", "default", "fake", "g", "", "run1")


def test_a_comparison_that_is_refreshed_too_soon_waits_once_and_on_no_thread_of_its_parts(world: World) -> None:
    """So that those of others find threads to be read on."""
    slept: list[tuple[str, float]] = []

    def sleep(seconds: float) -> None:
        slept.append((threading.current_thread().name, seconds))
        world.clock.pass_(seconds)

    world.runtime.log("run2", b"[2]")
    for run_id in ("run1", "run2"):
        world.runtime.details["t", "g", run_id] = RunDetails(Run(run_id, "RUNNING"))
    cache = MemoryCache(10**7, clock=world.clock)
    process = Process(cache, world.clock, lifetimes=replace(LIFETIMES, min_refresh=1), sleep=sleep)
    service = queries(world.runtime, process)
    world.made.append(service)

    def compared(*run_ids: str, **directives: Any) -> None:
        world.clock.pass_(2**-10)
        comparison = service.comparison(run_ids, context(HERE, world.cache_policy(**directives)))
        assert (list(comparison.found), comparison.missing) == ([*run_ids], {})

    compared("run1", "run2")
    compared("run1", no_cache=True)
    assert slept == []
    asked = len(world.runtime.asked)
    compared("run1", "run2", no_cache=True)
    ((thread, seconds),) = slept
    assert thread == threading.current_thread().name
    assert 0.9 < seconds < 1
    assert world.runtime.asked[asked:] == [("run2",), ("run1",)]


def _points(value: float) -> bytes:
    return b'{"name":"loss","value":%f,"timestamp":null,"step":1,"labels":[]}' % value


def test_summaries_of_stored_runs_touch_neither_the_runtime_nor_a_point(world: World) -> None:
    """25 runs: three calls of at most ten runs; then nothing but summaries, in another process too."""
    run_ids = [f"run{number}" for number in range(25)]
    for number, run_id in enumerate(run_ids):
        world.runtime.log(run_id, _points(number), may_change=False)
    first = world.service().metrics.summaries(run_ids, context(HERE, world.cache_policy()))
    last = {run_id: read.content() for run_id, read in first.items() if isinstance(read, Read)}
    assert [json.loads(last[run_id].summaries[0].last)["value"] for run_id in run_ids] == list(range(25))
    assert sorted(map(len, world.runtime.asked)) == [5, 10, 10]

    for run_id, read in first.items():
        assert isinstance(read, Read)
        points = rest_key(entry_key("run-metrics", "t", "default", "fake", "g", "", run_id), read.digest)
        assert world.cache.get(points) is not None
        world.cache.delete(points)
    again = world.service().metrics.summaries(run_ids, context(HERE, world.cache_policy()))
    assert {run_id: read.content() for run_id, read in again.items() if isinstance(read, Read)} == last
    assert len(world.runtime.asked) == 3


def test_the_summary_of_a_run_that_ended_long_ago_lasts_and_that_of_another_does_not(world: World) -> None:
    service = world.service()
    ended = world.clock() - LIFETIMES.fresh_finished - 10
    for run_id in ("run1", "run2", "run3"):
        world.runtime.log(run_id, _points(1), may_change=run_id == "run3")

    def read(**directives: Any) -> dict[str, Any]:
        ended_at = {"run1": ended, "run2": world.clock() - 1, "run3": ended}
        return service.metrics.summaries(
            ["run1", "run2", "run3"], context(HERE, world.cache_policy(**directives)), ended_at
        )

    read()
    world.clock.pass_(LIFETIMES.fresh_finished + LIFETIMES.stale_while_revalidate + 1)
    world.runtime.asked.clear()
    found = read()
    assert world.runtime.asked == [("run2", "run3")]
    assert found["run1"].provenance.source is From.STORED
    assert found["run1"].provenance.ttl > 0
    world.runtime.asked.clear()
    read(no_cache=True)
    assert ("run1",) in world.runtime.asked, "the others were fetched at this very moment"


def test_of_runs_that_were_not_stored_only_the_summaries_stay_in_memory(world: World) -> None:
    """120 runs of 40 KB: what is held at once is that of the calls under way, and in the end nothing of it."""
    run_ids, size = [f"run{number}" for number in range(120)], 40_000

    class Writing(FakeRuntime):
        def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, RunMetrics]:
            self.asked.append(tuple(run_ids))
            return {
                run_id: RunMetrics(MetricResource(run_id, metrics=(Chunk(_points(1) + b" " * size, 1),)), False)
                for run_id in run_ids
            }

    runtime = Writing()
    service = world.service(runtime)
    tracemalloc.start()
    try:
        found = service.metrics.summaries(run_ids, context(HERE, world.cache_policy()))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80 * size
    assert held < 40 * size
    for run_id in run_ids:
        world.cache.delete(entry_key("run-metrics", "t", "default", "fake", "g", "", run_id))
    asked = len(runtime.asked)
    assert all(isinstance(one, Read) and one.content().summaries for one in found.values())
    assert len(runtime.asked) == asked


def test_what_is_the_matter_with_a_run_is_its_summary(world: World) -> None:
    world.runtime.log("run1", _points(1))
    found = world.service().metrics.summaries(["run1", "nosuchrun"], context(HERE, world.cache_policy()))
    assert isinstance(found["run1"], Read)
    assert isinstance(found["nosuchrun"], RunNotFound)
