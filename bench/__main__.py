"""``make bench``: one table of what the service does and what it could be compared with."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.abuse import cases, running
from bench.compare import compared
from bench.lists import Lists
from bench.measuring import Plan, measure, part_alone
from bench.results import Results
from bench.tables import Tables
from service.demo.processes import Processes

FULL = Plan(
    [10, 1000, 10_000, 100_000, 1_000_000], rounds=3, seconds=2.0, peers=True, tables=Tables(), lists=Lists(), turns=40
)
QUICK = Plan(
    [10, 1000],
    rounds=1,
    seconds=1.0,
    peers=False,
    tables=Tables(runs=2, points=1000, samples=1),
    lists=Lists(1, 1),
    turns=2,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as JSON, too")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="compare with a run that --json has written")
    parser.add_argument("--quick", action="store_true", help="small and short: does it run at all?")
    parser.add_argument("--rounds", type=int, help="how often each row is measured")
    alone = parser.add_mutually_exclusive_group()
    for part in ("tables", "lists", "mlflow"):
        alone.add_argument(
            f"--{part}", dest="part", action="store_const", const=part, help=f"only the part {part} (bench.{part})"
        )
    parser.add_argument(
        "--abuse",
        nargs="*",
        metavar="CASE",
        help="only the part abuse (bench.abuse), of it only the cases whose names begin so, where any are given",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a case of abuse lasts that does not end")
    arguments = parser.parse_args()
    if arguments.abuse is not None:
        results = Results()
    else:
        plan = QUICK if arguments.quick else FULL
        if arguments.rounds:
            plan = plan.with_rounds(arguments.rounds)
        with (
            tempfile.TemporaryDirectory(prefix="metric-resource-bench-") as directory,
            Processes(Path(directory)) as processes,
        ):
            if arguments.part is None:
                results = measure(plan, processes, Path(directory))
            else:
                results = part_alone(arguments.part, plan, processes, Path(directory))
        print(results.table())
        if arguments.compare:
            print(f"\n{compared(results, arguments.compare)}")
    if arguments.part is not None:
        if arguments.json:
            results.write(arguments.json)
        return
    chosen = arguments.abuse or (cases.QUICK if arguments.quick else ())
    results.abuse = running.run(chosen, min(arguments.seconds, 2.0) if arguments.quick else arguments.seconds)
    if arguments.json:
        results.write(arguments.json)


if __name__ == "__main__":
    main()
