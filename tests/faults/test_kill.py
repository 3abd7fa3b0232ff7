"""SIGKILL at any moment: the project opens, nothing is lost, the next run completes it."""

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.snapshot import Snapshot, assert_alike
from tests.support.tools import Tools

STAGES = 24
KILLS_PER_RUN = 2  # then an undisturbed run must complete the project
RUNS = 8  # of each kind of project, so 64 kills in all


BEGUN = "echo . >> ../begun"  # each command says, outside of the project, that it has begun


def _chains(project: Project) -> None:
    """Six chains of four; each command writes its output in two goes."""
    stages: dict[str, Any] = {}
    for chain in range(6):
        before = "in"
        for link in range(4):
            out = f"c{chain}-{link}"
            cmd = f"{BEGUN}; echo begin > {out}; sleep 0.03; cat {before} >> {out}"
            stages[f"s{chain}-{link}"] = {"cmd": cmd, "deps": [before], "outs": [out]}
            before = out
    project.pipeline(stages)


def _folders(project: Project) -> None:
    """Folders, metrics, parameters and a stage that reads everything."""
    stages: dict[str, Any] = {}
    for number in range(11):
        out = f"d{number}"
        write = f"mkdir -p {out}/n; for i in 1 2 3 4 5; do cat in > {out}/n/$i; done"
        cmd = f"{BEGUN}; {write}; sleep 0.03; echo {number} >> {out}/x"
        stages[f"folder{number}"] = {"cmd": cmd, "deps": ["in"], "params": ["lr"], "outs": [out]}
        metric = f"m{number}.json"
        stages[f"metric{number}"] = {
            "cmd": f"""{BEGUN}; printf '{{"n": %d}}' "$(cat {out}/x)" > {metric}""",
            "deps": [out],
            "metrics": [{metric: {"cache": False}}],
        }
    everything = [f"m{number}.json" for number in range(11)]
    cmd = f"{BEGUN}; cat {' '.join(everything)} > all"
    stages["all"] = {"cmd": cmd, "deps": everything, "outs": ["all"]}
    project.pipeline(stages)


def _again(project: Project) -> None:
    """The chains, run before: a kill must not cost an earlier output its place."""
    _chains(project)
    project.mlx("repro", "-j", "4").ok()
    project.tools.commit(project.root, "a first run")
    project.write("in", "changed\n")


def _restored(project: Project) -> None:
    """The folders, run before and then deleted: a kill while outputs come back from the cache."""
    _folders(project)
    project.mlx("repro", "-j", "4").ok()
    project.tools.commit(project.root, "a first run")
    project.sh("rm -rf d[0-9]* m*.json all")


KINDS: dict[str, Callable[[Project], None]] = {
    "chains": _chains,
    "folders": _folders,
    "again": _again,
    "restored": _restored,
}


@dataclass(frozen=True)
class Reference:
    """A project before its run, how long the run takes, and what it leaves."""

    before: Project
    seconds: float
    commands: bool  # whether the run has to run any
    after: Snapshot
    git_status: str


_references: dict[str, Reference] = {}


@pytest.fixture
def reference(
    kind: str, template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    """The undisturbed run of one kind of project, measured once in each worker."""
    if kind not in _references:
        before = Project.copy(template, tmp_path_factory.mktemp(kind) / "before", tools)
        before.write("in", "some input\n")
        before.write("params.yaml", "lr: 1\n")
        KINDS[kind](before)
        undisturbed = before.twin("undisturbed")
        (before.root.parent / "begun").unlink(missing_ok=True)
        started = time.monotonic()
        undisturbed.mlx("repro", "-j", "4").ok()
        seconds = time.monotonic() - started
        _references[kind] = Reference(
            before,
            seconds,
            (before.root.parent / "begun").exists(),
            undisturbed.snapshot(),
            _git_status(undisturbed),
        )
    return _references[kind]


def _git_status(project: Project) -> str:
    return project.git("status", "--porcelain").stdout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(RUNS))
def test_killed(kind: str, number: int, reference: Reference, tmp_path: Path, tools: Tools) -> None:
    chance = random.Random(f"{kind} {number}")
    project = Project.copy(reference.before.root, tmp_path / "p", tools)
    for kill in range(1, KILLS_PER_RUN + 1):
        running = Running.mlx(project, "repro", "-j", "4")
        _wait_until(
            running, project.root.parent / "begun", chance.randint(0, STAGES // kill), reference
        )
        # Then at any moment of a stage: when exactly decides nothing about the verdict.
        running.ends_within(chance.uniform(0, 0.06))
        running.kill(whole_tree=number % 2 == 0)
        project.mlx("status").ok()
        _check_what_is_there(project, reference)
    if number % 3 == 0:
        project.dvc("status", "--json").ok()

    # Orphans of the killed run may still be writing: the next run must cope with them.
    project.mlx("repro", "-j", "4").ok()
    snapshot = replace(project.snapshot(), litter={})  # a temporary file in the cache harms nobody
    assert_alike(snapshot, reference.after, same_order=False)
    assert snapshot.locks == reference.after.locks, "the stages stand in another order"
    assert _git_status(project) == reference.git_status
    assert project.dvc("status", "--json").ok().json == {}
    shutil.rmtree(project.root)


def _wait_until(running: Running, begun: Path, count: int, reference: Reference) -> None:
    """Let a run go on until so many commands have begun; where none does, for a part of it."""
    begun.unlink(missing_ok=True)
    if reference.commands:
        wait_for(
            lambda: running.process.poll() is not None or _lines(begun) >= count, "commands began"
        )
    else:
        running.ends_within(reference.seconds * (0.2 + 0.6 * count / STAGES))


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _check_what_is_there(project: Project, reference: Reference) -> None:
    """Right after a kill: every object whole, every recorded stage as it should be."""
    snapshot = project.snapshot()  # checks each object of the cache against its name
    assert snapshot.cache.keys() <= reference.after.cache.keys()
    final = _entries(reference.after.locks["dvc.lock"])
    start = _entries(reference.before.snapshot().locks.get("dvc.lock", b""))
    for name, entry in _entries(snapshot.locks.get("dvc.lock", b"")).items():
        assert entry in (final[name], start.get(name)), name


def _entries(lock: bytes) -> dict[str, Any]:
    import yaml

    return dict(yaml.load(lock, yaml.CSafeLoader)["stages"]) if lock else {}
