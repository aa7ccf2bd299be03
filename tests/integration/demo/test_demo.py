"""The demo as a user has it: one command, everything up, everything gone."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from testing.waiting import PATIENCE, eventually
from tests.servers.demo import COMMAND, Demo, ended

RUNNING = "c85a1e94-d7b0-4f26-a3c1-64e2f8b90d1b"
LARGE = "b96e0d38-42fa-4c75-96ab-0e7d13f58c15"


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[Demo]:
    with ended(Demo(tmp_path)) as demo:
        yield demo


@pytest.mark.slow
def test_it_tells_how_to_use_it_and_ends_without_a_trace(own_demo: Demo) -> None:
    assert set(own_demo.ready) == {
        "service", "runtime", "authUrl", "clientId", "clientSecret", "issuer", "token", "resourceGroup", "runs"
    }  # fmt: skip
    assert stat.S_IMODE(own_demo.ready_file.stat().st_mode) == 0o600
    assert own_demo.ready["runtime"].endswith("/v2")
    assert {run["status"] for run in own_demo.ready["runs"]} >= {"COMPLETED", "RUNNING", "DEAD", "STOPPED"}
    assert len(own_demo.read(LARGE).json()["metrics"]) >= 10_000
    assert requests.get(own_demo.ready["service"] + "/docs", timeout=PATIENCE).status_code == 200
    children = own_demo.children()
    output = own_demo.end(signal.SIGINT)
    assert own_demo.process.returncode == 0
    assert output.count("  curl ") == 5
    assert output.count(own_demo.ready["token"]) == 2  # in the page's address and by itself
    assert all(run["runId"] in output for run in own_demo.ready["runs"])
    assert len(children) >= 2
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert list(own_demo.temporary.iterdir()) == []
    assert not own_demo.ready_file.exists()


def test_what_it_prints_works_when_pasted(demo: Demo) -> None:
    assert demo.process.stdout is not None
    curls: list[str] = []
    tokens = logs = ""
    while len(curls) < 5:
        line = demo.process.stdout.readline()
        assert line, "the output ended"
        tokens += line if line.startswith(("TOKEN=", "WITHOUT_ROLE=")) else ""
        curls += [line] if line.startswith("  curl ") else []
        logs = line.split()[1] if line.startswith("  Logs ") else logs

    def paste(command: str) -> str:
        output = subprocess.run(["bash", "-c", tokens + command], capture_output=True, text=True, check=True).stdout
        assert output.endswith("\n"), "the prompt would stick to it"
        return output

    read, again, forbidden, fail, heal = curls
    assert '"timezone":"Europe/Berlin"' in paste(read)
    assert paste(again).strip() == "304"
    assert '"status":403' in paste(forbidden)
    assert '"unavailable":true' in paste(fail)
    assert demo.read(LARGE).status_code == 503
    assert '"unavailable":false' in paste(heal)
    eventually(lambda: demo.read(LARGE).status_code == 200)
    assert "service.log" in paste(f"ls {logs}")


def test_fresh_points_of_the_running_run_arrive(demo: Demo) -> None:
    """Awaited, as each worker has a circuit of its own, which is open for a moment where the runtime has failed."""

    def points(**headers: str) -> int:
        return len(demo.read(RUNNING, **headers).json().get("metrics", ()))

    eventually(points)
    counts = [points()]

    def has_more() -> bool:
        counts.append(points(**{"Cache-Control": "no-cache"}))
        return counts[-1] > counts[0]

    eventually(has_more)
    assert counts[-1] > counts[0] > 0


def test_a_token_is_minted_for_the_running_demo(demo: Demo) -> None:
    eventually(lambda: list(demo.temporary.glob("metric-resource-*/metric-resource-demo-*.json")))
    command = [*COMMAND, "token", "--role", "scenario_metric_viewer", "--zone", "Asia/Tokyo", "--algorithm", "ES256"]
    minted = subprocess.run(command, env=demo.environment, capture_output=True, text=True, check=True).stdout.strip()
    assert demo.read(LARGE, Authorization=f"Bearer {minted}").json()["timezone"] == "Asia/Tokyo"


@pytest.mark.slow
def test_the_death_of_a_part_ends_all_of_it(own_demo: Demo) -> None:
    os.kill(own_demo.children()[0], signal.SIGKILL)
    own_demo.process.wait(PATIENCE)
    assert own_demo.process.returncode == 1
    assert list(own_demo.temporary.iterdir()) == []
