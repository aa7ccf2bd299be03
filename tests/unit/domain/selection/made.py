"""Points made at random, as chunks and as plain objects that a slow reference can work on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from service.domain.metrics import Chunk

NAMES = ["loss", "Loss", "validation loss", "Straße", "STRASSE", "acc=1", "\ud83d", ""]
LABELS = ["a", "a:b", "metrics.ai.sap.com/Artifact.name", "step", "b"]
VALUES = ["x", "b:c", "c", "", "=1+1", 'say "x", y']
NUMBERS = [
    "0", "-0.0", "0.1", "0.10", "1e-1", "9007199254740992", "9007199254740993", "9007199254740993.0", "-12.5", "1e400",
    "-1e400", "1E5", '"NaN"', '"Infinity"', '"-Infinity"', "1e-400", "0.1000000000000000055511151231257827",
    "null",
]  # fmt: skip
STEPS = [
    "null", "0", "1", "1.0", "2", "10", "9007199254740992", "9007199254740993", "36893488147419103232", "-1", "-0", "1e1",
    "-9007199254740993",
]  # fmt: skip
STAMPS = [
    "null",
    '"2026-03-29T01:00:00Z"', '"2026-03-29T01:00:00.0Z"', '"2026-03-29T01:00:00.1Z"', '"2026-03-29T01:00:00.10Z"',
    '"2026-03-29T01:00:00.1000000000000000000001Z"', '"2026-03-29T01:00:10Z"', '"2026-03-29T00:59:59.999999999Z"',
    '"0001-01-01T00:00:00+01:00"', '"0001-01-01T00:00:00+02:00"', '"9999-12-31T23:59:59.5-01:00"', '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.5Z"', '"0000-01-01T00:00:00+01:00"', '"0000-12-31T23:00:00Z"',
]  # fmt: skip
SPACES = ["", "", " ", "\n", "\r\n\t"]


@dataclass(frozen=True)
class Made:
    """A point as it was written, and what it means."""

    text: str
    name: str
    value: str
    timestamp: str
    step: str
    labels: list[tuple[str, str]]


@st.composite
def made_points(draw: st.DrawFn) -> Made:
    name, value = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NUMBERS))
    timestamp, step = draw(st.sampled_from(STAMPS)), draw(st.sampled_from(STEPS))
    labels = draw(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(VALUES)), max_size=3))
    space = draw(st.sampled_from(SPACES))
    ascii_only = draw(st.booleans()) or "\ud83d" in name
    members = [
        ("name", json.dumps(name, ensure_ascii=ascii_only)),
        ("value", value),
        ("step", step),
        ("labels", json.dumps([{"name": name, "value": value} for name, value in labels])),
    ]
    written = [
        f'{space}"{member}"{space}:{space}{literal}{space}' for member, literal in draw(st.permutations(members))
    ]
    written.insert(draw(st.integers(0, 4)), f'"timestamp":{timestamp}')
    return Made("{" + ",".join(written) + "}", name, value, timestamp, step, labels)


@st.composite
def made_runs(draw: st.DrawFn) -> tuple[list[Made], tuple[Chunk, ...]]:
    """Points, and the same in chunks of one to many."""
    points = draw(st.lists(made_points(), max_size=25))
    cuts = sorted(draw(st.sets(st.integers(0, len(points)), max_size=4)) | {0, len(points)})
    space = draw(st.sampled_from(SPACES))
    stretches = [points[start:end] for start, end in pairwise(cuts) if start < end]
    joined = [f"{space},{space}".join(point.text for point in stretch).encode() for stretch in stretches]
    return points, tuple(Chunk(text, len(stretch)) for text, stretch in zip(joined, stretches, strict=True))


def texts(chunks: Any) -> list[str]:
    """The points' texts, read by the standard library; asserts that counts are right."""
    found: list[str] = []
    for chunk in chunks:
        text, at, before = chunk.text.decode(), 0, len(found)
        while at < len(text):
            at = _after(r"[\s,]*", text, at)
            _, end = json.JSONDecoder().raw_decode(text, at)
            found.append(text[at:end])
            at = _after(r"\s*", text, end)
        assert len(found) - before == chunk.count > 0
    return found


def _after(pattern: str, text: str, at: int) -> int:
    found = re.compile(pattern).match(text, at)
    assert found is not None
    return found.end()


def exact_instant(timestamp: str) -> Fraction | None:
    """Seconds since a day of the year 0 that repeats; exact."""
    if timestamp == "null":
        return None
    read = re.fullmatch(r'"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"', timestamp)
    assert read is not None
    date, clock, fraction, offset = read.groups()
    year = int(date[:4])
    moved = datetime.fromisoformat(f"{2000 + year % 400:04d}{date[4:]}T{clock}")
    seconds = (moved - datetime(2000, 1, 1)) / timedelta(seconds=1) + (year // 400) * 146_097 * 86_400
    minutes = 0 if offset == "Z" else int(offset[0] + "1") * (int(offset[1:3]) * 60 + int(offset[4:6]))
    return Fraction(int(seconds)) + Fraction(fraction or 0) - 60 * minutes


def exact_step(step: str) -> Decimal | None:
    return None if step == "null" else Decimal(step)


def exact_value(value: str) -> Decimal | None:
    number = Decimal("NaN" if value == "null" else value.strip('"'))
    return None if number.is_nan() else number
