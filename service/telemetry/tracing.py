"""Traces by OpenTelemetry, sent to a collector by OTLP over HTTP.

Only imported where a collector is configured: the extra ``tracing`` need not be installed otherwise. The ``OTEL_*``
variables are read by OpenTelemetry itself (its specification, "Environment Variable Specification"); names of spans
and attributes follow its semantic conventions for HTTP and databases, 1.3x.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from random import getrandbits
from urllib.parse import urlsplit

import msgspec
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as RecordedSpan

from service.concurrency.background import in_background
from service.concurrency.thread_origin import origin, working_for
from service.telemetry.trace_options import TraceAttribute

_NAME = "metric-resource"
_DISTRIBUTION = "metric-resource-service"
_NO_PARENT = Context()
_PARENT_BASED = "ParentBased{"
_RATIO = re.compile(r"TraceIdRatioBased\{([0-9.e-]+)\}")
_FLUSH_SECONDS = 3.0
"""Seconds that a stopping worker waits for the collector: less than its platform waits for the worker."""
_LONGEST_STATE = 512
"""Characters of ``tracestate`` that must be passed on (W3C Trace Context, 3.3.1.5)."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_log = logging.getLogger("service.tracing")


class Span:
    """A span that is not recorded, but has ids, which are sent upstream and logged."""

    __slots__ = ("traceparent",)
    recorded: bool = False
    context: Context = _NO_PARENT
    tracestate: str = ""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    @property
    def members(self) -> str:
        """The members of a log line, as JSON (OpenTelemetry, "Trace Context in non-OTLP Log Formats")."""
        named = self.traceparent
        return f', "trace_id": "{named[3:35]}", "span_id": "{named[36:52]}", "trace_flags": "{named[53:55]}"'

    def rename(self, name: str) -> None:
        """Where it is recorded."""

    def describe(self, attributes: Mapping[str, str | int]) -> None:
        """Where it is recorded."""

    def fail(self, kind: str) -> None:
        """``kind`` is a class of error or a status code; the error's message may hold what is confidential."""

    def end(self) -> None:
        """May be called several times; the first one counts."""


class _Recorded(Span):
    __slots__ = ("_span", "context", "tracestate")
    recorded = True

    def __init__(self, traceparent: str, span: RecordedSpan) -> None:
        super().__init__(traceparent)
        self._span = span
        self.context = set_span_in_context(span, _NO_PARENT)
        self.tracestate = span.get_span_context().trace_state.to_header()

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def describe(self, attributes: Mapping[str, str | int]) -> None:
        self._span.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end()


class Tracing:
    """Begins spans. The origin of a thread's work is a span (``concurrency.thread_origin``), the parent of further
    ones."""

    def __init__(self, shown: Collection[TraceAttribute]) -> None:
        """Starts a thread that sends, so it has to be made in the process that serves: threads do not survive a
        fork."""
        self._shown = frozenset(shown)
        self._ids = _Ids()
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False, id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(_NAME)
        self._sampled = _Sampled.by(self._provider.sampler.get_description())

    def begin_request(self, method: str, traceparent: str | None, tracestate: str | None) -> Span:
        """Begin the span of a request with these headers: a child of the caller's, or the first of a trace.

        ``traceparent`` is well-formed, or ``None``.
        """
        if traceparent is None:
            trace = _any(128)
            if _is_dropped(trace, self._sampled.begun_here):
                return Span(f"00-{trace:032x}-{_any(64):016x}-00")
            with self._ids.next_trace(trace):
                return _span(self._tracer.start_span(method, _NO_PARENT, SpanKind.SERVER))
        by_caller = int(traceparent[53:55], 16) & TraceFlags.SAMPLED
        bound = self._sampled.of_sampling_callers if by_caller else self._sampled.of_other_callers
        if bound == 0 or _is_dropped(int(traceparent[3:35], 16), bound):
            return Span(f"00-{traceparent[3:35]}-{_any(64):016x}-00")
        parent = set_span_in_context(NonRecordingSpan(_context_of(traceparent, tracestate)), _NO_PARENT)
        return _span(self._tracer.start_span(method, parent, SpanKind.SERVER))

    def answered(
        self, method: str, route: str | None, status: int, more: Mapping[str, object], resource_group: str | None
    ) -> None:
        """Describe the answer in the span of this thread's request; ``route`` is empty where none matched.

        Members of ``more`` that are not text are left out.
        """
        span = origin()
        if span is None or not span.recorded:
            return
        attributes = {name: value for name, value in more.items() if isinstance(value, str)}
        span.describe({f"metric_resource.{name}": value for name, value in attributes.items()})
        span.describe({"http.response.status_code": status})
        if route is not None:
            span.rename(f"{method} {route}")
            span.describe({"http.route": route})
        if resource_group is not None and TraceAttribute.RESOURCE_GROUP in self._shown:
            span.describe({TraceAttribute.RESOURCE_GROUP: resource_group})
        if status >= 500:
            span.fail(attributes.get("problem", str(status)))

    def shows(self, attribute: TraceAttribute) -> bool:
        return attribute in self._shown

    def exchange(self, method: str, url: str, operation: str, connection: str) -> Span | None:
        """The span of an exchange with a runtime or another server; ``None`` where nothing is recorded."""
        parts = urlsplit(url)
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": parts.hostname or "",
            "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
            "metric_resource.operation": operation,
        }
        if connection:
            attributes["metric_resource.connection"] = connection
        if TraceAttribute.URL_FULL in self._shown:
            attributes[TraceAttribute.URL_FULL] = url
        return self._child(f"{method} {operation}", attributes)

    @contextmanager
    def cache_trip(self, command: str, server: str, commands: int) -> Iterator[None]:
        """The span of a ``command`` to a cache server, for ``commands`` keys. It never has a key."""
        name, _, procedure = command.partition(" ")
        address, _, port = server.rpartition(":")
        attributes: dict[str, str | int] = {"db.system.name": "redis", "db.operation.name": name}
        if procedure:
            attributes["db.stored_procedure.name"] = procedure
        if commands > 1:
            attributes["db.operation.batch.size"] = commands
        attributes |= (
            {"server.address": address, "server.port": int(port)} if port.isdigit() else {"server.address": server}
        )
        span = self._child(command, attributes)
        if span is None:
            yield
            return
        try:
            yield
        except BaseException as error:
            span.fail(type(error).__name__)
            raise
        finally:
            span.end()

    @contextmanager
    def unasked(self, name: str) -> Iterator[None]:
        """The span of background work on the calling thread: the first of its own trace."""
        span = _span(self._tracer.start_span(name, _NO_PARENT))
        try:
            with working_for(span):
                yield
        finally:
            span.end()

    def close(self) -> None:
        """Send the remaining spans, within seconds."""
        flushed = in_background(self._provider.shutdown, "trace-flush")
        try:
            flushed.result(_FLUSH_SECONDS)
        except TimeoutError:
            _log.warning("the collector refused the last spans", extra={"event": "tracing"})

    def _child(self, name: str, attributes: Mapping[str, str | int]) -> Span | None:
        parent = origin()
        if parent is None or not parent.recorded:
            return None
        return _span(self._tracer.start_span(name, parent.context, SpanKind.CLIENT, attributes))


