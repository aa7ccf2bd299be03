"""Fuzzes for a while: ``python -m tests.fuzz SECONDS [TARGET…]``, every target for so long, as many at once as fit.

Examples that failed are kept in ``.hypothesis`` and tried first the next time.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.fuzz.rounds import fuzz
from tests.fuzz.targets import TARGETS


def main(seconds: float, names: list[str]) -> int:
    failed = False
    workers = min(len(names), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for name, tried, failure in pool.map(fuzz, names, [seconds] * len(names)):
            found = "something found" if failure else "nothing found"
            sys.stdout.write(f"{name}: {tried} examples, {found}\n{failure}")
            sys.stdout.flush()
            failed = failed or bool(failure)
    return failed


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:] or list(TARGETS)))
