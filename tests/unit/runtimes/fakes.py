"""An AI runtime in memory, behind the port ``domain.runtime.AIRuntime``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from service.concurrency.deadline import Deadline
from service.domain.errors import RunNotFound, RuntimeTimeout, ServiceError
from service.domain.metrics import Chunk, MetricResource
from service.domain.runs import RunDetails, RunList
from service.domain.runtime import Capabilities, Exchange, RunMetrics, Vantage
from tests.unit.runtimes.worlds import PATIENCE

WITH_METRICS = Capabilities("fake", "2.0", True, "1.0.0")
WITHOUT_METRICS = Capabilities("fake", "2.0", False)


class FakeRuntime:
    """Holds runs by tenant, resource group and id; an error in a run's place is what reading it gives.

    The contract suite (``tests/contract/test_runtimes.py``) runs on it as on the real adapters.
    """

    def __init__(self, identity: str = "fake") -> None:
        self.identity = identity
        self.logged: dict[tuple[str, str, str], RunMetrics | ServiceError] = {}
        self.details: dict[tuple[str, str, str], RunDetails] = {}
        self.describes: Capabilities | ServiceError | Callable[[], Capabilities] = WITH_METRICS
        self.asked: list[tuple[str, ...]] = []
        self.described = 0
        self.heeded: list[tuple[Capabilities, float]] = []
        self._lock = threading.Lock()

    def log(self, run_id: str, metrics: bytes, *, tenant: str = "t", group: str = "g", may_change: bool = True) -> None:
        self.logged[tenant, group, run_id] = RunMetrics(
            MetricResource(run_id, metrics=(Chunk(metrics, 1),)), may_change
        )

    def fail(self, run_id: str, error: ServiceError) -> None:
        self.logged["t", "g", run_id] = error

    def run_metrics(
        self, run_ids: Sequence[str], vantage: Vantage, exchange: Exchange
    ) -> Mapping[str, RunMetrics | ServiceError]:
        with self._lock:
            self.asked.append(tuple(run_ids))
        _in_time(exchange)
        return {
            run_id: self.logged.get((vantage.tenant, vantage.resource_group, run_id), RunNotFound(run_id))
            for run_id in run_ids
        }

    def runs(self, vantage: Vantage, exchange: Exchange) -> RunList:
        _in_time(exchange)
        found = [
            details.run
            for (tenant, group, _), details in self.details.items()
            if (tenant, group) == (vantage.tenant, vantage.resource_group)
        ]
        return RunList(tuple(sorted(found, key=lambda run: run.created_at, reverse=True)))

    def run(self, run_id: str, vantage: Vantage, exchange: Exchange) -> RunDetails:
        _in_time(exchange)
        details = self.details.get((vantage.tenant, vantage.resource_group, run_id))
        if details is None:
            raise RunNotFound(run_id)
        return details

    def capabilities(self, vantage: Vantage, exchange: Exchange) -> Capabilities:
        _in_time(exchange)
        with self._lock:
            self.described += 1
        if isinstance(self.describes, ServiceError):
            raise self.describes
        return self.describes if isinstance(self.describes, Capabilities) else self.describes()

    def heed(self, capabilities: Capabilities, heard_at: float) -> None:
        self.heeded.append((capabilities, heard_at))


def _in_time(exchange: Exchange) -> None:
    if exchange.deadline.expired:
        raise RuntimeTimeout


def exchange(seconds: float = PATIENCE) -> Exchange:
    return Exchange(Deadline(time.monotonic() + seconds), "a-request", "00-" + "1" * 32 + "-" + "2" * 16 + "-00")
