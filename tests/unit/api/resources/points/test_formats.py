"""The points of many runs as JSON objects, however the runtime writes them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.api.resources.points.formats import ManyPoints, RunPoints
from service.domain.column_types import ColumnTypes
from service.domain.metrics import Chunk, MetricResource
from service.domain.zones import time_zone

ODD = st.text(st.sampled_from('a]},{"name":\\ \n\r'), max_size=14)
POINTS = st.lists(
    st.fixed_dictionaries(
        {
            "name": ODD,
            "value": st.sampled_from([1, "NaN", None]),
            "timestamp": st.sampled_from(["2026-03-29T01:00:13.50Z", None]),
            "step": st.sampled_from([None, 7]),
            "labels": st.lists(st.fixed_dictionaries({"name": ODD, "value": ODD}), max_size=2),
        }
    ),
    min_size=1,
    max_size=4,
)


@given(POINTS, st.sampled_from([(",", ":"), (", ", ": "), (",\n", ":")]), st.booleans())
def test_each_object_is_a_point_behind_its_run(points: list[dict[str, Any]], separators: Any, moved: bool) -> None:
    if moved:
        points[0]["value"] = points[0].pop("value")
    text = json.dumps(points, separators=separators).encode()[1:-1]
    resource = MetricResource("run1", metrics=(Chunk(text, len(points)),), count=len(points))
    if separators[1] == ": ":  # as a chunk is: nothing between a timestamp and its name
        text = text.replace(b'"timestamp": "', b'"timestamp":"')
    run = RunPoints("run1", lambda: resource, lambda one: one.metrics)
    written = ManyPoints([run], (), time_zone("UTC"), b"", list, ColumnTypes)
    expected = [{"runId": "run1", **point} for point in points]
    lines = b"".join(written.ndjson()).split(b"\n")
    assert [*map(json.loads, lines[:-1])] == expected
    assert lines[-1] == b""
    assert json.loads(b"".join(written.json()))["points"] == expected
    assert all(line.startswith(b'{"runId":"run1",') for line in lines[:-1])
