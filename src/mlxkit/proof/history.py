"""Where the recorded results of stages were made, by the run records, and where they run now."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.spec import Entry, Stage, commands
from mlxkit.proof.compare import Made
from mlxkit.proof.recorded import entry_key, entry_outs, record_key, record_outs
from mlxkit.runs import ledger
from mlxkit.runs.choose import project_of
from mlxkit.runs.differences import differences, read
from mlxkit.runs.environment import Environment, fingerprint
from mlxkit.runs.record import Record


class Told(NamedTuple):
    """What is known of one stage: `before` is None where no record tells of its run."""

    before: Made | None
    now: Made
    differences: tuple[str, ...] = ()


class History:
    """Compares the surroundings of stages in the project at `root`, below the worktree `top`."""

    def __init__(self, git_root: str, root: str, top: str) -> None:
        self._git_root = git_root
        self._root = root
        self._top = top
        self._told: dict[str, Told] = {}
        self.environments: dict[str, Environment | None] = {}

    def look(self, stages: Sequence[Stage], entries: Mapping[str, Entry | None]) -> list[str]:
        """Note where each was made and would run now; return all that differs, each once."""
        try:
            records = ledger.read_all(self._git_root).records
        except MlxError:
            records = {}
        ran = [one for one in records.values() if one.outcome == "ran"]
        runs = {
            (record_key(one), str(record_outs(one))): one
            for one in sorted(ran, key=lambda one: one.started)
        }
        cache = os.path.join(self._root, ".mlx", "cache")
        for stage in stages:
            env = fingerprint(commands(stage), stage.wdir, dict(os.environ), cache)
            self.environments[stage.key] = env
            record = self._record(stage, entries[stage.key], runs)
            self._told[stage.key] = self._compared(record, env)
        return list(dict.fromkeys(one for told in self._told.values() for one in told.differences))

    def of(self, stage: Stage) -> Told:
        """Return what `look` noted of a stage."""
        return self._told[stage.key]

    def _record(
        self, stage: Stage, entry: Entry | None, runs: Mapping[tuple[str, str], Record]
    ) -> Record | None:
        if entry is None:
            return None
        project = project_of(self._root, self._top)
        key = entry_key(project, self._root, self._top, stage, entry)
        return runs.get((key, str(entry_outs(stage, entry, self._top))))

    def _compared(self, record: Record | None, env: Environment | None) -> Told:
        shell = os.environ.get("SHELL") or "/bin/sh"
        system = os.uname()
        now = Made(env.digest if env else None, shell, f"{system.sysname} {system.machine}")
        if record is None:
            return Told(None, now)
        kind = str(record.host.get("system", "")).split()
        machine = f"{kind[0]} {kind[-1]}" if len(kind) > 1 else None
        shell_then = record.host.get("shell")
        before = Made(record.env, str(shell_then) if shell_then else None, machine)
        if not before.env or not now.env or before.env == now.env:
            return Told(before, now)
        content = ledger.environment(self._git_root, before.env)
        if content is None or env is None:
            return Told(before, now, ("the environment on record is lost",))
        found = differences(read(content), read(env.content))
        return Told(before, now, tuple(f"{one.name} {one}" for one in found))
