"""A case, and the service that it runs against."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

_PATIENCE = 120.0
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Stage:
    """A service with one worker of four threads, its runtime, and a token for it.

    ``seconds`` is how long a case without an end of its own should last. ``answered`` has the status and the seconds of
    each request so far; the status is 0 where the answer was missing or cut off.
    """

    port: int
    token: str
    directory: Path
    seconds: float
    answered: list[tuple[int, float]] = field(default_factory=list)

    def runtime_says(self, id_: str, answer: bytes, what: str = "metrics") -> None:
        """Set the runtime's answer to requests for a run's ``metrics`` or ``logs``, or for a ``configurations``.

        ``run-<n>`` needs no metrics: it has ``n`` points.
        """
        written = self.directory / f"{id_}.new"
        written.write_bytes(answer)
        written.replace(self.directory / f"{id_}.{what}")

    def ask(self, path: str, headers: Mapping[str, str]) -> int:
        """Send a request and discard the answer; its status."""
        began, status = time.perf_counter(), 0
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **headers})
            answer = connection.getresponse()
            while answer.read(_PIECE):
                pass
            status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        self.answered.append((status, time.perf_counter() - began))
        return status

    def ask_well(self, path: str) -> None:
        """Send a request; ``RuntimeError`` where it fails."""
        status = self.ask(path, {})
        if status != 200:
            raise RuntimeError(f"{path} is answered with {status}")


def at_once(*tasks: Callable[[], object]) -> None:
    """Run all tasks, each on a thread."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@dataclass(frozen=True, slots=True)
class Case:
    """``abuse`` is measured and returns when it is over. ``prepare`` runs before, unmeasured.

    ``reads`` are the paths it requests where it can also run against a plain web server, otherwise ``None``.
    """

    name: str
    abuse: Callable[[Stage], None]
    prepare: Callable[[Stage], None] = lambda _stage: None
    reads: tuple[str, ...] | None = None


def requests(
    name: str,
    paths: Sequence[str],
    headers: Mapping[str, str] | None = None,
    *,
    together: bool = False,
    prepare: Callable[[Stage], None] = lambda _stage: None,
) -> Case:
    """A case that sends requests, one after the other or all at once."""

    def abuse(stage: Stage) -> None:
        tasks = [partial(stage.ask, path, headers or {}) for path in paths]
        if together:
            at_once(*tasks)
        else:
            for task in tasks:
                task()

    return Case(name, abuse, prepare)
