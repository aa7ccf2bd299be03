"""The announcement of a running sandbox: URLs, credentials, runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from service.sandbox import recorded
from service.sandbox.parts import Parts

DEFAULT_GROUP = "default"


def catalogue() -> list[dict[str, str]]:
    """The recorded runs, each ``{"runId", "status", "description", "resourceGroup"}``."""
    return [
        {
            "runId": run.run_id,
            "status": run.status,
            "description": run.description,
            "resourceGroup": run.resource_group,
        }
        for run in recorded.runs()
    ]


def describe(parts: Parts) -> dict[str, Any]:
    """``{"runtime", "authUrl", "clientId", "clientSecret", "issuer", "resourceGroup", "resourceGroups", "runs"}``.

    ``runtime`` ends in ``/v2``; ``authUrl`` does not end in ``/oauth/token``, which clients add; ``runs`` is the
    :func:`catalogue`.
    """
    runs = recorded.runs()
    return {
        "runtime": f"{parts.public_url}/v2",
        "authUrl": parts.public_url,
        "clientId": parts.client.id,
        "clientSecret": parts.client.secret,
        "issuer": parts.issuer.url,
        "resourceGroup": DEFAULT_GROUP,
        "resourceGroups": list(dict.fromkeys(run.resource_group for run in runs)),
        "runs": catalogue(),
    }


def write(path: Path, announcement: dict[str, Any]) -> None:
    """Write the file whole or not at all; only its owner can read it, for there is a secret in it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(announcement, file, ensure_ascii=False, indent=2)
    draft.replace(path)
