"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.sandbox.faults import Faults
from service.sandbox.parts import Client
from service.sandbox.server import AddressUnavailable, Options, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a sandbox until it is stopped; 1 where its address cannot be bound."""
    options = read(arguments)
    try:
        serve(options)
    except AddressUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def read(arguments: Sequence[str] | None) -> Options:
    """The options in command line arguments; exits with 2 and a message where they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        faults = Faults(metrics=not given.no_metrics, slow=given.slow, unavailable=given.unavailable)
    except ValueError as error:
        parser.error(str(error))
    return Options(
        data_dir=given.data,
        host=given.host,
        port=given.port,
        public_url=given.public_url,
        client=Client(given.client_id, given.client_secret),
        faults=faults,
        live=given.live,
        ready_file=given.ready_file,
        exit_with_parent=given.exit_with_parent,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m service.sandbox", description="An AI runtime (AI API v2) and a token issuer with recorded runs."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=9000, help="port to listen on, 0 for a free one (default: %(default)s)")
    add("--data", type=Path, required=True, metavar="DIR", help="where keys and data are kept")
    add("--public-url", metavar="URL", help="where clients reach it (default: the address it listens on)")
    add("--client-id", default=Client().id, help="client that may get tokens (default: %(default)s)")
    add("--client-secret", default=Client().secret, help="its secret (default: %(default)s)")
    add("--no-metrics", action="store_true", help="start without the metrics extension")
    add("--slow", type=float, default=0.0, metavar="SECONDS", help="wait before each answer of /v2")
    add("--unavailable", action="store_true", help="answer 503 on /v2")
    add("--live", action="store_true", help="go on with the run that is RUNNING: one point a second")
    add("--ready-file", type=Path, metavar="FILE", help="write how to reach it as JSON, once it is up")
    add("--exit-with-parent", action="store_true", help="stop when the process that started it ends")
    return parser
