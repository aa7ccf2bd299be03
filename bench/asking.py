"""Single requests, and the memory and processor time of a process."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path


def resident(process: int) -> float:
    """The resident memory of a process, in MiB (Linux)."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def processor_seconds(process: int) -> float:
    """Seconds of processor time of a process (Linux, proc(5): ``utime`` and ``stime``)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get(url: str, headers: Mapping[str, str]) -> tuple[bytes, Message]:
    """The body and the headers of a success or a ``304``."""
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        if error.code != 304:
            raise
        return b"", error.headers


def tag(url: str, headers: Mapping[str, str]) -> str:
    """The entity tag of an answer."""
    return get(url, headers)[1]["ETag"]
