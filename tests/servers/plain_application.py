"""A WSGI application that answers as its path says, for tests of the server beneath it.

``/hold`` works until the file named by ``HOLD_UNTIL`` is there, or ``release`` is set where it is in this process.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from service.concurrency.at_hand import AT_HAND_ONLY, NOT_AT_HAND
from service.concurrency.pushed_body import PushedBody, Sink

MIB = 1024 * 1024
AT_HAND = {"ready", "shared", "oops"}
"""What a server may ask for on a thread that has no time."""


class Application:
    def __init__(self) -> None:
        self.release = threading.Event()
        self.has_answers_at_hand = True
        self.holding = 0
        self.streamed = 0
        self.pushed = 0
        self.shared = tuple(os.urandom(MIB) for _ in range(4))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name, _, argument = environ["PATH_INFO"].removeprefix("/").partition("/")
        if AT_HAND_ONLY in environ and name not in AT_HAND:
            return NOT_AT_HAND
        make = getattr(self, f"_{name}", None)
        if make is None:
            start_response("404 NOT FOUND", [("Content-Length", "0")])
            return ()
        body = make(environ, argument)
        headers = [("Content-Type", "text/plain")]
        if isinstance(body, tuple):
            headers.append(("Content-Length", str(sum(map(len, body)))))
        start_response("200 OK", headers)
        return body

    def _livez(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        return (b"alive",)

    def _frozen(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        return (b"%d" % gc.get_freeze_count(),)

    def _small(self, _environ: dict[str, Any], argument: str) -> Iterable[bytes]:
        return (b"small", argument.encode())

    def _ready(self, _environ: dict[str, Any], argument: str) -> Iterable[bytes]:
        return (b"ready", argument.encode())

    def _oops(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        raise RuntimeError("as asked for")

    def _echo(self, environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        return (environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read())

    def _shared(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        """4 MiB that all who ask are given the same objects of."""
        return self.shared

    def _own(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        """4 MiB made anew."""
        return tuple(os.urandom(MIB) for _ in range(4))

    def _stream(self, _environ: dict[str, Any], argument: str) -> Iterator[bytes]:
        """``argument`` times 64 KiB, one after the other."""
        for number in range(int(argument)):
            self.streamed += 1
            yield bytes([number % 256]) * 65536

    def _push(self, _environ: dict[str, Any], argument: str) -> Iterable[bytes]:
        """So many bytes, and nothing more, ever."""
        return Pushed(self, int(argument))

    def _hold(self, _environ: dict[str, Any], argument: str) -> Iterable[bytes]:
        self.holding += 1
        file = os.environ.get("HOLD_UNTIL")
        while not (Path(file).exists() if file else self.release.is_set()):
            time.sleep(0.01)
        return self.shared if argument == "shared" else (b"held",)

    def _fail(self, _environ: dict[str, Any], _argument: str) -> Iterable[bytes]:
        raise RuntimeError("as asked for")

    def _break(self, _environ: dict[str, Any], _argument: str) -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError("as asked for")


class Pushed(PushedBody):
    """``application.pushed`` counts those that are open."""

    def __init__(self, application: Application, size: int) -> None:
        self._application = application
        self._size = size
        self._open = True
        application.pushed += 1

    @property
    def goes_on(self) -> bool:
        return True

    def beginning(self) -> Iterator[bytes]:
        yield bytes(self._size)

    def attach(self, sink: Sink) -> None:
        """Nothing more comes."""

    def stop(self) -> None:
        """It is ended by the server."""

    def close(self) -> None:
        self._application.pushed -= self._open
        self._open = False

    def __iter__(self) -> Iterator[bytes]:
        return self.beginning()


application = Application()
