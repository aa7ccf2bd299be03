"""Nothing to inject: what callers send goes nowhere but in the form that was checked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import product
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.app import close, create_app
from service.domain.runtime import AIRuntime, RequestContext
from service.settings import RuntimeAuth
from testing.effort import effort
from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime

CONTRACT = {"ai-resource-group", "x-request-id", "traceparent"}
OF_HTTP = {"path", "host", "user-agent", "accept", "accept-encoding", "connection"}
ID = re.compile(r"[A-Za-z0-9_.-]{4,64}")
PATIENTLY = settings(
    max_examples=effort(25, 300), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ODD = [
    "../../x",
    "..%2f..",
    "run1\r\nX: y",
    "run1\n",
    "run1?a=b",
    "run1#x",
    "run1%00",
    "run1;x",
    "run1 ",
    "ｒｕｎ１",
    "....",
    "run1,run2",
]
LATIN_SIGNS = st.characters(max_codepoint=255)
RUN_LIKE = r"[\w.-]{2,68}\n?"
TEXT = st.one_of(st.text(max_size=70), st.sampled_from(ODD), st.from_regex(RUN_LIKE, fullmatch=True))
LATIN = st.one_of(
    st.text(LATIN_SIGNS, max_size=70),
    st.sampled_from([text for text in ODD if max(map(ord, text)) < 256]),
    st.from_regex(RUN_LIKE, fullmatch=True, alphabet=LATIN_SIGNS),
)


def check_upstream(runtime: ScriptedRuntime, run: str, group: str) -> None:
    """What went upstream since the last look is made of the checked run and group and nothing else."""
    for asked in runtime.headers:
        assert set(asked) <= CONTRACT | OF_HTTP
        parts = urlsplit(asked["path"])
        if parts.path == "/v2/lm/meta":
            continue
        assert ID.fullmatch(run)
        assert asked["ai-resource-group"] == group
        if parts.path == "/v2/lm/metrics":
            assert parse_qs(parts.query, strict_parsing=True) == {"executionIds": [run], "$select": ["*"]}
        else:
            assert (parts.path, parts.query) == (f"/v2/lm/executions/{run}", "")
    runtime.headers.clear()


@PATIENTLY
@given(TEXT)
@example("run1\n")
@example("..")
@example("run1/../run2")
def test_run_ids(service: Service, run: str) -> None:
    answer = service.get(f"/runs/{quote(run, safe='')}/tags")
    assert answer.status_code in ({200} if ID.fullmatch(run) else {400, 404})
    check_upstream(service.runtime, run, "default")


@PATIENTLY
@given(LATIN)
@example("group-a, group-b")
def test_resource_groups(service: Service, group: str) -> None:
    given_headers = {"HTTP_AI_RESOURCE_GROUP": group, "HTTP_AUTHORIZATION": f"Bearer {service.token}"}
    answer = service.client.get("/runs/run1/tags", environ_overrides=given_headers)
    assert answer.status_code == (200 if ID.fullmatch(group) else 400)
    check_upstream(service.runtime, "run1", group)


@PATIENTLY
@given(zone=LATIN, trace=LATIN, request_id=LATIN, correlation=LATIN, cookie=LATIN)
@example(zone="../../etc/passwd", trace="a\r\nb", request_id="a\r\nX-Evil: b", correlation="a\n", cookie="a=b")
def test_whatever_else_is_sent(
    service: Service, zone: str, trace: str, request_id: str, correlation: str, cookie: str
) -> None:
    sent = {
        "HTTP_AUTHORIZATION": f"Bearer {service.token}",
        "HTTP_TIME_ZONE": zone,
        "HTTP_TRACEPARENT": trace,
        "HTTP_X_REQUEST_ID": request_id,
        "HTTP_X_CORRELATIONID": correlation,
        "HTTP_COOKIE": cookie,
        "HTTP_X_FORWARDED_HOST": cookie,
        "HTTP_ACCEPT": "application/json",
        "HTTP_CACHE_CONTROL": "no-cache",
    }
    answer = service.client.get("/runs/run1/metric-resource", environ_overrides=sent)
    assert answer.status_code in {200, 400}
    for name, value in answer.headers:
        assert (name + value).isascii()
        assert (name + value).isprintable()
    check_upstream(service.runtime, "run1", "default")


def test_a_header_given_twice_is_not_chosen_from(service: Service) -> None:
    twice = [
        ("Authorization", f"Bearer {service.token}"),
        ("AI-Resource-Group", "group-a"),
        ("AI-Resource-Group", "group-b"),
    ]
    assert service.client.get("/runs/run1/tags", headers=twice).status_code == 400
    two = [("Authorization", f"Bearer {service.token}"), ("Authorization", f"Bearer {service.token}")]
    assert service.client.get("/runs/run1/tags", headers=two).status_code == 401
    check_upstream(service.runtime, "", "")


@pytest.mark.parametrize("auth", [RuntimeAuth.NONE, RuntimeAuth.FORWARD])
def test_redirects_of_the_runtime_lead_nowhere(surroundings: Surroundings, auth: RuntimeAuth) -> None:
    with scripted_runtime() as elsewhere, surroundings.service(auth) as service:
        for what, status in product(["meta", "metrics", "execution"], [301, 302, 303, 307, 308]):
            service.runtime.answers.clear()
            service.runtime.say(what, status, b"")
            service.runtime.sends = {"Location": f"{elsewhere.url}/lm/meta"}
            path = "/capabilities" if what == "meta" else f"/runs/run-led-astray-{what}-{status}/tags"
            answer = service.get(path, Cache_Control="no-cache")
            assert answer.status_code == 502, (what, status)
            assert "Location" not in answer.headers
            assert elsewhere.headers == []


def test_no_header_of_the_runtime_is_passed_on(service: Service) -> None:
    service.runtime.sends = {"X-Of-The-Runtime": "1", "Set-Cookie": "a=b", "Server": "runtime", "Link": "<x>"}
    answer = service.get("/runs/run-with-headers/tags")
    assert answer.status_code == 200
    assert not {"X-Of-The-Runtime", "Set-Cookie", "Link", "Server"} & set(answer.headers.keys())


class Broken:
    """A runtime with a fault that nobody foresaw."""

    identity = "broken"

    def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Any:
        raise RuntimeError("secret words of a stack trace")

    def capabilities(self, context: RequestContext) -> Any:
        raise RuntimeError("secret words of a stack trace")


@pytest.fixture
def every_answer(service: Service) -> dict[str, Any]:
    get, say = service.get, service.runtime.say
    tag = get().headers["ETag"]
    answers = {
        "200": get(),
        "200 compressed": get(Accept_Encoding="gzip"),
        "200 HEAD": get(method="HEAD"),
        "304": get(If_None_Match=tag),
        "400": get(RUN + "?nonsense=<script>"),
        "401": service.client.get(RUN),
        "403": get(token=service.issuer.mint()),
        "404 path": get("/<script>alert(1)</script>"),
        "405": get(method="POST"),
        "406": get(Accept="text/html"),
        "204 preflight": service.client.options(
            RUN, headers={"Origin": "https://front-end.example", "Access-Control-Request-Method": "GET"}
        ),
        "200 options": service.client.options(RUN),
        **{
            f"200 {path}": service.client.get(path)
            for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs")
        },
        **{f"200 {path}": service.client.get(path) for path in ("/docs/start.js", "/docs/swagger-ui-bundle.js")},
        "404 asset": service.client.get("/docs/none.js"),
    }
    for status, expected in ((404, "404"), (500, "503"), (501, "502"), (429, "429"), (403, "502"), (302, "502")):
        say("execution", status, {"error": {"message": "<script>"}})
        answers[f"{expected} runtime {status}"] = get("/runs/run-of-sorrows/tags", Cache_Control="no-cache")
    answers["504"] = get("/runs/run-unread/tags", Cache_Control="only-if-cached")
    return answers


def test_no_answer_can_be_taken_for_something_else(every_answer: dict[str, Any]) -> None:
    for name, answer in every_answer.items():
        assert answer.status_code == int(name[:3]), name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] == "no-referrer", name
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; "), name
        assert "frame-ancestors 'none'" in policy, name
        if answer.data:
            assert answer.headers["Content-Type"].partition(";")[0] in {
                "application/json", "application/problem+json", "text/plain", "text/javascript", "text/html"
            }, name  # fmt: skip
        assert (answer.headers.get("Content-Type", "").startswith("text/html")) == (name == "200 /docs")


def test_the_page_of_the_documentation_runs_no_script_but_the_services_own(every_answer: dict[str, Any]) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in every_answer["200 /docs"].headers["Content-Security-Policy"].split(";")
    )
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert (policy["base-uri"], policy["form-action"]) == ("'none'", "'none'")
    page = every_answer["200 /docs"].data.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:|https?://", page)


def test_a_fault_that_is_unexpected_discloses_nothing(surroundings: Surroundings) -> None:
    with surroundings.service(RuntimeAuth.FORWARD) as service:
        app = create_app(service.settings, runtime=cast(AIRuntime, Broken()))
        try:
            answer = app.test_client().get("/capabilities", headers={"Authorization": f"Bearer {service.token}"})
        finally:
            close(app)
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert b"secret words" not in answer.data
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.data)["requestId"] == answer.headers["X-Request-ID"]
