"""``metric-resource token``: a token of the demo's issuer, for trying things."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", action="append", default=[], help="a role to carry; may be repeated")
    parser.add_argument("--scope", action="append", default=[], help="a scope to carry; may be repeated")
    parser.add_argument("--role-collection", action="append", default=[], help="a role collection to carry")
    parser.add_argument("--resource-group", action="append", default=[], help="restrict to this group; may be repeated")
    parser.add_argument("--zone", help="time zone of the user, the claim zoneinfo")
    parser.add_argument("--subject", default="demo-user", help="who the user is (demo-user)")
    parser.add_argument("--lifetime", type=int, default=3600, help="seconds until it expires (3600)")
    parser.add_argument("--algorithm", choices=("RS256", "ES256"), default="RS256")
    parser.add_argument("--audience", default="metric-resource", help="for whom it is (metric-resource)")
    parser.add_argument("--data", type=Path, help="the sandbox's data directory; without it the running demo's")
    parser.add_argument("--issuer", help="the issuer's URL; without it the running demo's")


def run(arguments: argparse.Namespace) -> int:
    """Print the token; 1 where there is no sandbox to mint it."""
    from service.sandbox import mint_token  # noqa: PLC0415 - only this command needs the sandbox

    try:
        print(mint_token(arguments.data, arguments.issuer))
    except FileNotFoundError as error:
        print(f"there are no keys at {error.filename}: start the sandbox first", file=sys.stderr)
        return 1
    return 0
