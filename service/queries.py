"""The questions the service answers, independent of how they are asked."""

from __future__ import annotations

import time
from typing import Literal

from service.caching.directives import RequestDirectives
from service.domain.errors import BadGateway, RuntimeForbids, RuntimeRefuses, ServiceError
from service.domain.reading import Provenance, Source
from service.domain.runtime import Capabilities, Exchange, Vantage
from service.runtimes.cached import CachedRuntime, ReadRun
from service.runtimes.read_through import Demand

RuntimeState = Literal["reachable", "unreachable", "unusable", "unknown"]
_STATE_SECONDS = 10


class Queries:
    """Reads one runtime. Every method ends by the exchange's deadline and raises only ``ServiceError``s."""

    def __init__(self, runtime: CachedRuntime) -> None:
        self._runtime = runtime

    def metric_resource(self, run_id: str, vantage: Vantage, exchange: Exchange, demand: Demand) -> ReadRun:
        """One run's metrics, tags and custom info."""
        found = self._runtime.run_metrics([run_id], vantage, exchange, demand)[run_id]
        if isinstance(found, ServiceError):
            raise found
        return found

    def capabilities(
        self, vantage: Vantage, exchange: Exchange, demand: Demand
    ) -> tuple[Capabilities, str, Provenance]:
        """What the runtime can do, a name of that content, and how it was come by."""
        capabilities, found = self._runtime.capabilities(vantage, exchange, demand)
        return capabilities, found.header.digest.hex(), found.provenance

    def still(self, key: str, digest: bytes) -> Provenance | None:
        """How fresh a stored answer is, if it is fresh and its content is still that of ``digest``."""
        return self._runtime.still(key, digest)

    def runtime_state(self, vantage: Vantage, exchange: Exchange) -> RuntimeState:
        """How the runtime does, by asking what it can do, at most every few seconds."""
        demand = Demand(RequestDirectives(max_age=_STATE_SECONDS), time.time())
        try:
            _, found = self._runtime.capabilities(vantage, exchange, demand)
        except (BadGateway, RuntimeRefuses, RuntimeForbids):
            return "unusable"
        except ServiceError:
            return "unreachable"
        return "unreachable" if found.provenance.source is Source.STORED_ON_ERROR else "reachable"

    def close(self) -> None:
        self._runtime.close()
