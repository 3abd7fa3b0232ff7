"""A sweep with mlx, and the same with dvc's queue: `python -m benchmarks.sweep [--runs N]`.

The project has a preparation that all runs share and two short stages that a parameter decides; or
it is a clone of a real one: `--project FOLDER --key KEY --from A --to B`, made up to date before.
What counts is the overhead: the wall time times the workers, less the time of the stages' own
commands, as mlx measures it. dvc's queue is filled by one command, and then run to its end
(`dvc exp run --run-all -j N`: it starts the workers that `dvc queue start` does, and waits).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import projects
from benchmarks.measure import TOOLS, environment

GOAL = 5.0
STAGES = {
    "prepare": {"cmd": "sleep 0.5; seq 1000 > data", "outs": ["data"], "deps": ["seed"]},
    "train": {
        "cmd": "sleep 0.2; cat data params.yaml > model",
        "deps": ["data"],
        "params": ["x"],
        "outs": ["model"],
    },
    "evaluate": {
        "cmd": "sleep 0.1; echo '{\"n\": '$(wc -l < model)'}' > metrics.json",
        "deps": ["model"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--project", type=Path, help="a clone to copy, up to date")
    parser.add_argument("--key", default="x")
    parser.add_argument("--values", nargs=2, type=float, metavar=("FROM", "TO"))
    parser.add_argument("--only", choices=("mlx", "dvc"))
    args = parser.parse_args()
    values = _values(args.runs, args.values)
    with tempfile.TemporaryDirectory(prefix="mlx-bench-sweep-") as name:
        folder = Path(name)
        env = (
            {**os.environ, **environment(folder / "home")}
            if args.project
            else environment(folder / "home")
        )
        source = args.project or _synthetic(folder / "source", env)
        own = 0.0
        overheads = {}
        for tool in ("mlx", "dvc") if args.only is None else (args.only,):
            place = folder / tool
            shutil.copytree(source, place, symlinks=True)
            began = time.monotonic()
            if tool == "mlx":
                own = _by_mlx(place, env, args.key, values, args.jobs)
            else:
                _by_dvc(place, env, args.key, values, args.jobs)
            wall = time.monotonic() - began
            overheads[tool] = wall * args.jobs - own
            print(
                f"{tool}: {len(values)} runs, {args.jobs} at once, {wall:.1f} s; "
                f"stages {own:.1f} s, overhead {overheads[tool]:.1f} s "
                f"({overheads[tool] / len(values):.2f} s a run)"
            )
    if len(overheads) == 2:
        times = overheads["dvc"] / overheads["mlx"]
        print(f"overhead {times:.1f}x smaller (goal {GOAL:g}x)")


def _values(count: int, ends: list[float] | None) -> list[str]:
    if ends is None:
        return [str(number) for number in range(1, count + 1)]
    first, last = ends
    return [f"{first + (last - first) * number / (count - 1):.6g}" for number in range(count)]


def _synthetic(folder: Path, env: Mapping[str, str]) -> Path:
    projects.start(folder, env)
    (folder / "seed").write_text("1\n")
    (folder / "params.yaml").write_text("x: 0\n")
    (folder / "dvc.yaml").write_text(json.dumps({"stages": STAGES}))
    for args in (
        ["config", "user.name", "Bench"],  # dvc reads no other settings of Git's
        ["config", "user.email", "bench@example.org"],
        ["add", "-A"],
        ["commit", "-qm", "pipeline"],
    ):
        subprocess.run(["git", *args], cwd=folder, env=dict(env), check=True)
    return folder


def _by_mlx(folder: Path, env: Mapping[str, str], key: str, values: list[str], jobs: int) -> float:
    """Run the sweep; return the seconds of the stages' own commands."""
    words = ["exp", "run", "--json", "--sweep", f"{key}={','.join(values)}", "-j", str(jobs)]
    done = subprocess.run(
        [*TOOLS["mlx"], *words], cwd=folder, env=dict(env), check=True, capture_output=True
    )
    found = json.loads(done.stdout)["experiments"]
    assert len(found) == len(values)
    return float(sum(one["stage_seconds"] for one in found))


def _by_dvc(folder: Path, env: Mapping[str, str], key: str, values: list[str], jobs: int) -> None:
    before = _experiments(folder, env)
    for words in (
        ["exp", "run", "--queue", "-S", f"{key}={','.join(values)}"],
        ["exp", "run", "--run-all", "-j", str(jobs)],
    ):
        subprocess.run(
            [*TOOLS["dvc"], *words], cwd=folder, env=dict(env), check=True, capture_output=True
        )
    made = _experiments(folder, env) - before
    assert len(made) == len(values), f"dvc made {len(made)} of {len(values)}"


def _experiments(folder: Path, env: Mapping[str, str]) -> set[str]:
    refs = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname)", "refs/exps"],
        cwd=folder, env=dict(env), check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {ref for ref in refs.stdout.split() if ref.count("/") == 4}


if __name__ == "__main__":
    main()
