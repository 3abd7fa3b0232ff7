"""Measure mlx against dvc: `python -m benchmarks.run [--quick] [--only NAME] [--json FILE]`.

Both tools do the same work in turns (dvc, mlx, dvc, mlx, ...), each in a project of its own, with
default settings, after a warm-up that is not counted; the figures are medians. Ratios can be
compared between machines, seconds cannot.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import projects, report
from benchmarks.measure import TOOLS, Run, Series, environment, run
from benchmarks.work import WORKS, Work

RESULTS = Path("benchmarks/results.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    names = [work.name for work in WORKS]
    parser.add_argument("--quick", action="store_true", help="smaller sizes, about a minute")
    parser.add_argument("--only", action="append", choices=names, help="only this work")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"write the results here (whole runs: {RESULTS})"
    )
    args = parser.parse_args()

    rows = []
    with tempfile.TemporaryDirectory(prefix="mlx-bench-") as folder:
        bench = Bench(Path(folder), quick=args.quick)
        for work in WORKS:
            if not args.only or work.name in args.only:
                for size in work.sizes_for(args.quick):
                    print(f"... {work.title.format(size=size)}", file=sys.stderr, flush=True)
                    rows.append(bench.row(work, size))
    report.show(rows)
    if args.quick:
        print("quick: fewer rounds, and the cold run not at the size that its goal is meant for")
    whole = not (args.quick or args.only)
    path = args.json or (RESULTS if whole else None)
    if path:
        report.write(rows, path, quick=args.quick)
        print(f"written: {path}")


class Bench:
    """The folder where projects are made, and the environment of the commands."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.env: Mapping[str, str] = environment(folder / "home")
        self._empty = projects.start(folder / "empty", self.env)

    def row(self, work: Work, size: int) -> report.Row:
        """Measure one work at one size with both tools."""
        source = projects.copy(self._empty, self.folder / "source")
        work.make(source, size)
        series = {tool: Series() for tool in TOOLS}
        places = {tool: self.folder / tool for tool in TOOLS}
        if not work.cold:
            # mlx makes the finished project: same bytes as dvc's, in a fraction of the time.
            run([*TOOLS["mlx"], "repro"], source, self.env)
            for place in places.values():
                projects.copy(source, place)
        rounds = work.quick_rounds if self.quick else work.rounds
        # The warm-up of a cold work is any run of the tool before: earlier rows, smaller sizes.
        warm_ups = 0 if work.cold else 1
        for number in range(warm_ups + rounds):
            for tool in TOOLS:
                if work.cold:
                    projects.copy(source, places[tool])
                result = self._once(work, tool, places[tool])
                if number >= warm_ups:
                    series[tool].runs.append(result)
        title = work.title.format(size=size)
        goal = work.goal if size == max(work.sizes) else None
        return report.Row(work.name, title, size, goal, series["dvc"], series["mlx"])

    def _once(self, work: Work, tool: str, place: Path) -> Run:
        extra = work.mlx_args if tool == "mlx" else ()
        return run([*TOOLS[tool], *work.args, *extra], place, self.env)


if __name__ == "__main__":
    main()
