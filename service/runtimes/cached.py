"""An AI runtime read through the store: what ``queries`` asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from service.caching import codec
from service.caching.directives import RequestDirectives
from service.caching.keys import entry_key
from service.domain.errors import (
    BadGateway,
    MetricsNotSupported,
    RunGone,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    ServiceError,
)
from service.domain.metrics import MetricResource
from service.domain.reading import Provenance, Source
from service.domain.runtime import AIRuntime, Capabilities, Exchange, RunMetrics, Vantage
from service.runtimes import stored
from service.runtimes.read_through import VALUE, Demand, Fetched, Found, ReadThrough
from service.runtimes.side_by_side import Question, SideBySide

_ABSENT, _GONE, _UNSUPPORTED, _UNTOLD = "absent", "gone", "unsupported", "untold"
_FORBIDDEN, _REFUSED = "forbidden", "refused"
_META_GRACE = 1.0
"""Seconds that a run's answer, once there, waits to hear whether the runtime has metrics at all."""
_CURRENT = frozenset({Source.STORED, Source.FETCHED_NEW, Source.FETCHED_OVER_STALE, Source.FETCHED_ON_REQUEST})


@dataclass(frozen=True, slots=True)
class ReadRun:
    """One run's metric resource as it was read.

    ``key`` and ``digest`` name its content. ``resource`` loads the content itself and raises ``ContentGone`` where it
    has left the store since.
    """

    key: str
    digest: bytes
    provenance: Provenance
    resource: Callable[[], MetricResource]


class ContentGone(Exception):
    """The store knows of the content and does not hold it any more: read again, past the store."""


class CachedRuntime:
    """Reads runs and capabilities; each is fetched once for all who ask from the same vantage."""

    def __init__(self, runtime: AIRuntime, reads: ReadThrough, side_by_side: SideBySide) -> None:
        self._runtime = runtime
        self._reads = reads
        self._side_by_side = side_by_side

    def run_metrics(
        self, run_ids: Sequence[str], vantage: Vantage, exchange: Exchange, demand: Demand
    ) -> dict[str, ReadRun | ServiceError]:
        """Each run's metric resource, or what is the matter with that run; at most one metrics request upstream."""
        run_of = {self._key("run-metrics", vantage, run_id): run_id for run_id in run_ids}

        def fetch(keys: Sequence[str]) -> dict[str, Fetched | ServiceError]:
            return self._fetch_runs({key: run_of[key] for key in keys}, vantage, exchange)

        found = self._reads.read(list(run_of), fetch, demand, exchange.deadline)
        return {run_id: self._read_run(found[key], run_id) for key, run_id in run_of.items()}

    def capabilities(self, vantage: Vantage, exchange: Exchange, demand: Demand) -> tuple[Capabilities, Found]:
        """What the runtime can do. Raises ``ServiceError``s."""
        key = self._key("capabilities", vantage, "")

        def fetch(keys: Sequence[str]) -> dict[str, Fetched | ServiceError]:
            return dict.fromkeys(keys, self._fetch_capabilities(vantage, exchange))

        found = self._reads.read([key], fetch, demand, exchange.deadline)[key]
        if isinstance(found, ServiceError):
            raise found
        packed = self._reads.body(found) if found.header.outcome == VALUE else None
        if packed is None:
            raise BadGateway("the AI runtime does not tell what it can do")
        capabilities = codec.unpack(packed, Capabilities)
        self._runtime.heed(capabilities, found.header.fetched_at)
        return capabilities, found

    def still(self, key: str, digest: bytes) -> Provenance | None:
        """See ``ReadThrough.still``."""
        return self._reads.still(key, digest)

    def close(self) -> None:
        self._reads.close()
        self._side_by_side.close()

    def _key(self, kind: str, vantage: Vantage, run_id: str) -> str:
        group = "" if kind == "capabilities" else vantage.resource_group
        return entry_key(kind, vantage.tenant, self._runtime.identity, group, vantage.caller or "", run_id)

    def _read_run(self, found: Found | ServiceError, run_id: str) -> ReadRun | ServiceError:
        if isinstance(found, ServiceError):
            return found
        if found.header.outcome != VALUE:
            return _missing(found.header.outcome, run_id)
        return ReadRun(found.key, found.header.digest, found.provenance, partial(self._resource, found))

    def _resource(self, found: Found) -> MetricResource:
        packed = self._reads.body(found)
        if packed is None:
            raise ContentGone
        return stored.unpacked(packed)

    def _fetch_runs(
        self, run_of: Mapping[str, str], vantage: Vantage, exchange: Exchange
    ) -> dict[str, Fetched | ServiceError]:
        """Ask for runs, and beside them, where that is not known, whether the runtime has metrics at all."""
        supported = self._begin_supported(vantage, exchange)
        outcomes = self._runtime.run_metrics(list(run_of.values()), vantage, exchange)
        if supported.answer(exchange.deadline.sooner(_META_GRACE)) is False:
            return dict.fromkeys(run_of, Fetched(_UNSUPPORTED))
        return {key: _fetched(outcomes[run_id]) for key, run_id in run_of.items()}

    def _begin_supported(self, vantage: Vantage, exchange: Exchange) -> Question[bool]:
        def supported() -> bool:
            capabilities, found = self.capabilities(vantage, exchange, Demand(RequestDirectives(), time.time()))
            return capabilities.metrics or found.provenance.source not in _CURRENT

        return self._side_by_side.begin(supported)

    def _fetch_capabilities(self, vantage: Vantage, exchange: Exchange) -> Fetched | ServiceError:
        try:
            found = self._runtime.capabilities(vantage, exchange)
        except BadGateway:
            return Fetched(_UNTOLD)
        except ServiceError as error:
            return error
        return Fetched(VALUE, may_change=not found.metrics, packed=codec.pack(found))


def _fetched(outcome: RunMetrics | ServiceError) -> Fetched | ServiceError:
    match outcome:
        case RunMetrics():
            return Fetched(VALUE, outcome.may_change, stored.packed(outcome.resource))
        case RunGone():
            return Fetched(_GONE)
        case RunNotFound():
            return Fetched(_ABSENT)
        case MetricsNotSupported():
            return Fetched(_UNSUPPORTED)
        case RuntimeForbids():
            return Fetched(_FORBIDDEN)
        case RuntimeRefuses():
            return Fetched(_REFUSED)
        case _:
            return outcome


def _missing(outcome: str, run_id: str) -> ServiceError:
    match outcome:
        case "unsupported":
            return MetricsNotSupported()
        case "forbidden":
            return RuntimeForbids()
        case "refused":
            return RuntimeRefuses()
        case "gone":
            return RunGone(run_id)
        case _:
            return RunNotFound(run_id)
