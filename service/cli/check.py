"""``metric-resource check``: is the configuration complete, and can everything it names be reached?"""

from __future__ import annotations

import argparse
import logging
import time

from service.app import close, create_app, probes
from service.app.health import Probes
from service.caching.redis.diagnosis import diagnose
from service.cli import configuration
from service.settings import CacheSettings, Settings, describe, risks
from service.telemetry.prometheus import Telemetry

_KEYS_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show", action="store_true", help="print the effective configuration, secrets hidden")


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each part; exit status 0 where everything works, 1 otherwise."""
    settings = configuration.settings()
    if settings is None:
        return 1
    print("configuration: complete")
    if arguments.show:
        for name, value in describe(settings):
            print(f"  {name}={value}")
    for risk in risks(settings):
        print(f"warning: {risk}")
    logging.disable()
    app = create_app(settings, serves=False)
    try:
        ask = probes(app)
        return 0 if all([_keys(ask), _runtimes(ask, settings), _redis(settings.cache)]) else 1
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


def _runtimes(ask: Probes, settings: Settings) -> bool:
    """A line for each connection; just "runtime" where there is no file of them."""
    conditions = ask.runtimes()
    texts = {
        "reachable": "reachable",
        "unknown": "not asked: RUNTIME_AUTH=forward needs a caller's token",
        "unusable": "no usable answer",
        "unreachable": "no answer",
    }
    for named in settings.named:
        condition = conditions[named.name]
        said = ": ".join(filter(None, (texts[condition.state], condition.detail)))
        print(f"{f'connection {named.name}' if settings.connections else 'runtime'}: {said}")
    return {condition.state for condition in conditions.values()} <= {"reachable", "unknown"}


def _redis(cache: CacheSettings) -> bool:
    if cache.redis_url is None:
        print("redis: not configured; answers are cached in the process")
        return True
    trouble = diagnose(cache.redis_url, Telemetry(), cache.redis_source)
    print(f"redis: {trouble or 'usable'}")
    return trouble is None
