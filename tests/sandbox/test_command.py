"""``python -m service.sandbox`` as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from testing.waiting import eventually
from tests.servers.issuer_keys import with_keys

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        data = with_keys(tmp_path / "data")
        command = [sys.executable, "-m", "service.sandbox", "--data", str(data), *arguments]
        processes.append(
            subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | {"PYTHONWARNINGS": "error"})
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def ready(path: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return dict(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_tells_how_to_reach_it_and_ends_quietly(start: Start, tmp_path: Path, number: int) -> None:
    file = tmp_path / "ready.json"
    file.write_text("stale", "utf-8")
    os.utime(file, (0, 0))
    process = start("--port", "0", "--ready-file", str(file), "--live")
    while not (file.exists() and file.stat().st_mtime):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    printed = ready(file, process)
    assert printed["runtime"] == f"{printed['authUrl']}/v2"
    assert printed["issuer"] == printed["authUrl"]
    assert printed["resourceGroups"] == ["default", "research"]
    assert {"runId", "status", "description", "resourceGroup"} == set(printed["runs"][0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    form = {
        "grant_type": "client_credentials",
        "client_id": printed["clientId"],
        "client_secret": printed["clientSecret"],
    }
    assert requests.post(f"{printed['authUrl']}/oauth/token", data=form, timeout=30).status_code == 200
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == 0
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["keys", "sandbox.sqlite3"]


def test_options_reach_the_sandbox(start: Start, tmp_path: Path) -> None:
    file, url = tmp_path / "ready.json", "https://sandbox.example/base"
    arguments = ["--public-url", url, "--no-metrics", "--slow", "0.5", "--unavailable", "--client-id", "me"]
    process = start("--port", "0", "--ready-file", str(file), *arguments, "--client-secret", "mine")
    printed = ready(file, process)
    assert (printed["runtime"], printed["clientId"], printed["clientSecret"]) == (f"{url}/v2", "me", "mine")


def test_a_busy_port_is_reported_in_one_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        process = start("--port", str(port))
        errors = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 1
    assert errors.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert errors.count("\n") == 1


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=30).ok
    except requests.ConnectionError:
        return False


@pytest.mark.slow
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "service.sandbox", "--data", str(tmp_path), "--port", "0", "--exit-with-parent"]
    script = f"import subprocess, time; subprocess.Popen({[*command, '--ready-file', str(file)]!r}); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        keys = f"{ready(file, parent)['issuer']}/.well-known/jwks.json"
        assert answers(keys)
        parent.kill()
    eventually(lambda: not answers(keys))


def test_faults_out_of_range_are_refused(start: Start) -> None:
    process = start("--slow", "-1")
    assert b"slow must be" in process.communicate(timeout=30)[1]
    assert process.returncode == 2
