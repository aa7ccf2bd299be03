"""A world of watched runs: a runtime to order, feeds of its runs, and watchers that note what they are told."""

from __future__ import annotations

import time

from service.caching.memory import MemoryCache
from service.domain.runtime import CacheScope
from service.reads.entries import Connection
from service.reads.feed import Update
from service.reads.feeds import Feeds
from service.reads.policy import Lifetimes
from service.reads.queries import Queries
from testing.clocks import Clock
from tests.unit.reads.fakes import FakeRuntime, context
from tests.unit.reads.worlds import Process

HERE = CacheScope("t", "g")
INTERVAL = 0.1


class RunningClock(Clock):
    def __call__(self) -> float:
        return time.time()


class Watcher:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.ends: list[str] = []

    def updated(self, what: Update) -> None:
        self.given += [event.points.text for event in what.events if event.points is not None]

    def fell_behind(self) -> None:
        self.ends.append("behind")

    def forbidden(self) -> None:
        self.ends.append("forbidden")

    def gone(self) -> None:
        self.ends.append("gone")

    def tick(self, now: float) -> None:
        pass

    def stop(self) -> None:
        self.ends.append("stop")


class World:
    def __init__(self) -> None:
        cache = MemoryCache(10**7)
        self.process = Process(
            cache, RunningClock(0.0), lifetimes=Lifetimes(fresh_running=INTERVAL, min_refresh=0), sleep=time.sleep
        )
        cache.subscribe(self.process.store.changes)
        self.runtime = FakeRuntime()
        self.connect(self.runtime)

    def connect(self, runtime: FakeRuntime) -> None:
        self.queries = Queries({"default": Connection(runtime, self.process.reads)})
        self.feeds = Feeds(self.queries, self.process.store.changes, 1000, self.process.telemetry)

    def watch(self, *run_ids: str) -> dict[str, Watcher]:
        watchers = {}
        for run_id in run_ids:
            self.log(run_id, 1)
            feed = self.feeds.open(run_id, context(HERE))
            watchers[run_id] = Watcher()
            while not feed.watch(watchers[run_id], feed.now):
                pass
        return watchers

    def log(self, run_id: str, steps: int) -> None:
        self.runtime.log(run_id, b"[%b]" % b",".join(b'{"step":%d}' % step for step in range(steps)))

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.feeds.stop()
        self.queries.close()

    def outcomes(self, outcome: str) -> float:
        name = "metric_resource_cache_outcomes_total"
        return self.process.telemetry.registry.get_sample_value(name, {"outcome": outcome}) or 0.0
