"""Which experiments run now, and what their metrics say; looks only, and takes no lock."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mlxkit.experiments.sweepdir import Plan, Run, SweepDir, sweep_dir, sweep_dirs
from mlxkit.live.series import Series, Source, Watch
from mlxkit.live.watched import sources
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.rundir import running_stages
from mlxkit.pipeline.spec import inside


class Running(NamedTuple):
    """An experiment that runs: since when (0: not yet), which stages, its metrics so far."""

    name: str
    values: dict[str, dict[str, Any]]
    began: float
    stages: tuple[str, ...]
    series: Sequence[Series]


class Experiments:
    """The experiments of a project that run, whoever started them."""

    def __init__(self, root: str, declared: Declared) -> None:
        self._root = root
        found = (one for stage in declared.stages for one in sources(stage, declared))
        self._sources = [one for one in dict.fromkeys(found) if inside(one.path, root)]
        self._watches: dict[str, Watch] = {}

    def at_work(self) -> bool:
        """Tell whether anybody makes experiments, even if none runs at this moment."""
        return any(one.is_at_work() for one in sweep_dirs(self._root))

    def look(self) -> list[Running]:
        """Return what runs now."""
        found = {root: self._running(root, run) for root, run in self._places()}
        for root in self._watches.keys() - found.keys():
            del self._watches[root]
        return list(found.values())

    def of(self, plan: Plan, run: Run) -> Running:
        """Return one run of a sweep; one that is not ready, or is gone, says nothing."""
        return self._running(_project(sweep_dir(self._root, plan.id), plan, run), run)

    def _places(self) -> Iterator[tuple[str, Run]]:
        """Yield the copies of the project that runs work in."""
        for folder in sweep_dirs(self._root):
            names = _names(folder)
            plan = folder.read() if names and folder.is_at_work() else None
            for run in plan.runs if plan is not None else ():
                if plan is not None and run.name in names:
                    yield _project(folder, plan, run), run

    def _running(self, root: str, run: Run) -> Running:
        began = _began(root)
        if not began:
            return Running(run.name, run.values, 0.0, (), ())
        if root not in self._watches:
            there = [
                Source(os.path.join(root, os.path.relpath(one.path, self._root)), one.plot)
                for one in self._sources
            ]
            self._watches[root] = Watch(there, since=began)
        stages = tuple(_address(key, root) for key in running_stages(root))
        return Running(run.name, run.values, began, stages, self._watches[root].look())


def _names(folder: SweepDir) -> list[str]:
    try:
        return os.listdir(folder.trees)
    except OSError:
        return []


def _project(folder: SweepDir, plan: Plan, run: Run) -> str:
    return os.path.normpath(os.path.join(folder.tree(run), plan.project))


def _began(root: str) -> float:
    """Return when the copy at `root` was ready: its files from Git are older than that."""
    try:
        return os.stat(os.path.join(root, ".mlx", ".gitignore")).st_mtime
    except OSError:
        return 0.0


def _address(key: str, root: str) -> str:
    """Name a stage as DVC does from the project's root."""
    path = key.removeprefix(root.rstrip(os.sep) + os.sep)
    return path.removeprefix("dvc.yaml:")
