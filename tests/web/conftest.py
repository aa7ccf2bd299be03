"""The page in a real browser, on the real demo: what it may not do, in any test, is a fault."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from testing.waiting import eventually
from tests.servers.browser import PATIENCE
from tests.servers.demo import COMMAND, Demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

FIRST, SECOND, THIRD = (
    "5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11",
    "8c2e91d4-7f10-4b6a-a5c3-2d9b7e604c12",
    "e47a3b06-15c8-4d92-8f6e-91b0c7d25a13",
)
STOPPED = "2fd85c71-6b34-4e0a-b1d7-c83a50e96f14"
LARGE = "b96e0d38-42fa-4c75-96ab-0e7d13f58c15"
DEAD = "d03b67e5-9a2c-4f81-8c5d-7f46e2a10b17"
EMPTY = "4ad7e8c0-b263-4195-9e08-d5f72c0b6a19"
RUNNING = "c85a1e94-d7b0-4f26-a3c1-64e2f8b90d1b"
RESEARCH = "0be5d3f7-e948-4a60-8217-3c9af0d71b1a"
"""In the resource group ``research``."""

PICTURES = Path(__file__).parents[2] / "build" / "page"
_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
"""


_IS_READY = """
!document.querySelector('[aria-busy], .skeleton') && [...document.querySelectorAll('metric-chart')].every((chart) => {
  const { top, bottom, width } = chart.getBoundingClientRect();
  const isRead = chart.hasAttribute('version') || chart.previousElementSibling;
  return isRead || !width || bottom < -299 || top > innerHeight + 299;
})
"""
"""Nothing is being read, and no chart is about to be: it begins when the browser says that it can be seen, which takes a while."""


@dataclass
class Watched:
    """A page, and all that went amiss on it. ``allowed`` are texts of what is meant to."""

    page: Page
    service: str
    amiss: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def open(self, search: str = "", *, ready: bool = True) -> Page:
        self.page.goto(f"{self.service}/ui/{search}")
        if ready:
            self.ready()
        return self.page

    def visit(self, search: str) -> Page:
        """Another view of the page that is open, as a link within it leads there."""
        self.page.evaluate(
            "(to) => { history.pushState(null, '', location.pathname + to); dispatchEvent(new PopStateEvent('popstate')) }",
            search,
        )
        self.ready()
        return self.page

    def ready(self) -> None:
        """Wait until all that is shown is there."""
        self.page.locator("main h1, main .problem").first.wait_for()
        eventually(lambda: self.page.evaluate(_IS_READY))

    def check(self) -> None:
        assert [one for one in self.amiss if not any(text in one for text in self.allowed)] == []


@pytest.fixture
def own_runs(demo: Demo) -> Iterator[OwnRuns]:
    runs = OwnRuns(demo)
    yield runs
    runs.close()


def _context(browser: Browser, **options: Any) -> BrowserContext:
    european = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin", "locale": "en-GB"}
    context = browser.new_context(**{**european, **options})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_VIOLATIONS)
    return context


@pytest.fixture(scope="session")
def shared_context(browser: Browser) -> BrowserContext:
    """What was loaded once, scripts above all, is loaded for all; what a page keeps of its session is its own."""
    return _context(browser)


@pytest.fixture
def open_page(browser: Browser, shared_context: BrowserContext, demo: Demo) -> Iterator[Callable[..., Watched]]:
    """Opens pages of the demo, or of another ``service``; nobody is signed in.

    ``apart``: in a context of its own, with cookies and a clock that no other page has.
    """
    apart_contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def opened(service: str = "", *, apart: bool = False, **options: Any) -> Watched:
        if apart or options:
            context = _context(browser, **options)
            apart_contexts.append(context)
        else:
            context = shared_context
        made = watching(context.new_page(), service or demo.ready["service"])
        watched.append(made)
        return made

    yield opened
    for each in watched:
        each.check()
        each.page.close()
    for context in apart_contexts:
        context.close()


@pytest.fixture
def reader(open_page: Callable[..., Watched], demo: Demo) -> Watched:
    """A page of somebody who is signed in with the demo's token."""
    return signed_in(open_page(), demo.ready["token"])


def signed_in(watched: Watched, token: str) -> Watched:
    watched.page.add_init_script(
        f"if (!sessionStorage.getItem('metric-resource.token')) sessionStorage.setItem('metric-resource.token', {json.dumps(token)})"
    )
    return watched


