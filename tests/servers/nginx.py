"""``deploy/nginx.conf`` in a real nginx."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testing.ports import free_port
from testing.waiting import eventually
from tests.servers.tls import Issued

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
AROUND = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
    access_log off; gzip on; gzip_types *;
    client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
    uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
    include {directory}/service.conf;
}}
"""


@contextmanager
def proxy(directory: Path, upstream: int, certificate: Issued | None = None) -> Iterator[int]:
    """nginx with the shipped file, in front of ``upstream``: its port. Only addresses are put in, and with a certificate
    what the file says of TLS and HTTP/2."""
    port = free_port()
    listen = f"listen 127.0.0.1:{port};" if certificate is None else _listen_tls(port, certificate)
    text = CONFIGURATION.read_text()
    for shipped, here in (
        ("server service:8000;", f"server 127.0.0.1:{upstream};"),
        ("listen 8080;", listen),
    ):
        assert text.count(shipped) == 1
        text = text.replace(shipped, here)
    (directory / "service.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # the directory is this user's alone
    main = directory / "nginx.conf"
    main.write_text(AROUND.format(directory=directory, user=user))
    command = [str(NGINX), "-c", str(main), "-p", str(directory), "-e", str(directory / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listen_tls(port: int, certificate: Issued) -> str:
    said = subprocess.run([str(NGINX), "-v"], capture_output=True, text=True, check=True).stderr
    version = tuple(map(int, said.rpartition("/")[2].split()[0].split(".")))
    listen = (
        f"listen 127.0.0.1:{port} ssl; http2 on;" if version >= (1, 25, 1) else f"listen 127.0.0.1:{port} ssl http2;"
    )
    return f"{listen} ssl_certificate {certificate.certificate}; ssl_certificate_key {certificate.key};"
