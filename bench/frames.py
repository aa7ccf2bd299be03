"""Does with polars what the service does for data frames. ``python -m bench.frames DIRECTORY COUNT``: the runs'
metrics are the files there, as the AI API gives them; prints the milliseconds of each sample by the row's name,
as JSON.

Reading is from JSON to typed columns with the timestamps in the caller's zone, one column for the label; digits of
values are polars' own.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

ZONE = "Europe/Berlin"
_STAMP = "%Y-%m-%dT%H:%M:%S%.6f%:z"


def table(files: list[Path]) -> pl.DataFrame:
    """The points of all runs, one row each."""
    return pl.concat([_run(file) for file in files])


def _run(file: Path) -> pl.DataFrame:
    resource = pl.read_json(file).select(pl.col("resources").explode().struct.field("metrics"))
    points = resource.select(pl.col("metrics").explode().struct.unnest())
    return points.select(
        pl.lit(file.stem).alias("runId"),
        "name",
        "value",
        pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC").dt.convert_time_zone(ZONE),
        "step",
        pl.col("labels").list.get(0).struct.field("value").alias("group"),
    )


def _least(files: list[Path]) -> list[str]:
    """The runs by the least value of each."""
    best = table(files).group_by("runId").agg(pl.col("value").min()).sort("value")
    run_ids: list[str] = best["runId"].to_list()
    return run_ids


def _csv(frame: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.write_csv(written, datetime_format=_STAMP)
    return written.getvalue()


def _samples(count: int, work: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(1 + count):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took[1:]


def main(directory: Path, count: int) -> None:
    large, small = (sorted(directory.glob(f"{kind}-*.json")) for kind in ("large", "small"))
    frame = table(large)
    rows: dict[str, Callable[[], object]] = {
        "polars, points from JSON to csv": lambda: _csv(table(large)),
        "polars, points csv, written alone": lambda: _csv(frame),
        "polars, runs by their least loss": lambda: _least(small),
    }
    print(json.dumps({name: _samples(count, work) for name, work in rows.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