def _resource() -> Resource:
    """The resource: version, process, host, and the attributes of the ``OTEL_…`` variables."""
    own = {"service.instance.id": f"{socket.gethostname()}-{os.getpid()}", "service.version": version(_DISTRIBUTION)}
    made = Resource.create(own)
    if str(made.attributes.get("service.name", "")).startswith("unknown_service"):
        return made.merge(Resource({"service.name": _NAME}))
    return made


class _Sampled(msgspec.Struct, frozen=True):
    """The bound of a sampler: traces whose id, by its last 64 bits, is below it are sampled.

    ``None`` where only the sampler itself can decide. OpenTelemetry has the same result (specification, "Built-in
    samplers"), but takes too long for a warm read.
    """

    begun_here: int | None
    of_sampling_callers: int | None
    of_other_callers: int | None

    @classmethod
    def by(cls, description: str) -> _Sampled:
        if not description.startswith(_PARENT_BASED):
            bound = _bound(description)
            return cls(bound, bound, bound)
        named = (part.partition(":") for part in description[len(_PARENT_BASED) : -1].split(","))
        samplers = {name: sampler for name, _, sampler in named}
        names = ("root", "remoteParentSampled", "remoteParentNotSampled")
        return cls(*(_bound(samplers.get(name, "")) for name in names))


def _bound(sampler: str) -> int | None:
    if sampler == "AlwaysOffSampler":
        return 0
    ratio = _RATIO.fullmatch(sampler)
    return None if ratio is None else TraceIdRatioBased.get_bound_for_rate(float(ratio[1]))


def _is_dropped(trace: int, bound: int | None) -> bool:
    return bound is not None and trace & TraceIdRatioBased.TRACE_ID_LIMIT >= bound


def _any(bits: int) -> int:
    """An id; one of zeros would be none (W3C Trace Context, 3.2.2)."""
    return getrandbits(bits) or 1  # as in OpenTelemetry: ids are not secret


class _Ids(RandomIdGenerator):
    """OpenTelemetry's generator of ids, with a given id for a trace that is sampled already."""

    def __init__(self) -> None:
        self._next = threading.local()

    @contextmanager
    def next_trace(self, trace: int) -> Iterator[None]:
        """A context in which a trace that this thread begins has this id."""
        self._next.trace = trace
        try:
            yield
        finally:
            self._next.trace = None

    def generate_trace_id(self) -> int:
        return getattr(self._next, "trace", None) or super().generate_trace_id()


def _span(started: RecordedSpan) -> Span:
    context = started.get_span_context()
    flags = int(context.trace_flags) & TraceFlags.SAMPLED
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"
    return _Recorded(traceparent, started) if started.is_recording() else Span(traceparent)


def _context_of(traceparent: str, tracestate: str | None) -> SpanContext:
    state = TraceState()
    if tracestate and len(tracestate) <= _LONGEST_STATE:
        state = TraceState.from_header([tracestate])
    flags = TraceFlags(int(traceparent[53:55], 16))
    return SpanContext(int(traceparent[3:35], 16), int(traceparent[36:52], 16), True, flags, state)
