"""The page behind the proxy that is shipped, below the prefix that it takes away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers.demo import Demo
from tests.servers.nginx import NGINX, proxy
from tests.web.conftest import FIRST, OwnRuns, Watched, point, signed_in

pytestmark = pytest.mark.slow


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (on Debian: apt-get install nginx)")
def test_all_of_it_works(open_page: Callable[..., Watched], own_runs: OwnRuns, demo: Demo, tmp_path: Path) -> None:
    """Runs, charts and downloads; events come as they happen, none is held back in a buffer."""
    run = own_runs.start(metrics=[point(1)])
    upstream = urlsplit(demo.ready["service"]).port
    assert upstream is not None
    with proxy(tmp_path, upstream) as port:
        front = f"http://127.0.0.1:{port}/metrics-api"
        watched = signed_in(open_page(front), demo.ready["token"])
        page = watched.open()
        page.get_by_role("link", name=FIRST).click()
        page.get_by_role("link", name="Metric Resource").click()
        page.locator("metric-chart svg").first.wait_for()
        page.get_by_role("link", name="Table", exact=True).click()
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV", exact=True).click()
        assert b"Loss" in saved.value.path().read_bytes()
        assert page.url == f"{front}/ui/?run={FIRST}&tab=metrics&as=table"
        watched.visit(own_runs.search(run, "tab=metrics"))
        page.get_by_text("Live: 0 new points since").wait_for()
        own_runs.log(run, metrics=[point(2)])
        page.get_by_text("Live: 1 new point since").wait_for()
