"""Large runs, most of a million points, in the costliest requests, and many cheap ones."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from bench.abuse.stage import Case, Stage, requests

_RUN = "/runs/run-1000000"
_RESOURCE = f"{_RUN}/metric-resource"
_MEDIUM = "/runs/run-20000/metric-resource"
_ZONES = ("Asia/Kolkata", "Asia/Tokyo", "America/New_York", "+05:45")
_ORDERS = ("value", "-value,step", "-timestamp", "name,-step")


def _stored(stage: Stage) -> None:
    stage.ask_well(f"{_RUN}/tags")


def _sorted(stage: Stage) -> None:
    _stored(stage)
    stage.ask_well(f"{_RESOURCE}?limit=1&sort=-value")


def _at_once(name: str, paths: Sequence[str], **headers: str) -> Case:
    return requests(f"large: {name}", paths, headers, together=True, prepare=_stored)


def _in_turn(name: str, paths: Sequence[str]) -> Case:
    return requests(f"large: {name}", paths, prepare=_sorted)


CASES = (
    requests("large: the first read, of tags", [f"{_RUN}/tags"]),
    requests(
        "large: sixty filters of 20,000 points at once",
        [f"{_MEDIUM}?minStep={n}" for n in range(1, 61)],
        together=True,
        prepare=lambda stage: stage.ask_well(_MEDIUM),
    ),
    _in_turn("custom info", [f"{_RUN}/custom-info?parse={parsed}" for parsed in ("true", "false")]),
    _in_turn("a page of 1", [f"{_RESOURCE}?limit=1&timezone={quote(f'+0{hour}:00')}" for hour in range(1, 8)]),
    _in_turn(
        "a page of 1, sorted", [f"{_RESOURCE}?limit=1&sort=-value&timezone={quote(f'+0{h}:00')}" for h in range(1, 8)]
    ),
    _in_turn("a chart that is refused", [f"{_RESOURCE}/chart?name=none-of-these"] * 7),
    _at_once("nine charts at once", [f"{_RESOURCE}/chart"] * 9, Accept="image/svg+xml"),
    _at_once("four filters at once, CSV", [f"{_RESOURCE}?minStep={n}" for n in range(2, 6)], Accept="text/csv"),
    _at_once(
        "four time zones at once, gzip",
        [f"{_RESOURCE}?timezone={quote(zone)}" for zone in _ZONES],
        **{"Accept-Encoding": "gzip"},
    ),
    _at_once("four sorts at once", [f"{_RESOURCE}?sort={order}" for order in _ORDERS]),
)
