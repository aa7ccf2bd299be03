"""``make bench``: one table of the service's figures and those of its peers."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from bench import picture
from bench.abuse import cases, running
from bench.compare import compared
from bench.lists import Lists
from bench.many import Many
from bench.measuring import Plan, measure, part_alone
from bench.results import Results
from bench.tables import Tables
from service.demo.processes import Processes

FULL = Plan(
    [10, 1000, 10_000, 100_000, 1_000_000],
    rounds=3,
    seconds=2.0,
    peers=True,
    tables=Tables(),
    lists=Lists(),
    turns=40,
    many=Many(seconds=60),
    page=5,
)
QUICK = Plan(
    [10, 1000],
    rounds=1,
    seconds=1.0,
    peers=False,
    tables=Tables(runs=2, points=1000, samples=1),
    lists=Lists(1, 1),
    turns=2,
    many=Many(seconds=3, runs=100),
    page=1,
)

_ABUSE_SECONDS = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to a file, as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="compare with the results of an earlier --json")
    parser.add_argument(
        "--quick", action="store_true", help="a short run with small data, to see that everything works"
    )
    parser.add_argument("--rounds", type=int, help="samples of each row")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the results, as .svg or .png")
    alone = parser.add_mutually_exclusive_group()
    for part in ("cold", "tables", "lists", "mlflow", "many", "page"):
        alone.add_argument(
            f"--{part}", dest="part", action="store_const", const=part, help=f"only the part {part} (bench.{part})"
        )
    parser.add_argument(
        "--abuse",
        nargs="*",
        metavar="CASE",
        help="only the part abuse (bench.abuse); with names, only the cases that begin with one of them",
    )
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="seconds of a case of abuse that has no end of its own"
    )
    arguments = parser.parse_args()
    if arguments.abuse is not None:
        results = Results()
    else:
        plan = QUICK if arguments.quick else FULL
        if arguments.rounds:
            plan = plan.with_rounds(arguments.rounds)
        if arguments.seconds:
            plan = replace(plan, many=replace(plan.many, seconds=arguments.seconds))
        with (
            tempfile.TemporaryDirectory(prefix="metric-resource-bench-") as directory,
            Processes(Path(directory), here=True) as processes,
        ):
            if arguments.part is None:
                results = measure(plan, processes, Path(directory))
            else:
                results = part_alone(arguments.part, plan, processes, Path(directory))
        print(results.table())
        if arguments.compare:
            print(f"\n{compared(results, arguments.compare)}")
    if arguments.part is None:
        seconds = arguments.seconds or _ABUSE_SECONDS
        chosen = arguments.abuse or (cases.QUICK if arguments.quick else ())
        results.abuse = running.run(chosen, min(seconds, 2.0) if arguments.quick else seconds)
    if arguments.json:
        results.write(arguments.json)
    if arguments.picture:
        picture.draw(results.document(), arguments.picture)


if __name__ == "__main__":
    main()
