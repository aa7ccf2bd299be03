"""The service with an XSUAA binding, a proxy in front that turns a session's cookie into a token, and a real browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.servers.approuter import Approuter, approuter
from tests.servers.browser import new_page
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.service_hosts import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

APPLICATION = "metric-resource!t1"
URL = "https://tenant.authentication.example"
METRICS = f"{APPLICATION}.scenarios.metrics.read"
RUNS = f"{APPLICATION}.scenarios.executions.read"
READ = "/runs/run1/metric-resource"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def token(key: rsa.RSAPrivateKey, user: str, *scopes: str, **claims: Any) -> str:
    """As XSUAA makes one out."""
    now = int(time.time())
    return jwt.encode(
        {
            "iss": f"{URL}/oauth/token",
            "aud": [APPLICATION, "metric-resource"],
            "cid": f"sb-{APPLICATION}",
            "zid": "tenant-1",
            "sub": user,
            "iat": now,
            "exp": now + 3600,
            "scope": list(scopes),
            **claims,
        },
        key,
        "RS256",
        {"kid": "key-1"},
    )


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Iterator[Approuter]:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    binding = {
        "clientid": f"sb-{APPLICATION}",
        "clientsecret": "nobody's",
        "xsappname": APPLICATION,
        "url": URL,
        "uaadomain": "authentication.example",
        "identityzoneid": "tenant-1",
        "verificationkey": pem,
    }
    with ExitStack() as stack:
        runtime: ScriptedRuntime = stack.enter_context(scripted_runtime())
        environment = {
            "VCAP_SERVICES": json.dumps({"xsuaa": [{"name": "metric-resource-xsuaa", "credentials": binding}]}),
            "AICORE_BASE_URL": runtime.url,
            "RUNTIME_AUTH": "none",
            "UI_SIGN_IN": "session",
            "UI_SIGN_OUT_URL": "do/logout",
            "WEB_CONCURRENCY": "1",
            "CACHE_FRESH_RUNNING": "3600",  # so a browser's cache would answer whoever asks next
        }
        anna = token(key, "anna", METRICS, RUNS, zoneinfo="Europe/Berlin")
        host = stack.enter_context(serving(tmp_path_factory.mktemp("bound"), environment, anna))
        made = stack.enter_context(approuter(host.port))
        made.accounts = {
            "anna": anna,
            "ben": token(key, "ben", RUNS),
            "cleo": token(key, "cleo", METRICS, RUNS, zoneinfo="Asia/Tokyo"),
        }
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with new_page(browser) as page:
        yield page


def sign_in(page: Page, user: str) -> None:
    page.get_by_role("heading", name="Log in at the identity provider").wait_for()
    page.get_by_role("link", name=user).click()
    page.locator("main h1, main .problem").first.wait_for()


def fetched(page: Page, router: Approuter, cache: str = "default") -> tuple[int, str]:
    """The status and body that a script of the page gets, its browser's cache included."""
    status, body = page.evaluate(
        "async ([url, cache]) => { const answer = await fetch(url, {cache}); return [answer.status, await answer.text()] }",
        [router.url + READ, cache],
    )
    return status, body


def given(router: Approuter) -> list[int]:
    """The statuses of the service's answers to ``READ``; the page itself reads its charts meanwhile."""
    return [status for path, status in router.answers if path == READ]


def test_nobody_sees_anothers_answer_from_the_browsers_cache(page: Page, router: Approuter) -> None:
    deep = f"{router.url}/ui/?run=run1&tab=metrics"
    page.goto(deep)
    sign_in(page, "anna")
    assert page.url == deep, "a deep link survives the login"

    status, body = fetched(page, router)
    assert (status, json.loads(body)["timezone"]) == (200, "Europe/Berlin")
    before = given(router)
    assert fetched(page, router) == (status, body)
    assert given(router) == before, "the browser's own cache has it"
    assert fetched(page, router, "no-cache") == (status, body)
    assert given(router) == [*before, 304]

    page.goto(f"{router.url}/do/logout")
    status, body = fetched(page, router)
    assert "Log in at the identity provider" in body

    sign_in(page, "ben")
    status, body = fetched(page, router)
    assert (status, json.loads(body)["type"]) == (403, "urn:metric-resource:forbidden")
    assert "scenarios.metrics.read" in body
    assert "Europe/Berlin" not in body

    page.goto(f"{router.url}/do/logout")
    sign_in(page, "cleo")
    status, body = fetched(page, router)
    assert (status, json.loads(body)["timezone"]) == (200, "Asia/Tokyo")
    assert "loss" in body
