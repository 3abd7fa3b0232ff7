"""`.mlx/exps/SWEEP/`: what was asked for, and what became of each run; written before it is run.

    plan.json        the `Plan`
    files/SHA256     parameter files that runs change
    runs/NAME.json   the `Outcome` of a run, NAME.log what a failed stage of it printed
    trees/NAME/      its worktree, while it runs
    lock             held by whoever works on the sweep, and by its runs; says who

A run's result is its experiment, in Git. Without the folder, only failures are forgotten.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mlxkit.core.errors import BusyError, UsageError
from mlxkit.core.files import discard, write_atomic
from mlxkit.experiments import place
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.tools.alive import is_running, start_mark

FORMAT = 1
DONE = "done"
FAILED = "failed"
STOPPED = "stopped"
SKIPPED = "skipped"
"""It was there before: nothing had to be run."""
_NAME_LENGTH = 16
_POLL_SECONDS = 0.05


class Run(NamedTuple):
    """One experiment to make: `inputs` is the digest of all that decides its result."""

    name: str
    inputs: str
    values: dict[str, dict[str, Any]]
    """What was asked for, by parameter file and key."""
    files: dict[str, str]
    """The parameter files, by path from the top, as names in `files/`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep: its runs, and all that they have in common. Paths are from the repository's top."""

    baseline: str
    content: str
    """The tree that all runs start from: HEAD and what was not committed."""
    project: str
    folder: str
    """Where the user was: targets are named from there."""
    targets: tuple[str, ...] = ()
    how: dict[str, Any] = field(default_factory=dict)
    """The flags that choose stages, and how to run them."""
    message: str = ""
    copies: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def id(self) -> str:
        """Name the sweep: the same sweep is the same folder."""
        return hashlib.sha256(self.encoded()).hexdigest()[:_NAME_LENGTH]

    def encoded(self) -> bytes:
        """Return it as canonical JSON."""
        told = {name: getattr(self, name) for name in self.__slots__}
        told["runs"] = [one._asdict() for one in self.runs]
        return json.dumps(told, sort_keys=True, separators=(",", ":"), default=str).encode()


class Outcome(NamedTuple):
    """What became of a run; `log` is empty where nothing was kept."""

    outcome: str
    seconds: float = 0.0
    commit: str = ""
    error: str = ""
    log: str = ""
    stages: dict[str, str] | None = None
    """Outcome by stage, of those that did something."""
    stage_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SweepDir:
    """The folder of one sweep."""

    path: str

    @property
    def trees(self) -> str:
        """Return where the worktrees of its runs are."""
        return os.path.join(self.path, "trees")

    def tree(self, run: Run) -> str:
        """Return where the worktree of a run is."""
        return os.path.join(self.trees, run.name)

    def log(self, run: Run) -> str:
        """Return where what a failed run printed is kept."""
        return os.path.join(self.path, "runs", f"{run.name}.log")

    def write(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        """Write what is to be done, `files` by the names that the plan has for them."""
        for name, data in files.items():
            write_atomic(os.path.join(self.path, "files", name), data, sync=False)
        told = {"format": FORMAT, **json.loads(plan.encoded())}
        write_atomic(os.path.join(self.path, "plan.json"), json.dumps(told).encode())

    def read(self) -> Plan | None:
        """Return what was to be done; None where that cannot be told any more."""
        told = _read(os.path.join(self.path, "plan.json"))
        if told is None or told.pop("format", None) != FORMAT:
            return None
        try:
            told["runs"] = tuple(Run(**one) for one in told["runs"])
            return Plan(
                **{**told, "targets": tuple(told["targets"]), "copies": tuple(told["copies"])}
            )
        except (KeyError, TypeError):
            return None

    def file(self, name: str) -> bytes:
        """Return a parameter file; raises OSError."""
        with open(os.path.join(self.path, "files", name), "rb") as file:
            return file.read()

    def files(self) -> list[str]:
        """Return the names of the parameter files that are there."""
        try:
            return os.listdir(os.path.join(self.path, "files"))
        except OSError:
            return []

    def outcome(self, run: Run) -> Outcome | None:
        """Return what became of a run, None where it has not ended."""
        try:
            return Outcome(**(_read(self._outcome(run)) or {}))
        except TypeError:
            return None

    def write_outcome(self, run: Run, outcome: Outcome) -> None:
        """Keep what became of a run."""
        write_atomic(self._outcome(run), json.dumps(outcome._asdict()).encode(), sync=False)

    def forget(self, run: Run) -> None:
        """Forget what became of a run: it is about to be run."""
        discard(self._outcome(run))
        discard(self.log(run))

    def _outcome(self, run: Run) -> str:
        return os.path.join(self.path, "runs", f"{run.name}.json")

    @contextmanager
    def working(self, wait: float) -> Iterator[None]:
        """Be the only one who works on the sweep; raises BusyError after `wait` seconds."""
        os.makedirs(self.path, exist_ok=True)
        end = time.monotonic() + wait
        while (lock := _lock(self.path)) is None and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)  # runs of a sweep that was killed are about to end
        if lock is None:
            raise BusyError(
                "another mlx exp run is making these experiments",
                hint="wait for it to finish; see: mlx exp show",
            )
        try:
            note = {"pid": os.getpid(), "start": start_mark(os.getpid())}
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps(note).encode(), 0)
            yield
        finally:
            os.close(lock)

    def is_at_work(self) -> bool:
        """Tell whether who worked on the sweep last is alive; asks without taking the lock."""
        note = _read(os.path.join(self.path, "lock")) or {}
        return "pid" in note and is_running(note["pid"], note.get("start", ""))


def sweep_dir(root: str, name: str) -> SweepDir:
    """Return the folder of a sweep of the project at `root`; it need not be there."""
    return SweepDir(os.path.join(root, ".mlx", "exps", name))


def sweep_dirs(root: str) -> list[SweepDir]:
    """Return the sweeps of a project, the last one first."""
    folder = os.path.join(root, ".mlx", "exps")
    found = []
    with suppress(OSError), os.scandir(folder) as listing:
        found = [(_written(one.path), one.path) for one in listing if one.is_dir()]
    return [SweepDir(path) for _, path in sorted(found, reverse=True)]


def last_sweep(root: str) -> tuple[SweepDir, Plan]:
    """Return the sweep that was started last; raises UsageError where there is none."""
    for one in sweep_dirs(root):
        plan = one.read()
        if plan is not None:
            return one, plan
    raise UsageError("there is no sweep to go on with", hint="start one: mlx exp run --sweep ...")


def clear_killed(root: str, git_root: str) -> int:
    """Remove the worktrees of runs that were killed; return how many there were."""
    prepare_folder(root)
    count = 0
    for one in sweep_dirs(root):
        if not os.path.isdir(one.trees):
            continue
        lock = _lock(one.path)
        if lock is not None:
            try:
                count += place.clear(git_root, one.trees)
                with suppress(OSError):
                    os.rmdir(one.trees)
            finally:
                os.close(lock)
    return count


def _lock(path: str) -> int | None:
    file = os.open(os.path.join(path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _written(path: str) -> int:
    with suppress(OSError):
        return os.stat(os.path.join(path, "plan.json")).st_mtime_ns
    return 0


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
