"""``metric-resource openapi``: prints the OpenAPI document, as it is served and committed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from service.app import close, create_app
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", metavar="FILE", type=Path, help="exit with 1 where FILE differs from the document")


def run(arguments: argparse.Namespace) -> int:
    """Print the document, or compare it with a file. Needs no configuration and contacts nothing."""
    generated = _document()
    if arguments.check is None:
        sys.stdout.buffer.write(generated)
        return 0
    if arguments.check.is_file() and arguments.check.read_bytes() == generated:
        return 0
    print(f"{arguments.check} is not what the code generates: run 'make openapi'", file=sys.stderr)
    return 1


def _document() -> bytes:
    from service.app.flask_app import document  # noqa: PLC0415 - the other commands need no HTTP interface

    app = create_app(Settings(RuntimeSettings("http://127.0.0.1:9/v2", auth=RuntimeAuth.FORWARD), AuthSettings()))
    try:
        return document(app)
    finally:
        close(app)
