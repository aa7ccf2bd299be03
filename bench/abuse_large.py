"""Large runs asked for in the costliest ways at once: how long ``/livez`` waits meanwhile, and what it all takes.

Run ``.venv/bin/python -m bench.abuse_large [--points N]``; it starts everything on 127.0.0.1 and ends it. One worker of
four threads. Each case is a plain function of a ``Scene``; clients are processes of their own, so that what they take
in is not measured as the service's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench.world import World, peak_memory, worker_of
from service.demo.processes import Processes

SVG = "image/svg+xml"
_BETWEEN_LOOKS = 0.02
_PATIENCE = 300


@dataclass
class Measured:
    """One case: seconds in all, CPU seconds and peak memory (MiB) of the worker, waits of ``/livez``, statuses."""

    name: str
    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    livez: list[float] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def row(self) -> str:
        worst = max(self.livez, default=0.0) * 1000
        return (
            f"| {self.name} | {self.seconds * 1000:.1f} | {self.cpu:.2f} | {self.peak:.0f} | {worst:.0f} "
            f"| {' '.join(self.statuses)} |"
        )


@dataclass(frozen=True)
class Scene:
    """A service whose runtime has one large run."""

    base: str
    token: str
    worker: int
    points: int

    def of_run(self, path: str) -> str:
        return f"{self.base}/runs/run-{self.points}{path}"

    def url(self, path: str) -> str:
        return self.of_run(f"/metric-resource{path}")

    def at_once(self, name: str, urls: Sequence[str], accept: str = "*/*", coding: str = "identity") -> Measured:
        """All of ``urls`` at once, each by a process; ``/livez`` is asked all the while."""
        measured = Measured(name)
        ended = threading.Event()
        looking = threading.Thread(target=self._look, args=(measured, ended))
        peak_memory(self.worker, anew=True)
        cpu, began = _cpu(self.worker), time.perf_counter()
        looking.start()
        clients = [self._client(url, accept, coding) for url in urls]
        measured.statuses = sorted(client.communicate(timeout=_PATIENCE)[0].strip() for client in clients)
        measured.seconds = time.perf_counter() - began
        ended.set()
        looking.join()
        measured.cpu = _cpu(self.worker) - cpu
        measured.peak = peak_memory(self.worker)
        return measured

    def again(self, name: str, urls: Sequence[str], accept: str = "*/*") -> Measured:
        """One after the other; ``seconds`` is the median of them."""
        measured = Measured(name)
        cpu, seconds = _cpu(self.worker), []
        for url in urls:
            asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}", "Accept": accept})
            began = time.perf_counter()
            try:
                with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer:
                    answer.read()
                    measured.statuses.append(str(answer.status))
            except urllib.error.HTTPError as refusal:
                measured.statuses.append(str(refusal.code))
            seconds.append(time.perf_counter() - began)
        measured.seconds = sorted(seconds)[len(seconds) // 2]
        measured.cpu = _cpu(self.worker) - cpu
        measured.peak = peak_memory(self.worker)
        return measured

    def _client(self, url: str, accept: str, coding: str) -> subprocess.Popen[str]:
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\n", "-H", f"Authorization: Bearer {self.token}"]
        command += ["-H", f"Accept: {accept}", "-H", f"Accept-Encoding: {coding}", url]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _look(self, measured: Measured, ended: threading.Event) -> None:
        while not ended.wait(_BETWEEN_LOOKS):
            began = time.perf_counter()
            try:
                with urllib.request.urlopen(f"{self.base}/livez", timeout=_PATIENCE) as answer:
                    answer.read()
            except OSError:
                measured.statuses.append("livez-failed")
            measured.livez.append(time.perf_counter() - began)


def four_sorts(scene: Scene) -> Measured:
    orders = ("value", "-value,step", "-timestamp", "name,-step")
    return scene.at_once("four sorts at once", [scene.url(f"?sort={order}") for order in orders])


def four_zones_compressed(scene: Scene) -> Measured:
    zones = ("Asia/Kolkata", "Asia/Tokyo", "America/New_York", "+05:45")
    urls = [scene.url(f"?timezone={quote(zone)}") for zone in zones]
    return scene.at_once("four time zones at once, gzip", urls, coding="gzip")


def four_filters(scene: Scene) -> Measured:
    urls = [scene.url(f"?minStep={number}") for number in range(2, 6)]
    return scene.at_once("four filters at once, CSV", urls, accept="text/csv")


def nine_charts(scene: Scene) -> Measured:
    return scene.at_once("nine charts at once", [scene.url("/chart")] * 9, accept=SVG)


def first_read(scene: Scene) -> Measured:
    return scene.at_once("first read, tags", [scene.of_run("/tags")])


def tags(scene: Scene) -> Measured:
    urls = [scene.of_run(path) for path in ("/custom-info", "/custom-info?parse=true", "/custom-info?parse=false")]
    return scene.again("custom info", urls)


def page(scene: Scene) -> Measured:
    zones = [quote(f"+0{hour}:00") for hour in range(1, 8)]
    return scene.again("a page of 1", [scene.url(f"?limit=1&timezone={zone}") for zone in zones])


def sorted_page(scene: Scene) -> Measured:
    zones = [quote(f"+0{hour}:00") for hour in range(1, 8)]
    return scene.again("a page of 1, sorted", [scene.url(f"?limit=1&sort=-value&timezone={zone}") for zone in zones])


def refused_chart(scene: Scene) -> Measured:
    return scene.again("a chart that is refused", [scene.url("/chart?name=none-of-these")] * 7)


CASES: Sequence[Callable[[Scene], Measured]] = (
    first_read,
    tags,
    page,
    sorted_page,
    refused_chart,
    nine_charts,
    four_filters,
    four_zones_compressed,
    four_sorts,
)


def _cpu(process: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.abuse_large", description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--only", help="part of the cases' names")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="metric-resource-bench-")))
        world = World(stack.enter_context(Processes(directory)), directory, [arguments.points])
        base, master, _ = world.service("service", world.redis(), workers=1, WEB_THREADS="4")
        scene = Scene(base, world.token, worker_of(master), arguments.points)
        print("| case | ms | CPU s | peak MiB | worst /livez ms | statuses |\n|---|---|---|---|---|---|")
        for case in CASES:
            if not arguments.only or arguments.only in case.__name__ or case is first_read:
                print(case(scene).row(), flush=True)


if __name__ == "__main__":
    main()
