"""Records the examples of the OpenAPI document: what the service answers about the sandbox's runs, and in trouble.

``make openapi`` writes them anew.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from service.api import examples
from service.app import close, create_app
from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.parts import Client
from service.sandbox.server import Options, running
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from tests.servers.scripted_runtime import META, POINT, ScriptedRuntime, scripted_runtime

DIRECTORY = Path(examples.__file__).parent
ISSUER = "https://login.example.com"
REQUEST_ID = "5b1c1c3e-0d5a-4f5f-9b35-6f6f0d0a3c11"
ALL_ROLES = ("scenario_metric_viewer", "scenario_job_viewer", "scenario_execution_viewer")
JSON, PROBLEM, VEGA_LITE = "application/json", "application/problem+json", "application/vnd.vegalite.v6+json"
CSV, NDJSON, TEXT, SVG, EVENTS = "text/csv", "application/x-ndjson", "text/plain", "image/svg+xml", "text/event-stream"

CLASSIFIER = "/runs/5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11"
DIED = "/runs/d03b67e5-9a2c-4f81-8c5d-7f46e2a10b17"
SILENT = "/runs/4ad7e8c0-b263-4195-9e08-d5f72c0b6a19"
STOPPED = "/runs/2fd85c71-6b34-4e0a-b1d7-c83a50e96f14"
COMPARED = f"run={DIED[6:]}&run={SILENT[6:]}&run=unheard-of"
DRAWN = f"run={STOPPED[6:]}&run={DIED[6:]}"

ANSWERS: list[tuple[str, str, str, str, str]] = [
    # operation, media type, name, in words, what is asked
    ("getMetricResource", JSON, "whole", "A whole run, in Berlin's time", f"{DIED}/metric-resource?timezone=Europe/Berlin"),
    ("getMetricResource", JSON, "page", "The latest two points of one metric", f"{DIED}/metric-resource?name=Loss&sort=-step&limit=2"),
    ("getMetricResource", JSON, "nothing", "A run that logged nothing", f"{SILENT}/metric-resource"),
    ("getMetricResource", CSV, "whole", "One row a point", f"{DIED}/metric-resource"),
    ("getMetricResource", NDJSON, "whole", "One line a point", f"{DIED}/metric-resource"),
    ("getPoints", JSON, "page", "The first two points of three runs, of which one is unknown", f"/points?{COMPARED}&name=Loss&limit=2"),
    ("getPoints", CSV, "page", "The same as a table", f"/points?{COMPARED}&name=Loss&limit=2"),
    ("getPoints", NDJSON, "page", "The same, a line each, what is missing last", f"/points?{COMPARED}&name=Loss&limit=2"),
    ("getTags", JSON, "tags", "Tags", f"{CLASSIFIER}/tags"),
    ("getCustomInfo", JSON, "parsed", "With the values that are JSON parsed", f"{CLASSIFIER}/custom-info?parse=true"),
    ("getSeries", JSON, "whole", "A series with all of its points", f"{DIED}/metric-resource/series"),
    ("getSeries", JSON, "downsampled", "Series of four points each", f"{STOPPED}/metric-resource/series?name=Loss&points=4&timezone=%2B05:30"),
    ("getSeries", CSV, "downsampled", "Four points a series", f"{STOPPED}/metric-resource/series?name=Loss&points=4"),
    ("getSeries", NDJSON, "downsampled", "Four points a series", f"{STOPPED}/metric-resource/series?name=Loss&points=4"),
    ("getChart", VEGA_LITE, "line", "A line against the caller's clock", f"{DIED}/metric-resource/chart?name=Loss&x=time&timezone=Asia/Tokyo"),
    ("listConnections", JSON, "one", "The only runtime there is", "/connections"),
    ("listRuns", JSON, "page", "The newest of those that have ended well", "/runs?status=COMPLETED&limit=1"),
    ("listRuns", JSON, "filtered", "Those that have failed, in Lima's time", "/runs?status=DEAD&timezone=America/Lima"),
    ("listRuns", CSV, "ended", "Those that have failed", "/runs?status=DEAD"),
    ("listRuns", NDJSON, "ended", "Those that have failed", "/runs?status=DEAD"),
    ("listRuns", JSON, "best", "The best run first", "/runs?status=COMPLETED&metric=Loss:min&sort=metric:Loss:min&limit=2"),
    ("getRun", JSON, "whole", "A run and what surrounds it", f"{CLASSIFIER}?timezone=Europe/Berlin"),
    ("listRuns", JSON, "longest", "The longest first, of those whose configuration is called so", "/runs?search=network-32&sort=-durationSeconds&limit=2"),
    ("watchMetricResource", EVENTS, "ended", "A run that has ended, in Berlin's time", f"{DIED}/metric-resource/events?timezone=Europe/Berlin"),
    ("getLogs", JSON, "newest", "How a run died, in Berlin's time", f"{DIED}/logs?limit=3&timezone=Europe/Berlin"),
    ("getLogs", TEXT, "from-start", "From its start, as text", f"{DIED}/logs?order=asc&limit=8"),
    ("listResourceGroups", JSON, "all", "All of a runtime's", "/resource-groups"),
    ("compareRuns", JSON, "three", "Three runs, of which one is unknown", f"/comparisons?{COMPARED}"),
    ("compareRuns", JSON, "aligned", "Two runs, a metric joined by step", f"/comparisons?run={DIED[6:]}&run={SILENT[6:]}&differs=true&align=step&metric=Loss"),
    ("compareRuns", CSV, "three", "A column for each run", f"/comparisons?{COMPARED}&name=Loss"),
    ("getComparisonChart", VEGA_LITE, "columns", "What a metric came to in each run", f"/comparisons/chart?{DRAWN}&metric=Loss&against=run"),
    ("getComparisonChart", VEGA_LITE, "smoothed", "How it progressed since each run's start, on a logarithmic axis, smoothed", f"/comparisons/chart?{DRAWN}&metric=Loss&against=elapsed&scale=log&smooth=0.6&maxStep=5"),
    ("checkRun", JSON, "mixed", "One that passes, one that does not, one of a metric that was not logged", f"{STOPPED}/checks?expect=Loss:last<1&expect=Loss:min<0.000001&expect=F1:last>=0.9"),
    ("getCapabilities", JSON, "metrics", "A runtime with the metrics extension", "/capabilities"),
    ("getLivez", JSON, "alive", "It lives", "/livez"),
    ("getReadyz", JSON, "ready", "All is well", "/readyz"),
]  # fmt: skip


@dataclass
class Trouble:
    """What brings a problem about: what the runtime says, and what is asked."""

    response: str
    name: str
    summary: str
    says: dict[str, tuple[int, object]] = field(default_factory=dict)
    url: str = f"{CLASSIFIER}/metric-resource"
    method: str = "GET"
    roles: tuple[str, ...] | None = ALL_ROLES
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


WITHOUT_METRICS = {**META, "extensions": {}}
WITHOUT_LOGS = {**META, "aiApi": {"version": "2.18.0", "capabilities": {"logs": {"executions": False}}}}
TROUBLES = [
    Trouble("InvalidParameter", "several", "Two that are wrong", url=f"{CLASSIFIER}/metric-resource?limit=0&timezone=Europe/Atlantis"),
    Trouble("Unauthenticated", "missing", "No token", roles=None),
    Trouble("Unauthenticated", "invalid", "A token that is none", roles=None, headers={"Authorization": "Bearer abc"}),
    Trouble("Forbidden", "scope", "A scope is missing", roles=("scenario_job_viewer",)),
    Trouble("RunNotFound", "unknown", "An unknown run", {"metrics": (200, {"resources": []}), "execution": (404, {})}),
    Trouble("NotAcceptable", "xml", "XML was asked for", headers={"Accept": "application/xml"}),
    Trouble("CursorExpired", "gone", "The run has gone on, and what the pages were of is no longer stored"),
    Trouble("TooManyRequests", "limited", "The runtime asks to wait", {"metrics": (429, {})}),
    Trouble("NotSupported", "metrics", "A runtime without the extension", {"meta": (200, WITHOUT_METRICS)}),
    Trouble("NotSupported", "logs", "A runtime without logs", {"meta": (200, WITHOUT_LOGS)}, url=f"{CLASSIFIER}/logs"),
    Trouble("BadGateway", "foreign", "It answers a page of HTML", {"metrics": (200, b"<html></html>")}),
    Trouble("Unavailable", "down", "It is down", {"metrics": (503, {})}),
    Trouble("RuntimeTimeout", "slow", "It does not answer in time", {"metrics": (200, {})}, wait=2.0),
    Trouble("Problem", "method", "A method that no resource has", method="DELETE"),
]  # fmt: skip


@contextmanager
def service(runtime: RuntimeSettings, issuer: Issuer) -> Iterator[Any]:
    """A process's worth of the service; ask it with a URL, the roles of the token, a method and headers."""
    app = create_app(
        Settings(
            runtime,
            AuthSettings(issuers=(issuer.url,), audiences=("metric-resource",), tenant_claim="zid"),
            CacheSettings(secret="the same for each recording of cursors"),
        )
    )

    def ask(url: str, roles: tuple[str, ...] | None = ALL_ROLES, method: str = "GET", **headers: str) -> Any:
        token = {} if roles is None else {"Authorization": f"Bearer {issuer.mint(roles=list(roles), tenant='example')}"}
        return app.test_client().open(url, method=method, headers={**token, "X-Request-ID": REQUEST_ID, **headers})

    try:
        yield ask
    finally:
        close(app)


