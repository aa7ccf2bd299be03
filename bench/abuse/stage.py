"""What a case is, and what it has at hand."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """A service with one worker of four threads, its runtime, and a token that opens it.

    ``seconds`` is how long a case without an end of its own should last.
    """

    port: int
    token: str
    directory: Path
    seconds: float

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def runtime_has(self, run_id: str, resource: Mapping[str, Any]) -> None:
        """Have the runtime answer with ``resource`` (``metrics``, ``tags``, ``customInfo``) for the run.

        A run ``run-<n>`` needs none: it has ``n`` points.
        """
        document = {"count": 1, "resources": [{"executionId": run_id, **resource}]}
        (self.directory / f"{run_id}.metrics").write_text(json.dumps(document))

    def get(self, path: str, *, patience: float = 120.0, **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer; status 0 where there was none within ``patience`` seconds."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"{self.base}{path}", headers={"Authorization": f"Bearer {self.token}", **given}
        )
        try:
            with urllib.request.urlopen(request, timeout=patience) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()
        except OSError:
            return 0, b""


def nothing(_stage: Stage) -> None:
    """What a case does that needs no preparation."""


@dataclass(frozen=True, slots=True)
class Case:
    """``abuse`` is measured: it returns when it is over. ``prepare`` is done before, unmeasured; ``settings`` are the
    service's, by environment variable."""

    name: str
    abuse: Callable[[Stage], None]
    prepare: Callable[[Stage], None] = nothing
    settings: Mapping[str, str] = field(default_factory=dict)
