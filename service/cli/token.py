"""``metric-resource token``: prints a token of the demo's issuer, for trying things."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.demo.running_demos import RunningDemo, running_demos
from service.sandbox import mint_token


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", action="append", default=[], help="a role to carry; may be repeated")
    parser.add_argument("--scope", action="append", default=[], help="a scope to carry; may be repeated")
    parser.add_argument("--role-collection", action="append", default=[], help="a role collection; may be repeated")
    parser.add_argument("--resource-group", action="append", default=[], help="restrict to this group; may be repeated")
    parser.add_argument("--zone", help="time zone of the user, the claim zoneinfo")
    parser.add_argument("--subject", default="demo-user", help="the user's name (demo-user)")
    parser.add_argument("--lifetime", type=int, default=3600, help="seconds until it expires (3600)")
    parser.add_argument("--algorithm", choices=("RS256", "ES256"), default="RS256")
    parser.add_argument("--audience", default="metric-resource", help="audience (metric-resource)")
    parser.add_argument("--data", type=Path, help="the sandbox's data directory; without it the newest demo's")
    parser.add_argument("--issuer", help="the URL of the demo's issuer; without it the newest's")


def run(arguments: argparse.Namespace) -> int:
    """Print the token; exit status 1 where no sandbox can mint it."""
    data, issuer = arguments.data, arguments.issuer
    if data is None or issuer is None:
        demo = _newest([demo for demo in running_demos() if issuer in {None, demo.issuer}])
        if demo is None:
            whose = "is running here" if issuer is None else f"with the issuer {issuer} is running here"
            print(f"no demo {whose}: start 'make demo', or name --data and --issuer", file=sys.stderr)
            return 1
        data, issuer = data or demo.data, issuer or demo.issuer
    try:
        print(_mint(arguments, data, issuer))
    except FileNotFoundError:
        print(f"there are no keys in {data}: start the sandbox there first", file=sys.stderr)
        return 1
    return 0


def _newest(demos: Sequence[RunningDemo]) -> RunningDemo | None:
    """The demo that was started last; where there are several, a note on standard error names it."""
    if len(demos) > 1:
        newest = f"{demos[0].service} (process {demos[0].process})"
        print(
            f"{len(demos)} demos are running; this token is for the newest, {newest}; --issuer chooses", file=sys.stderr
        )
    return demos[0] if demos else None


def _mint(arguments: argparse.Namespace, data: Path, issuer: str) -> str:
    return mint_token(
        data,
        issuer,
        roles=arguments.role,
        scopes=arguments.scope,
        role_collections=arguments.role_collection,
        resource_groups=arguments.resource_group,
        zone=arguments.zone,
        subject=arguments.subject,
        lifetime=arguments.lifetime,
        algorithm=arguments.algorithm,
        audience=arguments.audience,
    )
