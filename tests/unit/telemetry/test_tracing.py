"""Which requests are sampled: what is decided without OpenTelemetry is what its samplers would have decided."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from itertools import product

import pytest
from opentelemetry.sdk.trace.sampling import _get_from_env_or_default
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from service.telemetry.tracing import Tracing

CALLER = "b7ad6b7169203331"
SAMPLERS = [
    *product(("always_on", "always_off", "parentbased_always_on", "parentbased_always_off"), ("",)),
    *product(("traceidratio", "parentbased_traceidratio"), ("0", "0.5", "1")),
]


@pytest.fixture(params=SAMPLERS, ids="-".join)
def tracing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracing]:
    sampler, argument = request.param
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    made = Tracing(())
    yield made
    made.close()


def decided(trace: str, flags: str | None) -> bool:
    """What the sampler that the environment names says by itself."""
    context = None
    if flags is not None:
        caller = SpanContext(int(trace, 16), int(CALLER, 16), True, TraceFlags(int(flags, 16)))
        context = set_span_in_context(NonRecordingSpan(caller))
    return _get_from_env_or_default().should_sample(context, int(trace, 16), "GET").decision.is_sampled()


def test_a_request_is_sampled_as_the_sampler_and_its_caller_say(tracing: Tracing) -> None:
    traces = [secrets.token_hex(16) for _ in range(16)]
    spans = set()
    for flags, trace in product((None, "00", "01"), traces):
        given = None if flags is None else f"00-{trace}-{CALLER}-{flags}"
        span = tracing.begin_request("GET", given, None)
        _, begun, own, sampled = span.traceparent.split("-")
        assert re.fullmatch("[0-9a-f]{32}", begun)
        assert re.fullmatch("[0-9a-f]{16}", own)
        assert begun == trace or flags is None
        assert span.recorded is (sampled == "01") is decided(begun, flags)
        spans.add((begun, own))
    assert len(spans) == 3 * len(traces)
    assert len({begun for begun, _ in spans}) == 2 * len(traces)


def test_what_is_begun_here_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn by two ids, one after the other, a quarter would be sampled."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    tracing = Tracing(())
    sampled = sum(tracing.begin_request("GET", None, None).recorded for _ in range(1000))
    tracing.close()
    assert 375 < sampled < 625
