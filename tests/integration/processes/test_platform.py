"""What a platform gives the process: bindings, a directory for metrics, a Redis without a secret; as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from testing.ports import free_port
from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.integration.processes.test_visible import sample
from tests.servers import forked
from tests.servers.scripted_runtime import META, ScriptedRuntime
from tests.servers.service_hosts import ServiceHost
from tests.servers.valkey import ValkeyServer, running

PASSWORD = "p/a@s#s%2F?"
RISK = "CACHE_SECRET: is not set: whoever can write to Redis"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(trust: tuple[str, str], runtime: ScriptedRuntime, tmp_path: Path) -> Command:
    """Runs ``metric-resource`` until it ends by itself."""

    def run(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        configured = {"AICORE_BASE_URL": runtime.url, "RUNTIME_AUTH": "none", "HOME": str(tmp_path)}
        configured |= {"JWT_ISSUER": trust[0], "JWT_AUDIENCE": "metric-resource", "PATH": os.environ["PATH"]}
        return forked.run([name], configured | environment, tmp_path)

    return run


def binding(server: ValkeyServer, password: str = PASSWORD) -> dict[str, str]:
    credentials = {"cluster_mode": False, "hostname": "127.0.0.1", "port": server.port, "tls": False}
    credentials |= {"password": password, "uri": f"redis://no-user-name-for-redis:{password}@127.0.0.1:{server.port}"}
    return {"VCAP_SERVICES": json.dumps({"redis-cache": [{"label": "redis-cache", "credentials": credentials}]})}


def test_check_tells_a_wrong_password_from_a_dead_host_and_what_a_missing_secret_means(
    command: Command, tmp_path: Path
) -> None:
    with running(tmp_path / "locked", "--requirepass", PASSWORD) as server:
        well = command("check", **binding(server))
        wrong = command("check", **binding(server, "wr/ong"), CACHE_SECRET="s" * 32)
    dead = command("check", **binding(server), CACHE_SECRET="s" * 32)
    assert (well.returncode, "redis: usable" in well.stdout) == (0, True), well
    assert well.stdout.count(f"warning: {RISK}") == 1
    assert wrong.returncode == dead.returncode == 1
    assert "redis: refuses user or password: set both in the redis-cache binding" in wrong.stdout
    assert "redis: refuses connections" in dead.stdout
    assert "runtime: reachable" in wrong.stdout
    for ended in (well, wrong, dead):
        assert ended.stderr == ""
        assert not any(secret in ended.stdout for secret in (PASSWORD, "wr/ong", "wr%2Fong", "no-user-name"))
        assert ended is well or RISK not in ended.stdout


def test_check_tells_of_each_connection(command: Command, runtime: ScriptedRuntime, tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    none = 'auth = "none"\n'
    file.write_text(
        f'[well]\ndefault = true\nbase_url = "{runtime.url}"\n{none}'
        f'[dead]\nkind = "mlflow"\ntracking_uri = "http://127.0.0.1:{free_port()}"\n{none}'
        f'[other]\nkind = "mlflow"\ntracking_uri = "{runtime.url}"\n{none}'
        f'[callers]\nbase_url = "{runtime.url}"\nauth = "forward"\n'
    )
    found = command("check", CONNECTIONS=str(file))
    assert found.returncode == 1
    for line in (
        "connection well: reachable",
        "connection dead: no answer: the AI runtime cannot be reached",
        "connection other: no usable answer: the AI runtime's answer is not an MLflow server's; check the tracking URI",
        "connection callers: not asked: RUNTIME_AUTH=forward needs a caller's token",
    ):
        assert line in found.stdout.splitlines()
    runtime.say("meta", 200, META, wait=1.5)
    file.write_text(f'[far]\ndefault = true\nbase_url = "{runtime.url}"\n{none}')
    assert "connection far: reachable" in command("check", CONNECTIONS=str(file)).stdout.splitlines()
    file.write_text("[a]\n")
    wrong = command("check", CONNECTIONS=str(file))
    assert wrong.returncode == 1
    assert "CONNECTIONS: [a] base_url is missing" in wrong.stdout + wrong.stderr


def test_a_bound_redis_is_used_and_its_risk_logged_once(new_host: NewHost, tmp_path: Path) -> None:
    with running(tmp_path / "locked", "--requirepass", PASSWORD) as server:
        host = new_host(**binding(server), CACHE_SECRET="")
        assert host.get("/runs/run1/metric-resource").status == 200
        eventually(lambda: server.ask("DBSIZE", password=PASSWORD))
    lines = [json.loads(line) for line in host.log().splitlines() if RISK in line]
    assert [(line["level"], line["event"]) for line in lines] == [("warning", "configuration")]
    assert PASSWORD not in host.log()


def test_a_short_secret_stops_the_start(command: Command) -> None:
    ended = command("serve", CACHE_SECRET="s" * 31, REDIS_URL="redis://127.0.0.1:1")
    assert (ended.returncode, ended.stderr) == (1, "CACHE_SECRET: must have at least 32 characters\n")


def test_the_longest_token_is_also_the_longest_that_is_let_in(new_host: NewHost) -> None:
    """Of a header field the server reads 32 kB, or as much as the longest token needs."""
    host = new_host(JWT_MAX_BYTES="40000", WEB_CONCURRENCY="1")
    for length, status, detail in (
        (39_999, 401, b"not a signed JSON Web Token"),
        (40_000, 401, b"not a signed JSON Web Token"),
        (40_001, 401, b"longer than 40000 bytes"),
        (41_000, 431, b"too many header fields, or they are too long"),
    ):
        answer = host.get("/runs/run1/metric-resource", Authorization="Bearer " + "a" * length)
        assert (answer.status, detail in answer.body) == (status, True), answer.body


def test_the_gauges_of_a_master_that_was_killed_are_forgotten(
    new_host: NewHost, runtime: ScriptedRuntime, tmp_path: Path
) -> None:
    directory = tmp_path / "metrics"
    (directory / "inside").mkdir(parents=True)
    (directory / "inside" / "kept.db").touch()
    (directory / "notes.txt").write_text("not ours")
    host = new_host(PROMETHEUS_MULTIPROC_DIR=str(directory), WEB_CONCURRENCY="1")
    runtime.slow["slow-"] = 4.0
    reader = threading.Thread(target=lambda: host.get("/runs/slow-run/metric-resource"))
    reader.start()
    eventually(lambda: fetches(host) > 0)
    host.stop()
    reader.join()
    assert list(directory.glob("gauge_live*.db")), "a killed process leaves its files"
    host.start()
    assert fetches(host) == 0
    assert sample(host, "upstream_exchanges_total", operation="metrics", outcome="200") == 0
    assert (directory / "notes.txt").read_text() == "not ours"
    assert (directory / "inside" / "kept.db").exists()


def test_a_worker_that_has_only_begun_its_file_of_metrics_hides_no_others(new_host: NewHost, tmp_path: Path) -> None:
    host = new_host(PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    (tmp_path / "counter_1.db").touch()
    assert b"metric_resource_requests_total" in host.get("/metrics").body


def fetches(host: ServiceHost) -> float:
    return sum(sample(host, "fetches", partition=partition) for partition in ("slow", "fast"))


def test_a_directory_for_metrics_is_made_or_named_as_what_is_wrong(
    command: Command, new_host: NewHost, tmp_path: Path
) -> None:
    host = new_host(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "new" / "metrics"))
    assert b"metric_resource_requests_total" in host.get("/metrics").body
    (tmp_path / "file").write_text("")
    ended = command("serve", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file"))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("PROMETHEUS_MULTIPROC_DIR: not a usable directory")
    assert "Traceback" not in ended.stderr
