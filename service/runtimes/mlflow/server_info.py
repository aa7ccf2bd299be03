"""``GET server-info`` and ``GET /version`` → the capabilities of an MLflow server."""

from __future__ import annotations

import re

import msgspec

from service.domain.runtime import Capabilities
from service.runtimes import json_literals

_VERSION = re.compile(rb"[0-9]+\.[0-9]+[0-9A-Za-z.+-]{0,32}")


class _ServerInfo(msgspec.Struct):
    workspaces_enabled: bool = False


class _Workspace(msgspec.Struct):
    name: str


class _Workspaces(msgspec.Struct):
    workspaces: list[_Workspace] = []


def workspace_names(body: bytes) -> tuple[str, ...]:
    """The names of workspaces, sorted. Raises ``BadGateway`` where the answer is not a list of workspaces."""
    return tuple(sorted(workspace.name for workspace in json_literals.decode(body, _Workspaces).workspaces))


def workspaces(body: bytes) -> bool:
    """Whether the server has workspaces. Raises ``BadGateway`` where the answer is not a server-info."""
    return json_literals.decode(body, _ServerInfo).workspaces_enabled


def version(body: bytes) -> str | None:
    """The server's version; ``None`` for the answer of another server."""
    text = body.strip()
    return text.decode("ascii") if _VERSION.fullmatch(text) else None


def capabilities(api_version: str | None, *, multitenant: bool) -> Capabilities:
    """Every MLflow server has metrics, none has logs."""
    return Capabilities(identifier="mlflow", api_version=api_version, metrics=True, multitenant=multitenant, logs=False)
