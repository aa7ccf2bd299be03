"""The service's Prometheus metrics. Labelled by route template, operation and outcome, never by run id or tenant."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Telemetry:
    """All metrics of one process, on a registry of its own. Every method is safe from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "metric_resource_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "metric_resource_request_seconds",
            "Time from request to answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._cache = Counter(
            "metric_resource_cache_outcomes",
            "How reads met the cache: hit, miss, stale, stale-if-error, shared, bypass.",
            ("outcome",),
            registry=registry,
        )
        self._cache_server_errors = Counter(
            "metric_resource_cache_server_errors",
            "Cache server operations that failed and were done without.",
            registry=registry,
        )
        self._upstream = Counter(
            "metric_resource_upstream_exchanges",
            "Exchanges with the AI runtime, by operation and outcome (a status code or an error's name).",
            ("operation", "outcome"),
            registry=registry,
        )
        self._upstream_seconds = Histogram(
            "metric_resource_upstream_seconds",
            "Time of exchanges with the AI runtime.",
            ("operation",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._retries = Counter(
            "metric_resource_upstream_retries",
            "Exchanges with the AI runtime that were tried again.",
            ("operation",),
            registry=registry,
        )
        self._circuit = Gauge(
            "metric_resource_circuit_state",
            "The runtime's circuit: 0 closed, 1 half open, 2 open.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._waits = Counter(
            "metric_resource_flight_waits",
            "Reads that waited for a fetch another reader had under way.",
            registry=registry,
        )
        self._refusals = Counter(
            "metric_resource_refusals",
            "Requests refused before the runtime was asked: unauthenticated, forbidden, overloaded, …",
            ("reason",),
            registry=registry,
        )

        self._of_route = lru_cache(maxsize=1024)(self._find_route)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        count, duration = self._of_route(method, route, status)
        count.inc()
        duration.observe(seconds)

    def _find_route(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, str(status)), self._request_seconds.labels(route)

    def cache_outcome(self, outcome: str) -> None:
        self._cache.labels(outcome).inc()

    def cache_server_error(self) -> None:
        self._cache_server_errors.inc()

    def upstream_exchange(self, operation: str, outcome: str, seconds: float) -> None:
        self._upstream.labels(operation, outcome).inc()
        self._upstream_seconds.labels(operation).observe(seconds)

    def upstream_retry(self, operation: str) -> None:
        self._retries.labels(operation).inc()

    def circuit_state(self, state: int) -> None:
        """``state``: 0 closed, 1 half open, 2 open."""
        self._circuit.set(state)

    def flight_wait(self) -> None:
        self._waits.inc()

    def refusal(self, reason: str) -> None:
        self._refusals.labels(reason).inc()
