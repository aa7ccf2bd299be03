"""Points as a runtime might log them, in every shape that a chunk can have."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from service.domain.metrics import Chunk

NAMES = st.sampled_from(['"loss"', '"\\u006coss"', '"accuracy"', '"ü"', '"\\ud83d"'])
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(2**53 - 2, 2**53 + 3).map(str),
    st.sampled_from(["0.1", "0.10000000000000000001", "0.10", "1e-1", "0.09999999999999999999", "-0.0", "1e-400"]),
    st.sampled_from(
        ['"NaN"', '"Infinity"', '"-Infinity"', "1e999", "-1e999", "0.10", "1E+2", "-0", "1.7976931348623157e308"]
        + ["null"]
    ),
)
STEPS = st.one_of(
    st.integers(-3, 5).map(str),
    st.sampled_from(
        [
            "null",
            "-9007199254740993",
            "-1" + "0" * 400,
            "1e2",
            "1.0",
            "9007199254740993",
            "9007199254740992",
            "1" + "0" * 30,
            "1" + "0" * 400,
        ]
    ),
)
SECONDS = st.sampled_from(["2026-03-29T01:00:00", "2026-03-29T00:59:59", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
TIMESTAMPS = st.none() | st.builds(
    "{}{}Z".format, SECONDS, st.sampled_from(["", ".5", ".50", ".05", ".123456789012345678"])
)
LABEL = st.builds(lambda name, value: {"name": name, "value": value}, st.sampled_from("ab"), st.sampled_from("xy"))
LABELS = st.lists(LABEL, max_size=2).map(json.dumps)


@st.composite
def points(draw: st.DrawFn) -> bytes:
    members = {
        "name": draw(NAMES),
        "value": draw(VALUES),
        "timestamp": json.dumps(draw(TIMESTAMPS)),
        "step": draw(STEPS),
        "labels": draw(LABELS),
    }
    space = draw(st.sampled_from(["", " ", "\n"]))
    written = [f'"{name}"{space}:{space}{members[name]}' for name in draw(st.permutations(list(members)))]
    return ("{" + space + f"{space},".join(written) + space + "}").encode()


def chunks(texts: list[bytes], size: int) -> list[Chunk]:
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    return [Chunk(b",".join(part), len(part)) for part in parts]


def point(value: object, step: object = None, timestamp: str | None = None, name: str = "loss", **labels: str) -> bytes:
    listed = [{"name": key, "value": label} for key, label in labels.items()]
    return json.dumps({"name": name, "value": value, "timestamp": timestamp, "step": step, "labels": listed}).encode()
