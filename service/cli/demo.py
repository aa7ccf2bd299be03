"""``metric-resource demo``: the whole service on one machine, with embedded servers."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.demo import launcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ready-file", type=Path, help="once everything has started, write the URLs and tokens there as JSON"
    )
    parser.add_argument("--port", type=int, default=8000, help="first port to try for the service (8000)")
    parser.add_argument(
        "--sign-in",
        choices=("token", "oidc"),
        default="token",
        help="how users of the page sign in: with the printed address, or at the sandbox's login form (token)",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="also start an MLflow server with the same runs; it is installed once, into an environment "
        "of its own in the user's cache",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, SIGTERM, or the end of one of its processes (exit status 1)."""
    return launcher.run(arguments.ready_file, arguments.port, arguments.sign_in, with_mlflow=arguments.mlflow)
