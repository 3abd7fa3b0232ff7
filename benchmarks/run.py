"""Measure mlx against dvc: `python -m benchmarks.run [--quick] [--only NAME] [--json FILE]`.

Both tools do the same work in turns (dvc, mlx, dvc, mlx, ...), each in a project of its own, with
default settings, after a warm-up that is not counted; the figures are medians. Steps about data
have none: all files are in memory, and the smaller size comes first. Ratios can be compared between
machines, seconds cannot.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import projects, report
from benchmarks.data import CHAINS, STEPS, Chain, Place, Step
from benchmarks.measure import TOOLS, Run, Series, environment, run
from benchmarks.s3 import S3Server
from benchmarks.work import WORKS, Work

RESULTS = Path("benchmarks/results.json")
ROUNDS = 3  # of a step of a chain
LONG = 10.0  # seconds: what takes dvc longer is measured once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    names = [*(work.name for work in WORKS), *STEPS]
    parser.add_argument("--quick", action="store_true", help="smaller sizes, about two minutes")
    parser.add_argument("--only", action="append", choices=names, help="only this work")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"write the results here (whole runs: {RESULTS})"
    )
    args = parser.parse_args()

    def wanted(name: str) -> bool:
        return name in (args.only or names)

    rows = []
    with tempfile.TemporaryDirectory(prefix="mlx-bench-") as folder:
        bench = Bench(Path(folder), quick=args.quick)
        for work in WORKS:
            if wanted(work.name):
                for size in work.sizes_for(args.quick):
                    tell(work.title.format(size=size))
                    rows.append(bench.row(work, size))
        for chain in CHAINS:
            last = max((n for n, step in enumerate(chain.steps) if wanted(step.name)), default=-1)
            for size in chain.sizes_for(args.quick) if last >= 0 else ():
                if chain.fits(size, bench.folder):
                    rows += bench.rows(replace(chain, steps=chain.steps[: last + 1]), size, wanted)
                else:
                    tell(
                        f"skipped, the disk is too full: {chain.steps[-1].title.format(size=size)}"
                    )
    report.show(rows)
    if args.quick:
        print("quick: fewer rounds, and the cold run not at the size that its goal is meant for")
    whole = not (args.quick or args.only)
    path = args.json or (RESULTS if whole else None)
    if path:
        report.write(rows, path, quick=args.quick)
        print(f"written: {path}")


def tell(text: str) -> None:
    """Say what happens now."""
    print(f"... {text}", file=sys.stderr, flush=True)


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

    def rows(self, chain: Chain, size: int, wanted: Callable[[str], bool]) -> list[report.Row]:
        """Measure the wanted steps of a chain; the others are done once."""
        with S3Server(self.folder) if chain.s3 else nullcontext() as server:
            env = {**self.env, **(server.env if server else {})}
            places = self._places(chain, size, server)
            found = []
            for step in chain.steps:
                title = step.title.format(size=size)
                shown = bool(step.name) and wanted(step.name)
                if shown:
                    tell(title)
                series = self._step(step, places, env, ROUNDS if shown and not self.quick else 1)
                if shown:
                    goal = step.goal if size == max(chain.sizes) else None
                    base, mlx = series[chain.against], series["mlx"]
                    once = not self.quick and len(base.runs) < ROUNDS
                    found.append(
                        report.Row(step.name, title, size, goal, base, mlx, chain.against, once)
                    )
        for place in places:
            projects.put_away(place.root, self.folder / "old")
        return found

    def _places(self, chain: Chain, size: int, server: S3Server | None) -> list[Place]:
        source = projects.copy(self._empty, self.folder / "source")
        chain.make(source, size)
        places = []
        for tool in (chain.against, "mlx"):
            root = self.folder / ("both" if chain.together else tool)
            remote = server.url(f"{tool}-{size}") if server else str(self.folder / f"to-{tool}")
            options = server.options if server else ()
            projects.put_away(root, self.folder / "old")
            places.append(Place(tool, source, root, remote, options))
        return places

    def _step(
        self, step: Step, places: list[Place], env: Mapping[str, str], rounds: int
    ) -> dict[str, Series]:
        series = {place.tool: Series() for place in places}
        for _ in range(rounds):
            for place in places:
                runs = series[place.tool].runs
                if runs and runs[0].seconds > LONG:
                    continue
                step.before(place)
                os.sync()  # what the preparation wrote is not written while this is measured
                runs.append(run(step.command(place.tool), place.root, env))
        return series

    def _once(self, work: Work, tool: str, place: Path) -> Run:
        extra = work.mlx_args if tool == "mlx" else ()
        return run([*TOOLS[tool], *work.args, *extra], place, self.env)


if __name__ == "__main__":
    main()
