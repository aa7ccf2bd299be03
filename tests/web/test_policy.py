"""What the page may not do is refused, and what was logged is only ever text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from service.app import close, create_app
from service.settings import read_settings
from tests.servers.demo import Demo
from tests.web.conftest import FIRST, OwnRuns, Watched, point

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202egnp.exe\u0007\u2066{{x}}</b>"
"""Markup, a script, a direction override, a control character."""
SHOWN = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>⟨U+202E⟩gnp.exe␇⟨U+2066⟩{{x}}</b>"


ATTEMPTS = {
    "const one = document.createElement('img'); one.src = 'https://elsewhere.example/x.png'; document.body.append(one)": "img-src",
    "fetch('https://elsewhere.example/').catch(() => {})": "connect-src",
    "const one = document.createElement('script'); one.textContent = 'document.title = \"owned\"'; document.body.append(one)": "require-trusted-types-for",
    "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')": "require-trusted-types-for",
    "document.body.setAttribute('onclick', 'document.title = \"owned\"')": "require-trusted-types-for",
    "setTimeout('document.title = \"owned\"')": "require-trusted-types-for",
    "trustedTypes.createPolicy('mine', {createHTML: (text) => text})": "trusted-types",
    "const one = document.createElement('iframe'); one.src = 'https://elsewhere.example/'; document.body.append(one)": "frame-src",
}  # fmt: skip


@pytest.mark.slow
def test_the_policy_refuses(reader: Watched) -> None:
    reader.allowed += [
        "refused by the policy",
        "asked https://elsewhere.example",
        "Trusted",
        "Content Security Policy",
        "Refused to",
        "Fetch API",
        "Access is denied",
    ]
    page = reader.open()
    for attempt, refused in ATTEMPTS.items():
        seen = page.evaluate(
            """(attempt) => new Promise((done) => {
              addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective), { once: true });
              setTimeout(() => done(''), 20_000);
              try { ATTEMPT } catch {}
            })""".replace("ATTEMPT", attempt)
        )
        assert (attempt, seen) == (attempt, refused)
    assert "owned" not in page.title()


@pytest.fixture
def hostile(own_runs: OwnRuns) -> list[str]:
    """The addresses of views that show names, labels, tags, custom info and a status message of that kind."""
    pair = {"name": HOSTILE, "value": HOSTILE}
    nested = {"name": "nested", "value": json.dumps({HOSTILE: [HOSTILE, {"x": HOSTILE}]})}
    logged = [point(1, HOSTILE, labels=[pair]), point(2, HOSTILE, labels=[pair])]
    one, other = (own_runs.start(metrics=logged, tags=[pair], customInfo=[pair, nested]) for _ in range(2))
    own_runs.move(one, "STOPPED", HOSTILE)
    metrics = own_runs.search(one, "tab=metrics")
    return [
        metrics,
        f"{metrics}&as=table",
        f"{metrics}&part=tags",
        f"{metrics}&part=info",
        f"{metrics}&part=info&info=nested",
        own_runs.search(one, "tab=status"),
        f"?group={own_runs.group}&compare={one}&compare={other}&of=runs",
        f"?group={own_runs.group}",
    ]


@pytest.mark.slow
def test_what_was_logged_is_text(reader: Watched, hostile: list[str]) -> None:
    page = reader.open(hostile[0])
    for search in hostile:
        reader.visit(search)
        page.get_by_text("<img src=x").first.wait_for()
        text = page.locator("main").evaluate("(main) => main.textContent")
        assert SHOWN in text, search
        assert "\u202e" not in text
        assert page.locator("main img[src=x], main script, main b:not(li b)").count() == 0
        assert "owned" not in page.title()


def test_log_lines_are_text(reader: Watched) -> None:
    def handle(route: Any) -> None:
        line = {
            "timestamp": "2026-03-29T03:00:00+02:00",
            "message": HOSTILE,
            "container": HOSTILE,
            "pod": HOSTILE,
            "stream": "stderr",
        }
        route.fulfill(
            status=200,
            content_type="application/json",
            body=json.dumps({"runId": FIRST, "timezone": "UTC", "logs": [line]}),
        )

    reader.page.route(re.compile(r"/logs\?"), handle)
    page = reader.open(f"?run={FIRST}&tab=logs")
    assert SHOWN in page.locator(".logs").inner_text()
    assert page.locator(".logs img, .logs script").count() == 0


def test_what_the_page_is_served_with(demo: Demo) -> None:
    url = f"{demo.ready['service']}/ui"
    assert requests.get(url, allow_redirects=False, timeout=30).headers["Location"] == "ui/"
    page = requests.get(f"{url}/", timeout=30)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    (script,) = re.findall(r'src="(assets/[0-9a-f]+/main\.js)"', page.text)
    asset = requests.get(f"{url}/{script}", headers={"Accept-Encoding": "br"}, timeout=30)
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asset.headers["Content-Encoding"] == "br"
    again = {"If-None-Match": asset.headers["ETag"], "Accept-Encoding": "br"}
    assert requests.get(f"{url}/{script}", headers=again, timeout=30).status_code == 304
    old = requests.get(f"{url}/assets/{'0' * 20}/main.js", timeout=30)
    assert (old.status_code, old.headers["Cache-Control"], old.text) == (200, "no-cache", asset.text)
    assert requests.get(f"{url}/assets/{'0' * 20}/no-such.js", timeout=30).status_code == 404
    assert requests.get(f"{url}/assets/{'0' * 20}/types.ts", timeout=30).status_code == 404
    assert requests.get(f"{url}/vega/0.js", timeout=30).status_code == 404


STATIC = Path(__file__).parents[2] / "service" / "web" / "static"
OWN_CODE = 78_000
"""Bytes of scripts, styles and markup, without comments (types and docstrings) and indentation."""


def test_the_page_s_own_code_is_small() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".html", ".js"}]
    assert len(files) > 20
    code = [
        re.sub(r"/\*.*?\*/|^\s+|\n(?=\s*\n)", "", path.read_text(), flags=re.DOTALL | re.MULTILINE) for path in files
    ]
    assert sum(len(text.encode()) for text in code) <= OWN_CODE


@pytest.mark.slow
def test_the_first_view_is_small(reader: Watched) -> None:
    """At most 40 kB gzip without a chart: of the runs, and of a run."""
    for search in ("", f"?run={FIRST}"):
        page = reader.open(search)
        loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        files = {url for url in loaded if "/ui/" in url} | {f"{reader.service}/ui/"}
        assert len(files) > 10
        assert not any("/vega/" in url for url in files)
        answers = [requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=30, stream=True) for url in files]
        assert sum(len(answer.raw.read()) for answer in answers) <= 40_000


@pytest.mark.parametrize(("served", "status"), [("true", 200), ("false", 404)])
def test_a_service_without_the_page_has_nothing_of_it(served: str, status: int) -> None:
    environment = {
        "AICORE_BASE_URL": "http://127.0.0.1:9/v2",
        "RUNTIME_AUTH": "none",
        "JWT_ISSUER": "http://127.0.0.1:9",
    }
    app = create_app(read_settings({**environment, "JWT_AUDIENCE": "metric-resource", "UI": served}))
    try:
        client = app.test_client()
        assert {client.get(path).status_code for path in ("/ui/", "/ui/config.json")} == {status}
        assert client.get("/ui").status_code == (308 if status == 200 else 404)
        assert client.get("/docs").status_code == 200
        assert all("/ui" not in client.get(path).text for path in ("/docs", "/openapi.json", "/"))
    finally:
        close(app)
