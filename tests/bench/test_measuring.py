"""Rows of the benchmark measure what they are named for; two runs of it are compared with how sure that is."""

from __future__ import annotations

import gzip
from email.message import Message
from pathlib import Path

import pytest

from bench.compare import compared, interval
from bench.expected import Expected
from bench.results import GOALS, Results
from tests.rows import each_row

BODY = b'{"timezone":"Asia/Tokyo","metrics":[{"timestamp":"2026-01-01T09:00:00+09:00"}]}'
DUE = Expected(1, coding="gzip", stored=True, zone="Asia/Tokyo")


def headers(status: str = "metric-resource; hit; ttl=9", coding: str = "gzip") -> Message:
    made = Message()
    made["Cache-Status"] = status
    if coding:
        made["Content-Encoding"] = coding
    return made


@each_row(
    "body, answered, missed",
    [
        (gzip.compress(BODY), headers(), []),
        (gzip.compress(BODY.replace(b"Asia/Tokyo", b"UTC")), headers(), ["time zone"]),
        (gzip.compress(BODY.replace(b'"timestamp":', b'"time":')), headers(), ["points"]),
        (gzip.compress(BODY), headers("metric-resource; fwd=miss; stored"), ["from the store"]),
        (BODY, headers(coding=""), ["Content-Encoding"]),
        (b"", headers(coding=""), ["Content-Encoding", "no body", "points", "time zone"]),
    ],
)
def test_another_answer_than_a_row_is_named_for_is_noticed(body: bytes, answered: Message, missed: list[str]) -> None:
    assert [one.partition(":")[0] for one in DUE.missed(body, answered)] == missed


def test_an_answer_with_fewer_runs_stops_the_benchmark() -> None:
    body = b'{"timezone":"UTC","runs":[{"runId":"r1"},{"runId":"r2"}]}'
    Expected(runs=2, stored=True, zone="UTC").check("runs", body, headers(coding=""))
    with pytest.raises(RuntimeError, match="page: runs: 2, not 50"):
        Expected(runs=50).check("page", body, headers(coding=""))


def test_a_goal_of_what_is_measured_in_turns_is_judged_by_pairs() -> None:
    """A machine that is busy for two rounds slows both alike: each pair's ratio stays, that of the medians does not."""
    goal = next(goal for goal in GOALS if goal.text.startswith("in front of MLflow, cold 20 keys"))
    results = Results()
    results.times |= {"in front of mlflow, cold 20 keys": [900, 1800, 950]}
    assert goal.met(results) is None, "without what it is compared with"
    results.times |= {"mlflow, slowest 8 of 20 keys": [1000, 2000, 900]}
    assert goal.value(results) == 0.9


def test_a_change_is_one_whose_interval_leaves_out_1(tmp_path: Path) -> None:
    before = [10.0 + number % 5 for number in range(20)]
    assert interval(before, before[:2]) is None
    low, high = interval(before, [2 * sample for sample in before]) or (0.0, 0.0)
    assert 1.5 < low <= 2 <= high < 2.5
    earlier, now = Results(), Results()
    earlier.times |= {"same": before, "twice": before}
    now.times |= {"same": before, "twice": [2 * sample for sample in before]}
    earlier.write(tmp_path / "earlier.json")
    lines = {line.split()[0]: line for line in compared(now, tmp_path / "earlier.json").splitlines() if line}
    assert lines["twice"].endswith("changed")
    assert not lines["same"].endswith("changed")