def recorded() -> dict[str, dict[str, Any]]:
    """All examples, by the name of the file that keeps them."""
    found: dict[str, dict[str, Any]] = {}
    problems: dict[str, dict[str, Any]] = {}

    with ExitStack() as ending:
        directory = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        url = str(parts_of(ending.enter_context(running(Options(directory)))).public_url)
        issuer = Issuer.at(directory, url)
        ask = ending.enter_context(service(of_sandbox(url), issuer))
        for operation, media_type, name, summary, asked in ANSWERS:
            answer = ask(asked, Accept=media_type)
            assert answer.status_code == 200, (asked, answer.data)
            assert answer.content_type.split(";")[0] == media_type
            text = answer.get_data(as_text=True).replace(url, ISSUER)
            value = text if media_type in {CSV, NDJSON, TEXT, EVENTS} else json.loads(text)
            by_name = found.setdefault(operation, {}).setdefault(media_type, {})
            by_name[name] = example(summary, f"GET {asked}", value)
        for trouble in TROUBLES:
            by_name = problems.setdefault(trouble.response, {}).setdefault(PROBLEM, {})
            by_name[trouble.name] = example(trouble.summary, *brought_about(trouble, issuer))
    return {**found, examples.PROBLEMS: problems}


def example(summary: str, asked: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "description": f"`{asked}`", "value": value}


