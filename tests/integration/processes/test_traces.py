"""Spans, as a collector receives them from real workers."""

from __future__ import annotations

import json
import re
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest

from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.event_streams import EventStream
from tests.servers.otlp import Collector, ReceivedSpan, collecting
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.service_hosts import Answer, ServiceHost, serving
from tests.servers.valkey import ValkeyServer
from tests.servers.valkey import running as running_valkey

SERVER, CLIENT = 2, 3
"""``SpanKind`` of opentelemetry.proto.trace.v1."""
ROUTE = "/runs/{runId}/metric-resource"
READ = f"GET {ROUTE}"


@dataclass(frozen=True)
class Traced:
    """A service that sends traces, what it reads, and where its traces go."""

    host: ServiceHost
    runtime: ScriptedRuntime
    collector: Collector

    def get(self, path: str, **headers: str) -> tuple[Answer, str]:
        """An answer, and the trace that its caller began."""
        trace = secrets.token_hex(16)
        given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", **headers}
        return self.host.get(path, **given), trace  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, trust: tuple[str, str], collector: Collector) -> Iterator[Traced]:
    issuer, token = trust
    directory = tmp_path_factory.mktemp("traced")
    with running_valkey(directory / "valkey") as valkey, scripted_runtime() as runtime:
        environment = {
            "AICORE_BASE_URL": runtime.url,
            "RUNTIME_AUTH": "none",
            "JWT_ISSUER": issuer,
            "JWT_AUDIENCE": "metric-resource",
            "WEB_CONCURRENCY": "1",
            "CACHE_SECRET": "a secret of the tests, for nothing else",
            "CACHE_FRESH_RUNNING": "60",
            "REDIS_URL": valkey.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
        }
        with serving(directory / "host", environment, token) as host:
            host.get("/capabilities")
            yield Traced(host, runtime, collector)


def only(spans: list[ReceivedSpan], kind: int) -> ReceivedSpan:
    (found,) = [span for span in spans if span.kind == kind]
    return found


def lines_about(host: ServiceHost, trace: str) -> list[dict[str, Any]]:
    """The lines of the access log that name a trace."""
    return [json.loads(line) for line in host.log().splitlines() if trace in line and '"request"' in line]


def parents(headers: list[dict[str, str]]) -> set[tuple[str, str]]:
    """The traces and spans that requests named as what they are part of."""
    named = [{name.lower(): value for name, value in each.items()}["traceparent"].split("-") for each in headers]
    return {(trace, span) for _, trace, span, flags in named if flags == "01"}


def test_a_cold_read_can_be_followed_from_its_caller_to_the_runtime(traced: Traced) -> None:
    asked = len(traced.runtime.headers)
    answer, trace = traced.get("/runs/cold/metric-resource")
    spans = traced.collector.whole(trace, READ)
    server = only(spans, SERVER)
    assert (server.name, server.parent) == (READ, "00f067aa0ba902b7")
    assert server.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": ROUTE,
        "metric_resource.cache": "miss",
        "network.protocol.version": "1.1",
        "url.scheme": "http",
    }
    assert server.resource["service.name"] == "metric-resource"
    assert server.resource["service.version"] == version("metric-resource-service")
    asks = [span for span in spans if span.kind == CLIENT]
    assert {span.parent for span in asks} == {server.id}
    assert all(server.began <= span.began and not span.failed for span in asks)
    to_runtime = [span for span in asks if "http.request.method" in span.attributes]
    assert sorted(span.name for span in to_runtime) == ["GET execution", "GET metrics"]
    assert {**to_runtime[0].attributes, "metric_resource.operation": "either"} == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "metric_resource.connection": "default",
        "metric_resource.operation": "either",
        "server.address": "127.0.0.1",
        "server.port": int(traced.runtime.url.split(":")[2].split("/")[0]),
    }
    assert {(span.trace, span.id) for span in to_runtime} == parents(traced.runtime.headers[asked:])
    to_redis = [span for span in asks if "db.system.name" in span.attributes]
    names = [span.name for span in to_redis]
    assert names[0] == "MGET"
    assert "EVALSHA release" not in names, "what is stored releases its lease"
    assert {"EVALSHA acquire", "EVALSHA replace"} <= set(names) <= {"MGET", "EVALSHA acquire", "EVALSHA replace"}
    assert answer.headers["traceparent"] == f"00-{trace}-{server.id}-01"
    eventually(lambda: lines_about(traced.host, trace))
    (logged,) = lines_about(traced.host, trace)
    assert (logged["trace_id"], logged["span_id"], logged["trace_flags"]) == (trace, server.id, "01")


def test_a_batch_of_commands_is_one_span(traced: Traced) -> None:
    _, trace = traced.get("/points?run=first&run=second")
    spans = traced.collector.whole(trace, "PIPELINE EVALSHA replace")
    written = next(span for span in spans if span.name == "PIPELINE EVALSHA replace")
    assert written.attributes["db.operation.batch.size"] == 2


def test_answers_that_the_response_cache_gives_are_traced(traced: Traced) -> None:
    first, _ = traced.get("/runs/warm/metric-resource")
    for headers, status in (({}, 200), ({"If_None_Match": first.headers["ETag"]}, 304)):
        answer, trace = traced.get("/runs/warm/metric-resource", **headers)
        assert answer.status == status
        server = only(traced.collector.whole(trace, READ), SERVER)
        assert (server.attributes["http.response.status_code"], server.attributes["metric_resource.cache"]) == (
            status,
            "hit",
        )
        assert "GET metrics" not in {span.name for span in traced.collector.trace(trace)}


