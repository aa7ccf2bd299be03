"""WCAG 2.2 A and AA by axe-core, in every view, light, dark and in forced colours; keyboard; narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from testing.effort import THOROUGH
from tests.web.conftest import (
    DEAD,
    EMPTY,
    FIRST,
    LARGE,
    PICTURES,
    RUNNING,
    SECOND,
    STOPPED,
    THIRD,
    Watched,
    scrolls_sideways,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

COMPARED = f"?compare={FIRST}&compare={SECOND}&compare={THIRD}"
VIEWS = {
    "runs": "",
    "runs-none": "?search=no-such-run",
    "overview": f"?run={FIRST}",
    "status": f"?run={DEAD}&tab=status",
    "logs": f"?run={FIRST}&tab=logs",
    "progress": f"?run={FIRST}&tab=metrics",
    "large": f"?run={LARGE}&tab=metrics",
    "table": f"?run={FIRST}&tab=metrics&as=table",
    "no-match": f"?run={FIRST}&tab=metrics&search=nothing",
    "tags": f"?run={FIRST}&tab=metrics&part=tags",
    "info": f"?run={FIRST}&tab=metrics&part=info",
    "live": f"?run={RUNNING}&tab=metrics",
    "empty": f"?run={EMPTY}&tab=metrics",
    "missing": "?run=no-such-run",
    "bad": "?run=no",
    "comparison": COMPARED,
    "comparison-runs": f"{COMPARED}&of=runs",
    "comparison-models": f"{COMPARED}&of=models&baseline={FIRST}",
    "board": f"{COMPARED}&view=board&chart=metric%3DLoss%26against%3Dstep&chart=metric%3DAccuracy%26against%3Drun",
    "board-empty": f"?compare={FIRST}&compare={STOPPED}&view=board",
}
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 1600}
"""High enough for charts, which are drawn when they come into view."""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced-colours": {"forced_colors": "active"},
    "narrow": {},
}


@pytest.mark.slow
def test_the_metric_resource(reader: Watched) -> None:
    reader.open(VIEWS["progress"])
    assert violations(reader) == []


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_every_view(reader: Watched, look: str) -> None:
    """Each in one of the looks; with ``THOROUGH=1`` in all of them, and photographed to be looked at."""
    page = reader.open()
    page.emulate_media(**{"color_scheme": "light", **LOOKS[look]})
    PICTURES.mkdir(parents=True, exist_ok=True)
    mine = list(LOOKS).index(look)
    found: dict[str, list[str]] = {}
    for number, (name, search) in enumerate(VIEWS.items()):
        if not THOROUGH and number % len(LOOKS) != mine:
            continue
        page.set_viewport_size(NARROW if look == "narrow" else WIDE)
        reader.visit(search)
        if THOROUGH:
            page.screenshot(path=PICTURES / f"{name}-{look}.png", full_page=True)
        found[name] = violations(reader)
        page.set_viewport_size(NARROW)
        if scrolls_sideways(page):
            found[name].append("scrolls sideways at 320 px")
    assert {name: amiss for name, amiss in found.items() if amiss} == {}


@pytest.mark.slow
def test_the_sign_in(open_page: Callable[..., Watched]) -> None:
    watched = open_page()
    watched.open()
    assert violations(watched) == []


def tab_to(page: Any, name: str, most: int = 80) -> None:
    """Press Tab until the element with that accessible text has the focus; it must be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(
            "(() => { const at = document.activeElement; return [at.getAttribute('aria-label') ?? at.closest('label')?.textContent ?? at.textContent,"
            " getComputedStyle(at).outlineStyle] })()"
        )
        if text.strip().startswith(name):
            assert outline != "none", f"{name} has no visible focus"
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


@pytest.mark.slow
def test_by_keyboard_alone(reader: Watched) -> None:
    """The whole procedure: find the run, details, *Metric Resource*, tags, back, choose two, compare."""
    page = reader.open("?status=COMPLETED")
    tab_to(page, FIRST)
    page.keyboard.press("Enter")
    page.get_by_role("row", name="learning_rate 0.001").wait_for()
    tab_to(page, "Metric Resource")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Loss", exact=True).wait_for()
    reader.ready()
    tab_to(page, "Tags (2)")
    page.keyboard.press("Enter")
    page.locator(".tag").first.wait_for()
    assert page.locator(".tag").all_inner_texts() == ["Artifact Group digits", "Algorithm MLPClassifier"]
    page.evaluate("document.querySelector('.skip').focus()")
    tab_to(page, "Runs")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Runs").wait_for()
    reader.ready()
    for run in (THIRD, SECOND):
        tab_to(page, f"Compare {run}")
        page.keyboard.press("Space")
        page.get_by_role("checkbox", name=f"Compare {run}", checked=True).wait_for()
    page.evaluate("document.querySelector('.skip').focus()")
    tab_to(page, "Compare (2)")
    page.keyboard.press("Enter")
    compared = page.get_by_role("row", name="learning_rate")
    compared.wait_for()
    assert compared.locator("td").all_inner_texts() == ["0.1", "0.01"]


@pytest.mark.slow
def test_focus_stays_where_it_is_while_points_arrive(reader: Watched) -> None:
    page = reader.open(f"?run={RUNNING}&tab=metrics")
    page.get_by_role("button", name="Pause").focus()
    page.get_by_text("Live: 0 new points").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Pause"