def of_sandbox(url: str) -> RuntimeSettings:
    client = Client()
    return RuntimeSettings(
        f"{url}/v2", client_id=client.id, client_secret=client.secret, token_url=f"{url}/oauth/token"
    )


def brought_about(trouble: Trouble, issuer: Issuer) -> tuple[str, Any]:
    """What is asked while a runtime is in trouble, and the problem that is answered."""
    with scripted_runtime() as runtime:
        for what, (status, body) in trouble.says.items():
            runtime.say(what, status, body, trouble.wait)
        asked = expired_page(runtime, issuer) if trouble.response == "CursorExpired" else trouble.url
        with service(RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE, timeout=1.0), issuer) as ask:
            answer = ask(asked, trouble.roles, trouble.method, **trouble.headers)
        assert answer.content_type == PROBLEM, (trouble, answer.data)
        return f"{trouble.method} {asked}", json.loads(answer.data)


def expired_page(runtime: ScriptedRuntime, issuer: Issuer) -> str:
    """The second page of a run that has gone on since."""

    def logged(*points: object) -> None:
        runtime.say("metrics", 200, {"resources": [{"executionId": CLASSIFIER[6:], "metrics": points}]})

    logged(POINT, POINT)
    with service(RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE), issuer) as ask:
        following = json.loads(ask(f"{CLASSIFIER}/metric-resource?limit=1").data)["page"]["next"]
    logged(POINT, POINT, POINT)
    return urljoin(f"{CLASSIFIER}/metric-resource", following)


def text(of: dict[str, Any]) -> str:
    return json.dumps(of, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, of in recorded().items():
        (DIRECTORY / f"{name}.json").write_text(text(of), encoding="utf-8")
