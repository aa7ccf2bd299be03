"""The page for people in a browser: the demo's run of 10,320 points, as a table and as charts.

Each sample is a page opened anew, with nothing in the browser's cache. Tasks are timed by the page's own clock, as
people have to wait for them, and by processor time, which others' load on the machine changes little. Beside them
stands what the browser takes for a fixed piece of work, to compare machines by.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results import PAGE_ROWS, Results, longest_task
from bench.world import PYTHON
from service.demo.processes import Processes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LARGE = "b96e0d38-42fa-4c75-96ab-0e7d13f58c15"
_PATIENCE = 180.0
_TABLE = f"?run={_LARGE}&tab=metrics&as=table"
_CHARTS = f"?run={_LARGE}&tab=metrics"
_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask', buffered: true });
window.rowsShown = new Promise((shown) => new MutationObserver((_, observer) => {
  if (!document.querySelector('tbody td')) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => shown(performance.now())));
}).observe(document, { childList: true, subtree: true }));
"""
"""The durations of tasks of 50 ms and more, and when the frame with the first rows has been made."""
_FOUND = """async () => {
  const isOfPoints = ({ name }) => /metric-resource\\?.*limit=200/.test(name);
  const answered = performance.getEntriesByType('resource').find(isOfPoints)?.responseEnd ?? NaN;
  return [await rowsShown - answered, Math.max(0, ...longTasks)];
}"""
_WORK = """() => {
  const points = Array.from({ length: 20000 }, (_, step) => ({ name: 'Loss', value: step / 7, step }));
  const text = JSON.stringify(points);
  const began = performance.now();
  for (let count = 0; count < 10; count += 1) JSON.parse(text);
  return performance.now() - began;
}"""
"""Milliseconds for JSON of 200,000 points."""


def measure(samples: int, processes: Processes, directory: Path, results: Results) -> None:
    """``samples`` pages of each kind; what is missing for it is named in the results."""
    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if executable is None or find_spec("playwright") is None:
        missing = "playwright is not installed" if executable else f"no browser: none of {', '.join(_BROWSERS)}"
        results.skipped.append(f"the page: {missing}")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - there may be none

    ready = _demo(processes, directory)
    version = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    results.notes.append(f"the page in {version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has none for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=sandbox)
        for _ in range(samples):
            _sample(browser, ready, results)
        browser.close()


def _demo(processes: Processes, directory: Path) -> dict[str, Any]:
    path = directory / "demo-ready.json"
    command = [PYTHON, "-c", "from service.cli import main; raise SystemExit(main())", "demo"]
    environment = {**os.environ, "TMPDIR": str(directory)}
    environment.pop("XDG_RUNTIME_DIR", None)
    processes.start("demo", [*command, "--ready-file", str(path)], environment)
    ends = time.monotonic() + _PATIENCE
    while not path.exists():
        processes.check()
        if time.monotonic() > ends:
            raise TimeoutError("the demo did not start")
        time.sleep(0.1)
    ready: dict[str, Any] = json.loads(path.read_text())
    return ready


def _sample(browser: Browser, ready: dict[str, Any], results: Results) -> None:
    token = json.dumps(ready["token"])
    for name, search in (("table", _TABLE), ("charts", _CHARTS)):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(_PATIENCE * 1000)
        if name == "table":
            browser.start_tracing(page=page, categories=["toplevel"])
        page.add_init_script(f"{_WATCH}; sessionStorage.setItem('metric-resource.token', {token})")
        page.goto(f"{ready['service']}/ui/{search}")
        page.locator("tbody td" if name == "table" else "figure:last-child svg").first.wait_for()
        page.locator("[aria-busy]").first.wait_for(state="detached")
        rows, longest = page.evaluate(_FOUND)
        if name == "table":
            _add(results, PAGE_ROWS, rows)
            events = json.loads(browser.stop_tracing())["traceEvents"]
            _add(results, f"processor, {longest_task(name)}", _processor(events))
        _add(results, longest_task(name), longest)
        _add(results, "browser, JSON of 200,000 points", page.evaluate(_WORK))
        context.close()


def _processor(events: list[dict[str, Any]]) -> float:
    """Milliseconds of processor time of the longest task of a page's main thread, in Chromium's trace."""
    main = {(each["pid"], each["tid"]) for each in events if each.get("args", {}).get("name") == "CrRendererMain"}
    tasks = (each for each in events if each["ph"] == "X" and "RunTask" in each["name"])
    return max(float(each.get("tdur", 0)) for each in tasks if (each["pid"], each["tid"]) in main) / 1000


def _add(results: Results, name: str, milliseconds: float) -> None:
    results.times.setdefault(name, []).append(milliseconds)
