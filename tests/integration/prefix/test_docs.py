"""``/docs`` in a real browser: all of it loads, *Authorize* and *Try it out* work, below a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.integration.prefix.conftest import IN_BROWSER, Addressed
from tests.servers.browser import new_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with new_page(browser, viewport={"width": 1280, "height": 1600}) as page:
        yield page


def authorize(page: Page, token: str) -> None:
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".auth-btn-wrapper button.btn-done").click()


@pytest.mark.parametrize("addressed", IN_BROWSER, indirect=True)
def test_the_page_works(addressed: Addressed, page: Page, tmp_path: Path) -> None:
    """``/docs/`` leads to it."""
    amiss: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: amiss.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: amiss.append(str(error)))
    page.on("requestfailed", lambda request: amiss.append(request.url))
    page.on("response", lambda answer: amiss.append(answer.url) if answer.status >= 400 else asked.append(answer.url))

    page.goto(f"{addressed.url}/docs/")
    assert page.url == f"{addressed.url}/docs"
    authorize(page, addressed.token)

    operation = page.locator(".opblock", has=page.locator('[data-path="/runs/{runId}/metric-resource"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("runId").fill("run1")
    operation.get_by_role("button", name="Execute").click()
    status = operation.locator(".live-responses-table .response .response-col_status")
    status.wait_for()
    page.screenshot(path=tmp_path / "docs.png")

    assert status.inner_text().split()[0] == "200"
    (called,) = [url for url in asked if "/runs/" in url]
    assert urlsplit(called)._replace(query="").geturl() == f"{addressed.url}/runs/run1/metric-resource"
    assert called in operation.locator(".request-url").inner_text()
    assert f"{addressed.url}/openapi.json" in asked
    assert all(url.startswith((f"{addressed.url}/", "data:")) for url in asked), asked
    assert amiss == []


@pytest.mark.parametrize("addressed", ["bare"], indirect=True)
def test_a_picture_is_shown(addressed: Addressed, page: Page) -> None:
    """Swagger UI shows it from a ``blob:`` URL, which the content security policy, the same everywhere, has to allow."""
    amiss: list[str] = []
    page.on("console", lambda message: amiss.append(message.text) if message.type in {"error", "warning"} else None)
    page.goto(f"{addressed.url}/docs")
    authorize(page, addressed.token)
    operation = page.locator(".opblock", has=page.locator('[data-path="/runs/{runId}/metric-resource/chart"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("runId").fill("run1")
    operation.locator('tr[data-param-name="format"] select').select_option("png")
    operation.get_by_role("button", name="Execute").click()
    picture = operation.locator(".live-responses-table img")
    picture.wait_for()
    page.wait_for_function("picture => picture.complete", arg=picture.element_handle())
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    assert amiss == []