def watching(page: Page, service: str) -> Watched:
    watched = Watched(page, service)
    own = urlsplit(service).netloc

    def noted(message: ConsoleMessage) -> None:
        # A browser writes an error for each answer of 4xx and 5xx, whoever handles it.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            watched.amiss.append(message.text)

    page.on("console", noted)
    page.on("pageerror", lambda error: watched.amiss.append(f"{error} {error.stack}"))
    page.on(
        "request", lambda request: None if _is_own(request.url, own) else watched.amiss.append(f"asked {request.url}")
    )
    return watched


def _is_own(url: str, host: str) -> bool:
    return url.startswith(("data:", "blob:")) or urlsplit(url).netloc == host


TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def axe() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def violations(watched: Watched) -> list[str]:
    """What axe-core finds; it is put in by the debugger, which the page's policy does not bind."""
    page = watched.page
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {axe()} ; return null }}")
    passed, found = page.evaluate(
        """async (tags) => {
          const { passes, violations } = await axe.run(document, { runOnly: { type: 'tag', values: tags } });
          return [passes.length, violations.map((one) => [one.id, one.nodes.map((node) => node.html)])];
        }""",
        TAGS,
    )
    assert passed > 10, "axe-core looked at nothing"
    return [f"{rule}: {nodes[:3]}" for rule, nodes in found]


def scrolls_sideways(page: Page) -> bool:
    found: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found


def minted(demo: Demo, *arguments: str) -> str:
    """A further token of the demo."""
    command = [*COMMAND, "token", *arguments]
    environment = {**os.environ, **demo.environment}
    environment.pop("XDG_RUNTIME_DIR", None)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def faults(demo: Demo, **faults: object) -> None:
    """Make the demo's runtime fail, or heal it."""
    requests.put(f"{demo.ready['authUrl']}/sandbox/faults", json=faults, timeout=60).raise_for_status()


class OwnRuns:
    """Runs of one test alone, in a resource group that no other test reads: what it reads of them nobody has read."""

    def __init__(self, demo: Demo) -> None:
        ready = demo.ready
        self.group = f"own-{uuid.uuid4().hex[:12]}"
        self._runtime, self._control = f"{ready['runtime']}/lm", f"{ready['authUrl']}/sandbox"
        self._session = requests.Session()
        client = {"client_id": ready["clientId"], "client_secret": ready["clientSecret"]}
        given = self._session.post(
            f"{ready['authUrl']}/oauth/token", data={"grant_type": "client_credentials", **client}, timeout=30
        )
        self._session.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
        self._session.headers["AI-Resource-Group"] = self.group
        parts = {"name": "own", "executableId": "own", "scenarioId": "own"}
        self._configuration = self._ask("POST", f"{self._runtime}/configurations", parts).json()["id"]

    def close(self) -> None:
        self._session.close()

    def start(self, **logged: Any) -> str:
        """A further run, ``RUNNING`` once something is logged for it."""
        wanted = {"configurationId": self._configuration}
        run: str = self._ask("POST", f"{self._runtime}/executions", wanted).json()["id"]
        if logged:
            self.log(run, **logged)
        return run

    def log(self, run: str, **logged: Any) -> None:
        """``metrics``, ``tags`` and ``customInfo``, as the AI API takes them."""
        self._ask("PATCH", f"{self._runtime}/metrics", {"executionId": run, **logged})

    def write(self, run: str, lines: Sequence[str]) -> None:
        """Lines of its log."""
        written = {"lines": [{"msg": line} for line in lines], "resourceGroup": self.group}
        self._ask("POST", f"{self._control}/executions/{run}/logs", written)

    def move(self, run: str, status: str, message: str | None = None) -> None:
        move = {"status": status, "statusMessage": message, "resourceGroup": self.group}
        self._ask("PUT", f"{self._control}/executions/{run}/status", move)

    def search(self, run: str, *more: str) -> str:
        """The page's query string for a run."""
        return "&".join((f"?group={self.group}&run={run}", *more))

    def _ask(self, method: str, url: str, document: object) -> requests.Response:
        answer = self._session.request(method, url, json=document, timeout=30)
        assert answer.ok, answer.text
        return answer


def point(step: int, name: str = "Loss", value: float = 0.5, **more: Any) -> dict[str, Any]:
    """A point as the AI API takes it, a second after that of the step before."""
    at = datetime(2026, 3, 29, tzinfo=UTC) + timedelta(seconds=step)
    return {"name": name, "value": value, "timestamp": at.isoformat(), "step": step, **more}
