"""``/ui/`` in a real browser: signing in, all of its files and what it reads lie below a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.integration.prefix.conftest import IN_BROWSER, Addressed
from tests.servers.browser import new_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with new_page(browser) as page:
        yield page


@pytest.mark.parametrize("addressed", IN_BROWSER, indirect=True)
def test_the_page_works(addressed: Addressed, page: Page) -> None:
    amiss: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: amiss.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: amiss.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{addressed.url}/ui#token={addressed.token}")
    page.get_by_role("link", name="run1").click()
    page.get_by_role("link", name="Metric Resource").click()
    page.get_by_role("link", name="Table", exact=True).click()
    page.locator("tr.group + tr").first.wait_for()
    page.reload()
    page.locator("tr.group + tr").first.wait_for()

    assert page.url == f"{addressed.url}/ui/?run=run1&tab=metrics&as=table"
    assert [url for url in asked if not url.startswith(f"{addressed.url}/")] == []
    assert any(url.startswith(f"{addressed.url}/runs/run1/metric-resource?") for url in asked)
    assert amiss == []
