"""An AI runtime in memory, behind the port ``domain.runtime.AIRuntime``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from service.domain.deadlines import Deadline
from service.domain.errors import RunNotFound, ServiceError
from service.domain.metrics import Chunk, MetricResource
from service.domain.runtime import Capabilities, Exchange, RunMetrics, Vantage
from tests.unit.runtimes.worlds import PATIENCE

WITH_METRICS = Capabilities("fake", "2.0", True, "1.0.0")
WITHOUT_METRICS = Capabilities("fake", "2.0", False)


class FakeRuntime:
    """Holds runs by vantage and id; what is no metric resource is raised or told as the error that it is."""

    def __init__(self, identity: str = "fake") -> None:
        self.identity = identity
        self.runs: dict[tuple[str, str, str], RunMetrics | ServiceError] = {}
        self.describes: Capabilities | ServiceError | Callable[[], Capabilities] = WITH_METRICS
        self.asked: list[tuple[str, ...]] = []
        self.described = 0
        self.heeded: list[tuple[Capabilities, float]] = []
        self._lock = threading.Lock()

    def log(self, run_id: str, metrics: bytes, *, tenant: str = "t", group: str = "g", may_change: bool = True) -> None:
        self.runs[tenant, group, run_id] = RunMetrics(MetricResource(run_id, metrics=(Chunk(metrics, 1),)), may_change)

    def fail(self, run_id: str, error: ServiceError) -> None:
        self.runs["t", "g", run_id] = error

    def run_metrics(
        self, run_ids: Sequence[str], vantage: Vantage, exchange: Exchange
    ) -> Mapping[str, RunMetrics | ServiceError]:
        with self._lock:
            self.asked.append(tuple(run_ids))
        return {
            run_id: self.runs.get((vantage.tenant, vantage.resource_group, run_id), RunNotFound(run_id))
            for run_id in run_ids
        }

    def capabilities(self, vantage: Vantage, exchange: Exchange) -> Capabilities:
        with self._lock:
            self.described += 1
        if isinstance(self.describes, ServiceError):
            raise self.describes
        return self.describes if isinstance(self.describes, Capabilities) else self.describes()

    def heed(self, capabilities: Capabilities, heard_at: float) -> None:
        self.heeded.append((capabilities, heard_at))


def exchange(seconds: float = PATIENCE) -> Exchange:
    return Exchange(Deadline(time.monotonic() + seconds), "a-request", "00-" + "1" * 32 + "-" + "2" * 16 + "-00")