def test_a_caller_that_samples_nothing_is_respected_and_its_trace_goes_on(traced: Traced) -> None:
    trace, asked = secrets.token_hex(16), len(traced.runtime.headers)
    answer = traced.host.get("/runs/unsampled/metric-resource", traceparent=f"00-{trace}-00f067aa0ba902b7-00")
    assert re.fullmatch(rf"00-{trace}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-00", answer.headers["traceparent"])
    sent = [{name.lower(): value for name, value in one.items()} for one in traced.runtime.headers[asked:]]
    assert {one["traceparent"] for one in sent} == {answer.headers["traceparent"]}
    _, later = traced.get("/runs/unsampled/metric-resource")
    traced.collector.whole(later, READ)
    assert traced.collector.trace(trace) == []


@pytest.mark.parametrize("given", ["nonsense", "ff-" + "1" * 32 + "-" + "1" * 16 + "-01", ""])
def test_a_request_without_a_trace_begins_one(traced: Traced, given: str) -> None:
    answer = traced.host.get("/capabilities", traceparent=given)
    _, trace, span, flags = answer.headers["traceparent"].split("-")
    server = only(traced.collector.whole(trace, "GET /capabilities"), SERVER)
    assert (server.id, server.parent, flags) == (span, "", "01")


def test_errors_are_marked_and_what_matches_no_route_has_none(traced: Traced) -> None:
    _, trace = traced.get("/nowhere/at/all")
    server = only(traced.collector.whole(trace, "GET"), SERVER)
    assert "http.route" not in server.attributes
    assert not server.failed, "a client's error is none of the server's"
    traced.runtime.say("metrics", 500, {})
    answer, trace = traced.get("/runs/broken/metric-resource")
    traced.runtime.answers.clear()
    assert answer.status == 503
    spans = traced.collector.whole(trace, READ)
    assert only(spans, SERVER).failed
    assert {span.attributes["error.type"] for span in spans if span.name == "GET metrics"} == {"500"}


def test_the_span_of_an_event_stream_ends_with_the_stream(traced: Traced) -> None:
    name, trace = "GET /runs/{runId}/metric-resource/events", secrets.token_hex(16)
    path, parent = "/runs/watched/metric-resource/events", f"00-{trace}-00f067aa0ba902b7-01"
    with EventStream(traced.host.port, path, traced.host.token, traceparent=parent) as stream:
        stream.until("points")
        traced.collector.whole(trace, "GET metrics")
        _, later = traced.get("/runs/watched/metric-resource")
        between = only(traced.collector.whole(later, READ), SERVER)
        assert name not in {span.name for span in traced.collector.trace(trace)}
    server = only(traced.collector.whole(trace, name), SERVER)
    assert server.ended > between.ended
    assert server.attributes["http.response.status_code"] == 200


def test_probes_are_not_traced_and_spans_hold_nobodys_data(traced: Traced) -> None:
    traced.get("/livez")
    _, trace = traced.get("/runs/secretive/metric-resource?name=loss", AI_Resource_Group="research")
    traced.collector.whole(trace, READ)
    assert not {span.name for span in traced.collector.spans} & {"GET /livez", "GET /readyz", "GET /metrics"}
    everything = b"".join(traced.collector.bodies)
    for what in ("secretive", "research", "loss", "0.5", traced.host.token, traced.host.token.split(".")[1]):
        assert what.encode() not in everything


def test_workers_send_what_they_have_before_they_end_and_hold_what_is_asked_for(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer, collector: Collector
) -> None:
    host = new_host(
        REDIS_URL=valkey.url,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces",
        OTEL_SERVICE_NAME="metrics-of-the-tests",
        OTEL_BSP_SCHEDULE_DELAY="3600000",
        TRACES_ATTRIBUTES="url.path,url.full,metric_resource.resource_group",
        SCRIPT_NAME="/below",
    )
    workers, traces = host.workers(), [secrets.token_hex(16) for _ in range(4)]
    for trace in traces:
        answer = host.get(
            "/below/runs/named/metric-resource",
            traceparent=f"00-{trace}-00f067aa0ba902b7-01",
            AI_Resource_Group="research",
        )
        assert answer.status == 200
    assert not [trace for trace in traces if collector.trace(trace)]
    host.signal(signal.SIGTERM)
    assert host.wait() == 0
    spans = [only(collector.trace(trace), SERVER) for trace in traces]
    assert {span.attributes["url.path"] for span in spans} == {"/below/runs/named/metric-resource"}
    assert {span.attributes["metric_resource.resource_group"] for span in spans} == {"research"}
    assert {span.attributes["http.route"] for span in spans} == {ROUTE}
    (full,) = [span.attributes["url.full"] for span in collector.trace(traces[0]) if span.name == "GET metrics"]
    assert full == f"{runtime.url.removesuffix('/v2')}/v2/lm/metrics?executionIds=named&$select=*"
    assert {span.resource["service.name"] for span in spans} == {"metrics-of-the-tests"}
    assert {int(str(span.resource["service.instance.id"]).rsplit("-", 1)[1]) for span in spans} <= set(workers)


def test_a_dead_collector_is_nobodys_trouble(new_host: NewHost) -> None:
    host = new_host(WEB_CONCURRENCY="1", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert host.get("/runs/run1/metric-resource").status == 200
    host.signal(signal.SIGTERM)
    assert host.wait() == 0
    assert "Traceback" not in host.log()
