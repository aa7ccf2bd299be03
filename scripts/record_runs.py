"""Trains models with scikit-learn and records the runs that ship with the sandbox.

Everything is recorded as it happened: values from the training, timestamps from the clock when they were logged. Ids
stay the same from one recording to the next.

    .venv/bin/pip install -e '.[training]'
    .venv/bin/python scripts/record_runs.py [NAME …]
"""

from __future__ import annotations

import sys
from pathlib import Path

from training import diabetes, digits, online, tumours, wine

RECORDINGS = Path(__file__).resolve().parents[1] / "service" / "sandbox" / "recordings"
MOST_BYTES = 1_000_000


def main(names: list[str]) -> None:
    """Record the named runs, or all of them."""
    runs = {**digits.RUNS, **diabetes.RUNS, **tumours.RUNS, **wine.RUNS, **online.RUNS}
    for name in names or runs:
        print(f"{name} ...", flush=True)
        recorder = runs[name]()
        points = recorder.save(RECORDINGS / name)
        print(f"  {recorder.status}, {points} points: {recorder.description}")
    online.save_sample(RECORDINGS / "digits-sample.json")
    size = sum(path.stat().st_size for path in RECORDINGS.iterdir())
    print(f"{size} bytes in all")
    if size > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
