"""``metric-resource demo``: the whole service on one machine that has nothing, on embedded parts."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.demo import launcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ready-file", type=Path, help="write what is up, as JSON, once all is")
    parser.add_argument("--port", type=int, default=8000, help="first port to try for the service (8000)")
    parser.add_argument(
        "--sign-in",
        choices=("token", "oidc"),
        default="token",
        help="how the page's readers sign in: by the address that is printed, or at the sandbox's login form (token)",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="an MLflow server beside the sandbox, with the same trainings; it is installed once, into an environment "
        "of its own in the user's cache",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, SIGTERM, or the death of a part (exit status 1)."""
    return launcher.run(arguments.ready_file, arguments.port, arguments.sign_in, with_mlflow=arguments.mlflow)
