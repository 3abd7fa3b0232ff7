"""A tree of a million files: `python -m benchmarks.scale [--files N]`.

Says how long `mlx add` and `mlx status` take, and how much memory mlx and the processes it starts
hold together at the most, against the goal.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import projects
from benchmarks.measure import TOOLS, Run, environment

GOAL_MIB = 1.5 * 1024
EVERY = 0.2  # seconds between two looks at the memory
WORKS = {"add": ["add", "data"], "add again": ["add", "data"], "status": ["status"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=1_000_000)
    count: int = parser.parse_args().files
    table = Table(box=None, pad_edge=False)
    for heading in ("work", "seconds", "peak MiB", "goal MiB", "met"):
        table.add_column(heading, justify="left" if heading == "work" else "right")
    with tempfile.TemporaryDirectory(prefix="mlx-scale-") as folder:
        env = environment(Path(folder) / "home")
        root = projects.start(Path(folder) / "project", env)
        print(f"... {count:,} files", file=sys.stderr, flush=True)
        projects.small_files(root, count, size=64, each=max(1, count // 1000))
        for name, args in WORKS.items():
            print(f"... {name}", file=sys.stderr, flush=True)
            os.sync()
            done = watch([*TOOLS["mlx"], *args], root, env)
            met = "yes" if done.peak_mib <= GOAL_MIB else "no"
            seconds, peak = f"{done.seconds:.1f}", f"{done.peak_mib:.0f}"
            table.add_row(f"{name}, {count:,} files", seconds, peak, f"{GOAL_MIB:.0f}", met)
    Console(width=None if os.isatty(1) else 120).print(table)


def watch(argv: list[str], cwd: Path, env: Mapping[str, str]) -> Run:
    """Run a command that must succeed; its peak is that of all its processes together."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = psutil.Popen(
            argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, memory(process))
            try:
                process.wait(EVERY)
            except psutil.TimeoutExpired:
                continue
        seconds = time.perf_counter() - started
        if process.returncode:
            output.seek(0)
            raise SystemExit(output.read().decode(errors="replace"))
    return Run(seconds, peak)


def memory(process: psutil.Process) -> float:
    """What a process and those below it hold, in MiB; pages they share count once."""
    total = 0.0
    try:
        for one in (process, *process.children(recursive=True)):
            total += _pss(one.pid)
    except psutil.NoSuchProcess:
        pass
    return total / 1024


def _pss(pid: int) -> int:
    """The share of one process in KiB, where the system can tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
