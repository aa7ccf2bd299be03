"""What the OpenAPI document says in words only, for schemathesis."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

OFFSETS = st.builds("{}{:02d}:{:02d}".format, st.sampled_from("+-"), st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone))

ORDERED = (
    ("minStep", "maxStep", float),
    ("since", "until", datetime.fromisoformat),
    ("createdSince", "createdUntil", datetime.fromisoformat),
)
"""Lower and upper bounds that may not cross, and what they are compared as."""

OF_AN_AI_API = 4
"""Characters of a resource group at least; MLflow's workspaces may have fewer."""
DRAWN = "/comparisons/chart"
WITH_LOSS = {"5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11", "8c2e91d4-7f10-4b6a-a5c3-2d9b7e604c12"}

schemathesis.openapi.format("time-zone", ZONES | OFFSETS)


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    """Charts of comparisons: a metric that there is, and no other name."""
    if query and "metric" in query and context.operation.path == DRAWN:
        query["metric"] = "Loss"
        query.pop("name", None)
    return query


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out requests that no schema tells from good ones, of those that are meant to be good."""
    meta = case.meta
    if meta is None or meta.generation.mode is not GenerationMode.POSITIVE:
        return True
    query = case.query or {}
    return not (
        len((case.headers or {}).get("AI-Resource-Group", "default")) < OF_AN_AI_API
        or "cursor" in query  # opaque: one that was not given for this very request is refused
        or any(_crossed(query, least, greatest, read) for least, greatest, read in ORDERED)
        or ("baseline" in query and query["baseline"] not in query.get("run", ()))
        or ("align" in query) != ("metric" in query and case.operation.path == "/comparisons")
        or _repeats(query.get("sort", ""))
        or (case.operation.path == DRAWN and not _drawable(query))
        or not _smoothable(query)
    )


def _drawable(query: Any) -> bool:
    """Whether a chart of these runs is possible, which hangs on what they have logged."""
    against, kind = query.get("against", "step"), query.get("type", "column")
    return bool(WITH_LOSS & set(query.get("run", ()))) and (
        against in {"step", "time"} or (against, kind) == ("run", "bar")
    )


def _smoothable(query: Any) -> bool:
    """Whether a line through the means goes with how points are drawn."""
    against, kind = query.get("against", "step"), query.get("type", "line")
    return not float(query.get("smooth", 0)) or (kind in {"line", "scatter"} and against in {"step", "time", "elapsed"})


def _crossed(query: Any, least: str, greatest: str, read: Any) -> bool:
    if least not in query or greatest not in query:
        return False
    try:
        return bool(read(query[least]) > read(query[greatest]))
    except (TypeError, ValueError):
        return True


def _repeats(sort: str) -> bool:
    names = [name.removeprefix("-") for name in sort.split(",")]
    return len(set(names)) < len(names)
