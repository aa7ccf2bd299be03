"""An AI runtime that gives every tenant, resource group and run a canary of its own."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from itertools import count
from urllib.parse import parse_qs, urlsplit

from tests.servers.scripted_runtime import ScriptedRuntime

SHARED_RUNS = ("run-1", "run-2", "run-3")
ONLY_IN = {"run-of-a": "group-a"}
UNKNOWN_RUN = "run-of-nobody"
CREATED = "2026-03-29T01:00:00Z"
LOGGED = "2026-03-29T01:00:00Z"
"""When every point was logged."""


def before(whose: str) -> int:
    """Seconds from a run's start until its points were logged: another number for each canary ``name|…|caller``."""
    return 1 + zlib.crc32(whose.encode()) % 3599


class CanaryRuntime(ScriptedRuntime):
    """Says in each run's metric resource for whom it was fetched: ``name|tenant|group|run|caller``, then what differs.

    Tenant and caller are those of the token where one comes along, and stand in the request id otherwise
    (``tenant.caller``), which the service sends upstream.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._fetches = count()

    def answer(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        parts = urlsplit(path)
        if headers is None or parts.path == "/v2/lm/meta":
            return super().answer(path)
        if parts.path == "/v2/admin/resourceGroups":
            named = "|".join((self._name, _tenant(headers), _caller(headers)))
            return 200, json.dumps({"count": 1, "resources": [{"resourceGroupId": named}]}).encode(), 0.0
        group = headers["ai-resource-group"]
        if parts.path != "/v2/lm/metrics":
            return self._other(parts.path.removeprefix("/v2/lm/").split("/"), group, headers)
        self.asked["metrics"] += 1
        runs = parse_qs(parts.query)["executionIds"][0].split(",")
        resources = [
            self._resource(run, "|".join((self._name, _tenant(headers), group, run, _caller(headers)))) for run in runs
        ]
        return 200, json.dumps({"count": len(runs), "resources": resources}).encode(), 0.0

    def _other(self, asked: list[str], group: str, headers: Mapping[str, str]) -> tuple[int, bytes, float]:
        """Executions, and the configuration and scenario that each run has for itself."""

        def whose(run: str) -> str:
            return "|".join((self._name, _tenant(headers), group, run, _caller(headers)))

        def canary(run: str) -> str:
            return f"{whose(run)}|{next(self._fetches)}"

        def execution(run: str) -> dict[str, object]:
            of_its_own = {"configurationId": run, "scenarioId": run, "executableId": run}
            minutes, seconds = divmod(3600 - before(whose(run)), 60)
            times = {"createdAt": CREATED, "startTime": f"2026-03-29T00:{minutes:02d}:{seconds:02d}Z"}
            return {"id": run, "status": "RUNNING", "statusMessage": canary(run), **times, **of_its_own}

        known = [run for run in (*SHARED_RUNS, *ONLY_IN) if ONLY_IN.get(run, group) == group]
        found: dict[str, object]
        match asked:
            case ["executions"]:
                found = {"resources": [execution(run) for run in known]}
            case ["executions", run] if run in known:
                found = execution(run)
            case ["executions", run, "logs"] if run in known:
                found = {"data": {"result": [{"timestamp": CREATED, "msg": canary(run)}]}}
            case ["configurations", run] if run in known:
                found = {"id": run, "parameterBindings": [{"key": "canary", "value": canary(run)}]}
            case ["scenarios", *_, run] if run in known:
                found = {"id": run, "name": canary(run)}
            case _:
                return 404, b'{"error":{"code":"04010404","message":"not found"}}', 0.0
        return 200, json.dumps(found).encode(), 0.0

    def _resource(self, run: str, canary: str) -> dict[str, object]:
        canary = f"{canary}|{next(self._fetches)}"
        point = {"name": canary, "value": 0.5, "timestamp": LOGGED, "step": 1}
        named = [{"name": "canary", "value": canary}]
        return {"executionId": run, "metrics": [point], "tags": named, "customInfo": named}


def _claims(headers: Mapping[str, str]) -> dict[str, str] | None:
    token = headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return None
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _tenant(headers: Mapping[str, str]) -> str:
    claims = _claims(headers)
    return headers["x-request-id"].split(".")[0] if claims is None else claims["zid"]


def _caller(headers: Mapping[str, str]) -> str:
    claims = _claims(headers)
    return "" if claims is None else claims["sub"]
