"""Units by the names of metrics."""

from __future__ import annotations

from service.charts.units import unit
from tests.rows import each_row


@each_row(
    "metric, expected",
    [
        ("epoch_seconds", "s"),
        ("epochSeconds", "s"),
        ("Training Time (ms)", "ms"),
        ("latency_ms", "ms"),
        ("gpu.memory.bytes", "B"),
        ("memory MiB", "MiB"),
        ("cpu_percent", "%"),
        ("tokens_per_second", "tokens/s"),
        ("bytes_per_second", "B/s"),
        ("seconds", "s"),
        ("loss", None),
        ("Accuracy", None),
        ("F1", None),
        ("loss_min", None),
        ("s", None),
        ("W", None),
        ("items", None),
        ("class", None),
        ("", None),
        ("…", None),
    ],
)
def test_unit(metric: str, expected: str | None) -> None:
    assert unit(metric) == expected
