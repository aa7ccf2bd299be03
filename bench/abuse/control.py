"""The same clients against nginx, as a control: how much of a healthy client's wait is due to machine and clients."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.asking import get
from bench.world import World
from testing.ports import free_port

_CONFIGURATION = """
daemon off; {user} worker_processes 1; worker_rlimit_nofile 8192; pid {directory}/pid; error_log {directory}/log;
events {{ worker_connections 4096; }}
http {{
  access_log off; default_type application/json; keepalive_timeout 30s;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{ listen 127.0.0.1:{port} backlog=2048 sndbuf=128k; root {directory}/site; }}
}}
"""

# Without ``sndbuf``, 600 clients that do not read exhaust the memory that the system has for TCP, and nobody connects.


def serve(world: World, base: str, paths: Sequence[str]) -> int | None:
    """The port of an nginx, on the service's core, that serves the answers of the service at ``base`` to ``paths``.

    ``None`` where nginx is not installed.
    """
    binary = shutil.which("nginx")
    if binary is None:
        return None
    directory = world.directory / "control"
    for path in paths:
        file = directory / "site" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(get(base + path, {"Authorization": f"Bearer {world.token}"})[0])
    port = free_port()
    configuration = Path(directory / "nginx.conf")
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""  # the directory is this user's alone
    configuration.write_text(_CONFIGURATION.format(directory=directory, port=port, user=user))
    world.start("control", [binary, "-c", str(configuration), "-p", str(directory)], port, core=world.server_core)
    return port
