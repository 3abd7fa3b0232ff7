"""What is measured, how often, and the goal of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import projects


@dataclass(frozen=True)
class Work:
    """One row (per size) of the table.

    `args` follow the name of the tool; `mlx_args` only that of mlx. A cold work starts from a fresh
    copy of the project each time, a warm one from a project where everything is done. The goal is
    that of the largest size; smaller ones show how the time grows.
    """

    name: str
    title: str
    goal: float
    args: tuple[str, ...]
    make: Callable[[Path, int], None] = projects.chains
    sizes: tuple[int, ...] = (5,)
    quick_sizes: tuple[int, ...] | None = None
    cold: bool = False
    rounds: int = 7
    quick_rounds: int = 3
    mlx_args: tuple[str, ...] = ()

    def sizes_for(self, quick: bool) -> tuple[int, ...]:
        """The sizes to run at."""
        return self.quick_sizes if quick and self.quick_sizes else self.sizes


# The goals are those of docs/design/performance.md: mlx is so many times faster.
WORKS = [
    Work("version", "--version", 1.5, ("--version",)),
    Work("status-small", "status, {size} stages", 5, ("status",)),
    Work(
        "repro-cold",
        "repro, {size} trivial stages in chains of ten, cold",
        30,
        ("repro",),
        sizes=(50, 200),
        quick_sizes=(20, 50),
        cold=True,
        rounds=3,
        quick_rounds=1,
    ),
    Work(
        "repro-nothing",
        "repro, {size} stages, nothing to do",
        20,
        ("repro",),
        sizes=(50, 200),
        rounds=5,
        quick_rounds=2,
    ),
    Work(
        "status",
        "status, {size} stages",
        10,
        ("status",),
        sizes=(50, 200),
        rounds=5,
        quick_rounds=2,
    ),
    Work(
        "metrics-diff",
        "metrics diff HEAD~1, {size} stages with metrics",
        5,
        ("metrics", "diff", "HEAD~1"),
        make=projects.measured,
        sizes=(20, 200),
        quick_sizes=(20,),
        rounds=5,
        quick_rounds=2,
    ),
    Work(
        "exp-show",
        "exp show, {size} experiments, seen before",
        10,
        ("exp", "show"),
        make=projects.experiments,
        sizes=(50, 500),
        quick_sizes=(50,),
        rounds=3,
        quick_rounds=2,
    ),
    Work(
        "parallel",
        "repro -j 8, {size} independent stages of 1 s",
        6,
        ("repro",),
        make=projects.sleepers,
        sizes=(8,),
        cold=True,
        rounds=3,
        quick_rounds=1,
        mlx_args=("-j", "8"),
    ),
]
