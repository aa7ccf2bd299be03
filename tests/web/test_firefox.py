"""The same page in Firefox, whose engine knows other things: a policy for Trusted Types, or how a number was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.demo import Demo
from tests.servers.firefox import FIREFOX, running_firefox
from tests.web.conftest import FIRST, SECOND, OwnRuns, point
from tests.web.test_journeys import first_point

pytestmark = pytest.mark.slow

HAS_TEXT = "return document.querySelector('main').innerText.includes(arguments[0])"


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed (on Debian: apt-get install firefox-esr)")
def test_the_procedure(own_runs: OwnRuns, demo: Demo, tmp_path: Path) -> None:
    """Sign in, find the run, its charts and its table digit for digit; a running run grows; three are compared."""
    run = own_runs.start(metrics=[point(1)])
    given = first_point(demo, timezone="Europe/Berlin")
    with running_firefox(tmp_path) as firefox:
        firefox.open(f"{demo.ready['service']}/ui/#token={demo.ready['token']}")
        firefox.wait(HAS_TEXT, FIRST)
        assert firefox.run("return location.hash") == ""
        firefox.run(
            "[...document.querySelectorAll('a')].find((one) => one.textContent === arguments[0]).click()", FIRST
        )
        firefox.wait(HAS_TEXT, "learning_rate")
        firefox.open(f"{demo.ready['service']}/ui/?run={FIRST}&tab=metrics")
        firefox.wait("return document.querySelectorAll('metric-chart svg').length >= 2")
        firefox.open(f"{demo.ready['service']}/ui/?run={FIRST}&tab=metrics&as=table")
        firefox.wait("return document.querySelector('tr.group + tr')")
        cells = firefox.run(
            "return [...document.querySelectorAll('tr.group + tr')[0].cells].map((one) => one.innerText)"
        )
        assert cells[1] == str(given["value"])
        firefox.open(f"{demo.ready['service']}/ui/{own_runs.search(run, 'tab=metrics')}")
        firefox.wait(HAS_TEXT, "Live: 0 new points since")
        own_runs.log(run, metrics=[point(2)])
        firefox.wait(HAS_TEXT, "Live: 1 new point since")
        firefox.open(f"{demo.ready['service']}/ui/?compare={FIRST}&compare={SECOND}&compare={run}")
        firefox.wait(HAS_TEXT, "There is no such run")
        firefox.wait(HAS_TEXT, "learning_rate")
