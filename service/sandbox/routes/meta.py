"""``/v2/lm/meta``: what this runtime can do."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from service.sandbox.errors import NotFound
from service.sandbox.parts import parts

blueprint = Blueprint("meta", __name__, url_prefix="/v2/lm")

_CAPABILITIES = {
    "multitenant": True,
    "shareable": True,
    "staticDeployments": False,
    "userDeployments": False,
    "userExecutions": True,
    "executionSchedules": False,
    "timeToLiveDeployments": False,
    "bulkUpdates": {"deployments": False, "executions": True},
}
_LIMITS = {
    "executions": {"maxRunningCount": -1},
    "deployments": {"maxRunningCount": 0},
    "minimumFrequencyHour": 1,
    "timeToLiveDeployments": {"minimum": "10m", "maximum": "-1"},
}
_METRICS = {"version": "1.0.0", "capabilities": {"extendedResults": True}}


@blueprint.get("/meta")
def meta() -> dict[str, Any]:
    faults = parts().faults.now
    if not faults.meta:
        raise NotFound("this runtime does not say what it can do")
    extensions: dict[str, Any] = {"resourceGroups": {"version": "1.2.0"}}
    if faults.metrics:
        extensions["metrics"] = _METRICS
    capabilities = {**_CAPABILITIES, "logs": {"deployments": False, "executions": faults.logs}}
    return {
        "runtimeIdentifier": "sandbox",
        "runtimeApiVersion": "2.42.0",
        "description": "An AI runtime for trying things, with recorded runs",
        "aiApi": {"version": "2.42.0", "capabilities": capabilities, "limits": _LIMITS},
        "extensions": extensions,
    }


@blueprint.get("/meta/versions")
def versions() -> dict[str, Any]:
    return {"versions": [{"versionId": "v2", "url": f"{parts().public_url}/v2", "description": "AI API v2"}]}


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    return {"message": "The sandbox is up", "status": "READY"}
