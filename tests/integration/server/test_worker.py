"""The worker as gunicorn runs it, beneath an application that answers as its path says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from testing.ports import free_port
from testing.waiting import eventually
from tests.integration.server.conftest import PARSERS
from tests.servers.plain_application import MIB
from tests.servers.raw_http import Client, request

WORKER = "service.server.worker.Worker"
THREADS = 2


class Host:
    """One gunicorn with one worker of two threads. ``/hold`` works until ``release``."""

    def __init__(self, directory: Path, parser: str) -> None:
        self.port = free_port()
        self._hold_until = directory / "released"
        command = [sys.executable, "-m", "gunicorn", "-w1", f"-k{WORKER}", f"--threads={THREADS}", "--keep-alive=30"]
        command += [f"--http-parser={parser}", "--no-control-socket", f"-b127.0.0.1:{self.port}"]
        command += ["--graceful-timeout=60", "tests.servers.plain_application:application"]
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "HOLD_UNTIL": str(self._hold_until)},
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=Path(__file__).parents[3],
            )

    def release(self) -> None:
        self._hold_until.touch()

    def worker(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[-1])

    def files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.worker()}/fd").iterdir())

    def memory(self, which: str) -> int:
        """Bytes: ``VmRSS`` now, ``VmHWM`` at most."""
        status = Path(f"/proc/{self.worker()}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(which))

    def is_up(self) -> bool:
        with Client(self.port) as client:
            return client.get("/small").status == 200

    def stop(self) -> None:
        self.release()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


@pytest.fixture(params=[*(pytest.param(parser, marks=pytest.mark.slow) for parser in PARSERS[:-1]), PARSERS[-1]])
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    made = Host(tmp_path, str(request.param))
    try:
        eventually(made.is_up)
        yield made
    finally:
        made.stop()


@pytest.fixture
def connect(host: Host) -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(Client(host.port, **more))


def test_probes_are_answered_while_all_threads_work(host: Host, connect: Callable[..., Client]) -> None:
    assert int(connect().get("/frozen").body) > 10_000, (
        "collections, which hold everybody up, leave the application out"
    )
    held = [connect() for _ in range(3 * THREADS)]
    for client in held:
        client.send(request("/hold"))
    queued = connect()
    queued.send(request("/small"))
    for path, status in {"/livez": 200, "/readyz": 404, "/metrics": 404}.items():
        assert connect().get(path).status == status
    assert all(client.waits() for client in (*held, queued))
    host.release()
    assert [client.answer().body for client in held] == [b"held"] * len(held)
    assert queued.answer().body == b"small"


@pytest.mark.parametrize(
    "said",
    [b"", request("/small")[:-2], request("/small", "Connection: close"), request("/echo", "Content-Length: 9") + b"a"],
    ids=["silent", "half-open", "lingering", "dripping"],
)
def test_clients_that_stay_hold_no_other_up(host: Host, connect: Callable[..., Client], said: bytes) -> None:
    staying = [connect() for _ in range(60)]
    for client in staying:
        client.send(said)
    assert [connect().get("/small").body for _ in range(20)] == [b"small"] * 20
    assert host.files() > len(staying), "they are there still"


def test_readers_share_what_they_do_not_read(host: Host, connect: Callable[..., Client]) -> None:
    before, files = host.memory("VmRSS"), host.files()
    readers = [connect(receive_buffer=4096) for _ in range(100)]
    for reader in readers:
        reader.send(request("/shared"))
    assert [len(connect().get("/shared").body) for _ in range(10)] == [4 * MIB] * 10
    assert host.memory("VmHWM") - before < 50 * MIB
    for reader in readers:
        reader.close()
    eventually(lambda: host.files() <= files + 10)


def test_sigterm_lets_answers_be_made_and_taken(host: Host, connect: Callable[..., Client]) -> None:
    held, reading, idle = connect(), connect(receive_buffer=4096), connect()
    assert idle.get("/small").status == 200
    reading.send(request("/own"))
    assert idle.get("/own").status == 200
    held.send(request("/hold"))
    assert idle.get("/small").status == 200
    host.process.send_signal(signal.SIGTERM)
    assert idle.until_closed() == b""
    assert held.waits()
    host.release()
    assert held.answer().body == b"held"
    assert len(reading.answer().body) == 4 * MIB
    for client in (held, reading):
        client.close()
    assert host.process.wait(60) == 0


def test_hup_has_new_connections_served_by_a_new_worker_and_old_requests_by_the_old(
    host: Host, connect: Callable[..., Client]
) -> None:
    old = host.worker()
    held = connect()
    held.send(request("/hold"))
    assert connect().get("/small").status == 200
    host.process.send_signal(signal.SIGHUP)
    eventually(lambda: host.worker() != old)
    eventually(host.is_up)
    host.release()
    assert held.answer().body == b"held"
    held.close()
    eventually(lambda: not Path(f"/proc/{old}/fd").exists() or not list(Path(f"/proc/{old}/fd").iterdir()))
    assert connect().get("/small").status == 200
