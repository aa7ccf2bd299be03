"""The command ``metric-resource``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

_COMMANDS = {
    "serve": "serve the HTTP interface, configured by environment variables",
    "check": "check that the configuration is complete and that the runtime, the keys and Redis can be reached",
    "demo": "run everything on this machine: an AI runtime with recorded runs, a cache, the service",
    "token": "mint a token for the demo",
    "watch": "follow a run in the terminal, until it ends or a check holds",
    "openapi": "print the OpenAPI document",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    parser = argparse.ArgumentParser("metric-resource", description="Reads the metric resource of runs.")
    parser.add_argument("--version", action="version", version=version("metric-resource-service"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    given = sys.argv[1:] if arguments is None else arguments
    chosen = next((argument for argument in given if argument in _COMMANDS), None)
    for name, summary in _COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."  # capitalize() would lower "HTTP"
        command = commands.add_parser(name, help=summary, description=description)
        if name == chosen:  # the others are not loaded: ``serve`` decides what its workers load, and when
            import_module(f"service.cli.{name}").add_arguments(command)
    parsed = parser.parse_args(given)
    status: int = import_module(f"service.cli.{parsed.command}").run(parsed)
    return status
