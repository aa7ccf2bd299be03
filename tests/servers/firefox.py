"""The machine's own Firefox, driven by the protocol that it brings (Marionette): playwright drives only its own build."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testing.ports import free_port
from testing.waiting import eventually

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
_START_GUARD = 120.0


class Firefox:
    """One window. Messages are ``length:[type, id, command or error, parameters or result]``."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _START_GUARD)
        self._stream = self._socket.makefile("rb")
        self._read()
        self._number = 0
        self._ask("WebDriver:NewSession", {})

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def open(self, url: str) -> None:
        self._ask("WebDriver:Navigate", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of a function returns, in the page."""
        return self._ask("WebDriver:ExecuteScript", {"script": script, "args": list(arguments)})["value"]

    def wait(self, script: str, *arguments: object) -> None:
        """Until the script returns something that is true."""
        try:
            eventually(lambda: self.run(script, *arguments), 60)
        except AssertionError:
            raise AssertionError(f"{script}: {self.run('return document.body.innerText')}") from None

    def _ask(self, command: str, parameters: dict[str, object]) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, parameters])
        self._socket.sendall(f"{len(message)}:{message}".encode())
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            one = self._stream.read(1)
            assert one, "Firefox has ended"
            length += one
        return json.loads(self._stream.read(int(length[:-1])))


@contextmanager
def running_firefox(directory: Path) -> Iterator[Firefox]:
    """Without a window, with a profile of its own in ``directory``."""
    port = free_port()
    profile = directory / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(
        f'user_pref("marionette.port", {port});\n'
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
        'user_pref("app.update.disabledForTesting", true);\n'
    )
    command = [str(FIREFOX), "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    environment = {**os.environ, "HOME": str(directory), "TZ": "Europe/Berlin"}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, _START_GUARD)
        firefox = Firefox(port)
        try:
            yield firefox
        finally:
            firefox.close()
    finally:
        process.terminate()
        process.wait(60)
