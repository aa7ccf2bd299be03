"""What the page may not do is refused, and what was logged is only ever text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from service.app import close, create_app
from service.settings import read_settings
from tests.servers.demo import Demo
from tests.web.conftest import FIRST, SECOND, OwnRuns, Watched, point

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


PLACES = {
    "status message in the list": ("", "td .message"),
    "status message of the run": ("run={run}", "span.message"),
    "status message in the tab": ("run={run}&tab=status", ".facts >> nth=1 >> dd >> nth=3"),
    "name of a chart": ("run={run}&tab=metrics", "figcaption h3"),
    "text of a chart": ("run={run}&tab=metrics", "metric-chart svg >> text=<img"),
    "name of points": ("run={run}&tab=metrics&as=table", ".fold bdi"),
    "name of a point": ("run={run}&tab=metrics&as=table&group-by=none", "tbody td >> nth=0"),
    "label": ("run={run}&tab=metrics&as=table", "td .chip"),
    "filter of a label": ("run={run}&tab=metrics", "fieldset .chip"),
    "name of a tag": ("run={run}&tab=metrics&part=tags", ".tag .faint"),
    "value of a tag": ("run={run}&tab=metrics&part=tags", ".tag b"),
    "name of custom info": ("run={run}&tab=metrics&part=info", ".sides nav a >> nth=0"),
    "title of custom info": ("run={run}&tab=metrics&part=info", ".sides h2"),
    "value of custom info": ("run={run}&tab=metrics&part=info", ".sides section > bdi"),
    "name within custom info": ("run={run}&tab=metrics&part=info&info=nested", ".sides dt >> nth=0"),
    "value within custom info": ("run={run}&tab=metrics&part=info&info=nested", ".sides dd li >> nth=0"),
    "compared metric": ("compare={run}&compare={other}&of=runs", "tbody th >> text=<img"),
    "metric of the board": ("compare={run}&compare={other}&view=board", "main option >> nth=0"),
}


@pytest.mark.slow
def test_what_was_logged_is_text(reader: Watched, own_runs: OwnRuns) -> None:
    """Names, labels, tags, custom info and a status message, in each place where they are shown."""
    pair = {"name": HOSTILE, "value": HOSTILE}
    nested = {"name": "nested", "value": json.dumps({HOSTILE: [HOSTILE, {"x": HOSTILE}]})}
    logged = [point(1, HOSTILE, labels=[pair]), point(2, HOSTILE)]
    run, other = (own_runs.start(metrics=logged, tags=[pair], customInfo=[pair, nested]) for _ in range(2))
    own_runs.move(run, "STOPPED", HOSTILE)
    page, amiss = reader.open(), []
    for place, (search, selector) in PLACES.items():
        reader.visit(f"?group={own_runs.group}&{search.format(run=run, other=other)}")
        found = page.locator(selector).first
        found.wait_for(state="attached")
        text = found.evaluate("(element) => element.textContent")
        if SHOWN not in text and not (place == "text of a chart" and SHOWN.startswith(text.rstrip("…"))):
            amiss.append((place, text))
        assert page.locator("main img[src=x], main script").count() == 0, place
        assert "owned" not in page.title(), place
    assert amiss == []
    reader.visit(f"?group={own_runs.group}&run={run}&tab=metrics")
    page.locator("metric-chart svg .mark-symbol.role-mark path").first.hover(force=True)
    page.locator(".tip").get_by_text("<img src=x").first.wait_for()
    assert page.locator("main img[src=x], main script").count() == 0


def hostile(document: Any) -> Any:
    """The document with all of its names and texts of that kind."""
    if isinstance(document, list):
        return [hostile(each) for each in document]
    if isinstance(document, dict):
        kept = {"runId", "status", "targetStatus", "timezone", "kind"}
        return {
            name: value if name in kept or name.endswith("At") else hostile(value) for name, value in document.items()
        }
    return HOSTILE if isinstance(document, str) else document


@pytest.mark.slow
def test_what_the_runtime_says_of_a_run_is_text(reader: Watched) -> None:
    """Names of configuration, scenario, executable, parameters and artifacts; details of the status; log lines."""
    details = {"code": "failed", "causes": [{"name": "n", "value": "v"}]}
    line = {"timestamp": "", "message": "", "container": "", "pod": "", "stream": ""}

    def changed(route: Any) -> None:
        answer = route.fetch()
        document = answer.json()
        if "logs" in document and isinstance(document["logs"], list):
            document["logs"] = [line]
        else:
            document["statusDetails"] = details
        route.fulfill(response=answer, body=json.dumps(hostile(document)))

    reader.page.route(re.compile(rf"/runs/{FIRST}(/logs\?.*)?$"), changed)
    page = reader.open(f"?run={FIRST}")
    for tab, places in (("overview", 12), ("status", 3), ("logs", 3)):
        reader.visit(f"?run={FIRST}&tab={tab}")
        text = page.locator("main").evaluate("(main) => main.textContent")
        assert text.count(SHOWN) >= places, (tab, text)
        assert "\u202e" not in text, text[max(0, text.index("\u202e") - 160) :][:200]
        assert page.locator("main img, main script").count() == 0
        assert "owned" not in page.title()


@pytest.mark.slow
def test_what_the_address_says_is_text(reader: Watched) -> None:
    """A link that somebody made: its run, group, connection, filters and charts."""
    page = reader.open()
    odd = quote(HOSTILE)
    for search in (
        f"?run={odd}",
        f"?group={odd}",
        f"?connection={odd}",
        f"?zone={odd}",
        f"?metric={odd}",
        f"?run={FIRST}&tab=metrics&label={odd}",
        f"?compare={FIRST}&compare={SECOND}&view=board&chart=metric%3D{quote(odd)}",
    ):
        reader.visit(search)
        assert page.locator("img[src=x], body script").count() == 0, search
        assert "\u202e" not in page.locator("body").evaluate("(body) => body.textContent"), search
        assert "owned" not in page.title().replace(SHOWN, ""), search
        if search.startswith(("?group", "?connection", "?zone")):
            page.get_by_text("no header can have the characters").wait_for()


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
OWN_CODE = 74_400
"""Bytes of scripts, styles and markup, without comments (types and docstrings), indentation and empty lines."""


def test_the_page_s_own_code_is_small() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".html", ".js"}]
    assert len(files) > 20
    code = [
        re.sub(r"/\*.*?\*/| // .*?$|^\s+|\n(?=\s*\n)", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        for path in files
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
