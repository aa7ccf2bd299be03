"""``metric-resource check``: is the configuration complete, and can everything it names be reached?"""

from __future__ import annotations

import argparse
import logging
import time

from service.app import Probes, close, create_app, probes
from service.cli import configured
from service.settings import describe

_KEYS_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show", action="store_true", help="print the effective configuration, secrets hidden")


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each part; 0 where all is well, 1 otherwise."""
    settings = configured.settings()
    if settings is None:
        return 1
    print("configuration: complete")
    if arguments.show:
        for name, value in describe(settings):
            print(f"  {name}={value}")
    logging.disable()
    app = create_app(settings)
    try:
        return 0 if all([check(probes(app)) for check in (_keys, _runtime, _cache)]) else 1
    finally:
        close(app)


def _keys(ask: Probes) -> bool:
    ends = time.monotonic() + _KEYS_SECONDS
    loaded = ask.keys()
    while not all(loaded.values()) and time.monotonic() < ends:
        time.sleep(0.1)
        loaded = ask.keys()
    for issuer, there in loaded.items():
        print(f"keys of {issuer}: {'loaded' if there else 'cannot be loaded'}")
    return all(loaded.values())


def _runtime(ask: Probes) -> bool:
    state = ask.runtime()
    told = {
        "reachable": "reachable",
        "unknown": "not asked: RUNTIME_AUTH=forward needs a caller's token",
        "unusable": "answers, but not as the AI API, or it refuses the service's credentials",
        "unreachable": "cannot be reached",
    }
    print(f"runtime: {told[state]}")
    return state in {"reachable", "unknown"}


def _cache(ask: Probes) -> bool:
    state = ask.cache()
    told = {"redis": "reachable", "in-process": "not configured, answers are kept in the process"}
    print(f"redis: {told.get(state, 'cannot be reached')}")
    return state != "unavailable"
