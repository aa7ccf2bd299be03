"""How an execution's status changes. The sandbox runs no containers, so a change is done as soon as it is asked for."""

from __future__ import annotations

from typing import Any

Execution = dict[str, Any]

_ENDED = frozenset({"COMPLETED", "DEAD", "STOPPED"})


def created(id_: str, configuration: dict[str, Any], now: str) -> Execution:
    """A new execution of a configuration. It is pending until something is logged for it."""
    return {
        "id": id_,
        "configurationId": configuration["id"],
        "configurationName": configuration["name"],
        "executableId": configuration["executableId"],
        "scenarioId": configuration["scenarioId"],
        "status": "PENDING",
        "targetStatus": "COMPLETED",
        "outputArtifacts": [],
        "createdAt": now,
        "modifiedAt": now,
        "submissionTime": now,
    }


def logged(execution: Execution, now: str) -> Execution:
    """An execution that something was logged for: a pending one has evidently started."""
    return moved(execution, "RUNNING", now) if execution["status"] == "PENDING" else execution


def stopped(execution: Execution, now: str) -> Execution:
    """The execution with the target status STOPPED; one that has ended stays as it is."""
    if execution["status"] in _ENDED:
        return execution
    return {**moved(execution, "STOPPED", now), "targetStatus": "STOPPED"}


def moved(execution: Execution, status: str, now: str, message: str | None = None) -> Execution:
    """An execution with another status and what follows from it: start, end, time of modification."""
    changed = {**execution, "status": status, "modifiedAt": now}
    if message is not None:
        changed["statusMessage"] = message
    if status != "PENDING":
        changed.setdefault("startTime", now)
    if status in _ENDED:
        changed.setdefault("completionTime", now)
    else:
        changed.pop("completionTime", None)
    return changed
