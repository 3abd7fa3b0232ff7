"""The results as a table and as JSON."""

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Series


@dataclass(frozen=True)
class Row:
    """One work at one size."""

    name: str
    title: str
    size: int
    goal: float | None  # none at a size that only shows the growth
    base: Series
    mlx: Series
    against: str = "dvc"
    once: bool = False  # the base took so long that it was measured only once

    @property
    def ratio(self) -> float:
        """How many times faster mlx is."""
        return self.base.seconds / self.mlx.seconds

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached."""
        return None if self.goal is None else self.ratio >= self.goal

    def to_json(self) -> dict[str, object]:
        """For results.json."""
        return {
            "name": self.name,
            "work": self.title,
            "size": self.size,
            self.against: self.base.to_json(),
            "mlx": self.mlx.to_json(),
            "ratio": round(self.ratio, 2),
            "goal": self.goal,
            "met": self.met,
        }


def machine() -> dict[str, object]:
    """What a reader needs to judge the figures; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "dvc": version("dvc"),
        "mlxkit": version("mlxkit"),
    }


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table(box=None, pad_edge=False)
    table.add_column("work")
    for heading in ("dvc", "mlx", "ratio", "goal", "met", "MiB dvc", "MiB mlx"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.title,
            f"{row.base.seconds:.2f} s{'*' if row.once else ''}",
            f"{row.mlx.seconds:.2f} s",
            f"{row.ratio:.1f}x" if row.ratio >= 2 else f"{row.ratio:.2f}x",
            "" if row.goal is None else f"{row.goal:.3g}x",
            {True: "yes", False: "no", None: ""}[row.met],
            f"{row.base.peak_mib:.0f}",
            f"{row.mlx.peak_mib:.0f}",
        )
    Console(width=None if os.isatty(1) else 120).print(table)
    if any(row.once for row in rows):
        print("* measured once, because it takes long; the others are medians")


def write(rows: list[Row], path: Path, *, quick: bool) -> None:
    """Write results.json."""
    document = {"machine": machine(), "quick": quick, "rows": [row.to_json() for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
