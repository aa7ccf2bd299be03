"""The service's Prometheus metrics, with labels of low cardinality, never run ids or tenants; and, where traces are
sent, the spans of what is counted."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:  # importing it requires OpenTelemetry, which only traces need
    from service.telemetry.tracing import Span, Tracing

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "requests": ("Answered requests.", ("method", "route", "status")),
    "cache_outcomes": ("Reads, by the source of the answer, or error.", ("outcome",)),
    "cache_server_errors": ("Cache server operations that failed.", ()),
    "upstream_exchanges": (
        "Exchanges with an AI runtime, by connection, operation and outcome (a status code or an error's name).",
        ("connection", "operation", "outcome"),
    ),
    "upstream_retries": ("Retries of exchanges with the AI runtime.", ("connection", "operation")),
    "flight_waits": ("Reads that waited for another reader's fetch.", ()),
    "log_lines_dropped": ("Log lines that were dropped because standard error was not read.", ()),
    "refusals": (
        "What was refused before the runtime was asked: unauthenticated, forbidden, overloaded, refresh.",
        ("reason",),
    ),
    "event_stream_ends": (
        "Event streams that have ended: ended, expired, shutdown, slow (the reader was too slow), gone (it left).",
        ("reason",),
    ),
}
_HISTOGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "request_seconds": ("Time from request to answer.", ("route",)),
    "upstream_seconds": ("Time of exchanges with the AI runtime.", ("connection", "operation")),
}
_GAUGES: dict[str, tuple[str, tuple[str, ...], Literal["livemax", "livesum"]]] = {
    "circuit_state": ("Each runtime's circuit: 0 closed, 1 half open, 2 open.", ("connection",), "livemax"),
    "fetches": (
        "Fetches from the AI runtime in progress, by partition of the bulkhead: slow, fast.",
        ("connection", "partition"),
        "livesum",
    ),
    "event_streams": ("Event streams that are open.", (), "livesum"),
}
_PREFIX = "metric_resource_"
_UNTRACED = nullcontext()


class Telemetry:
    """All metrics of one process, on a registry of its own. Thread-safe.

    ``connection`` is the label of exchanges, fetches and circuits; empty for servers other than runtimes.
    ``tracing`` is ``None`` where no traces are sent.
    """

    connection = ""

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.tracing = tracing
        self.registry = registry = CollectorRegistry()
        self._counters = {
            name: Counter(_PREFIX + name, text, labels, registry=registry) for name, (text, labels) in _COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(_PREFIX + name, text, labels, buckets=_SECONDS, registry=registry)
            for name, (text, labels) in _HISTOGRAMS.items()
        }
        self._gauges = {
            name: Gauge(_PREFIX + name, text, labels, registry=registry, multiprocess_mode=mode)
            for name, (text, labels, mode) in _GAUGES.items()
        }
        self._of_route = lru_cache(maxsize=1024)(self._find_route)

    def of_connection(self, name: str) -> Telemetry:
        """The same metrics with the label of that connection."""
        found = copy(self)
        found.connection = name
        return found

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        count, duration = self._of_route(method, route, status)
        count.inc()
        duration.observe(seconds)

    def _find_route(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        count = self._counters["requests"].labels(method, route, str(status))
        return count, self._histograms["request_seconds"].labels(route)

    def cache_outcome(self, outcome: str, times: int = 1) -> None:
        self._counters["cache_outcomes"].labels(outcome).inc(times)

    def cache_server_error(self) -> None:
        self._counters["cache_server_errors"].inc()

    def upstream_exchange(self, operation: str, outcome: str, seconds: float) -> None:
        self._counters["upstream_exchanges"].labels(self.connection, operation, outcome).inc()
        self._histograms["upstream_seconds"].labels(self.connection, operation).observe(seconds)

    def exchange_span(self, method: str, url: str, operation: str) -> Span | None:
        """Begin the span of an exchange; ``None`` where it is not recorded."""
        return None if self.tracing is None else self.tracing.exchange(method, url, operation, self.connection)

    def cache_trip(self, command: str, server: str, commands: int = 1) -> AbstractContextManager[None]:
        """The span of a command to a cache server."""
        return _UNTRACED if self.tracing is None else self.tracing.cache_trip(command, server, commands)

    def unasked(self, name: str) -> AbstractContextManager[None]:
        """The span of background work on the calling thread."""
        return _UNTRACED if self.tracing is None else self.tracing.unasked(name)

    def upstream_retry(self, operation: str) -> None:
        self._counters["upstream_retries"].labels(self.connection, operation).inc()

    def circuit_state(self, state: int) -> None:
        """``state``: 0 closed, 1 half open, 2 open."""
        self._gauges["circuit_state"].labels(self.connection).set(state)

    def fetch_began(self, partition: str) -> None:
        self._gauges["fetches"].labels(self.connection, partition).inc()

    def fetch_ended(self, partition: str) -> None:
        self._gauges["fetches"].labels(self.connection, partition).dec()

    def flight_wait(self) -> None:
        self._counters["flight_waits"].inc()

    def event_stream_began(self) -> None:
        self._gauges["event_streams"].inc()

    def event_stream_ended(self, reason: str) -> None:
        """``reason``: that of the last event, or ``slow`` or ``gone`` where the reader got none."""
        self._gauges["event_streams"].dec()
        self._counters["event_stream_ends"].labels(reason).inc()

    def log_line_dropped(self) -> None:
        self._counters["log_lines_dropped"].inc()

    def refusal(self, reason: str) -> None:
        self._counters["refusals"].labels(reason).inc()
