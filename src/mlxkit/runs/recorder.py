"""Keeps a record of each stage that runs, is restored or fails: first as a file, then in Git.

What cannot be recorded is said and never stops a run.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mlxkit.pipeline.result import Made
from mlxkit.pipeline.spec import Stage, commands

if TYPE_CHECKING:
    # Imported when a stage runs: a run that finds nothing to do must not pay for it.
    from mlxkit.runs.repository import Who
    from mlxkit.runs.snapshot import Hash, Snapshot


class Opened(NamedTuple):
    """What all stages of one run share."""

    who: "Who"
    snapshot: "Snapshot"


class GitRecorder:
    """The `Recorder` of a project in a Git repository."""

    def __init__(
        self,
        root: str,
        git_root: str,
        say: Callable[[str], None],
        hashed: "Hash",
    ) -> None:
        """`hashed` tells the digest of a file, see `snapshot.Hash`."""
        self._root = root
        self._git_root = git_root
        self._say = say
        self._hashed = hashed
        self._opened: Opened | None = None
        self._tried = False
        self._env = dict(os.environ)
        self._known: set[str] = set()
        self._environments: dict[str, str | None] = {}

    def starting(self, stage: Stage, *, runs: bool) -> None:
        """Note what the stage will find; the first time, the whole working tree.

        To be called before a stage changes anything; `runs` where its command will run.
        """
        if not self._tried:
            self._tried = True
            with self._no_failure():
                self._open()
        if self._opened is not None and runs:
            with self._no_failure():
                self._environments[stage.key] = self._environment(stage)

    def record(self, made: Made) -> str | None:
        """Keep a record of a stage that has ended; return its id, None where there is none."""
        if self._opened is None:
            return None
        from mlxkit.runs import pending
        from mlxkit.runs.compose import Place, compose
        from mlxkit.runs.record import encode

        with self._no_failure():
            environment = self._environments.get(made.stage.key)
            place = Place(self._root, self._git_root)
            record = compose(made, place, self._opened.snapshot, self._opened.who.name, environment)
            return pending.put(self._root, pending.RECORD, encode(record))
        return None

    def finish(self) -> None:
        """Move what was recorded into Git, also what a run that was killed left."""
        from mlxkit.runs import pending

        if not pending.any_waiting(self._root):
            return
        with self._no_failure("run records wait for the next run to be written"):
            from mlxkit.runs.repository import identify

            who = self._opened.who if self._opened is not None else identify(self._git_root)
            broken = pending.settle(self._git_root, self._root, who)
            if broken:
                self._say(f"{broken} run records were cut short by a crash, and are lost")

    def _open(self) -> None:
        from mlxkit.runs.repository import identify
        from mlxkit.runs.settings import load_settings
        from mlxkit.runs.snapshot import take_snapshot

        settings = load_settings(self._root)
        if not settings.record:
            return
        who = identify(self._git_root)
        scratch = os.path.join(self._root, ".mlx", "run")
        limit = settings.max_file_size
        snapshot = take_snapshot(self._git_root, scratch, limit, who, self._hashed)
        self._opened = Opened(who, snapshot)

    def _environment(self, stage: Stage) -> str | None:
        from mlxkit.runs import pending
        from mlxkit.runs.environment import fingerprint

        cache = os.path.join(self._root, ".mlx", "cache")
        found = fingerprint(commands(stage), stage.wdir, self._env, cache)
        if found is None:
            return None
        if found.digest not in self._known:
            self._known.add(found.digest)
            pending.put(self._root, pending.ENVIRONMENT, found.content)
        return found.digest

    @contextmanager
    def _no_failure(self, told: str = "this run is not on record") -> Iterator[None]:
        """Say what cannot be recorded: the stage's own result is what the user came for."""
        try:
            yield
        except Exception as error:  # whatever it is, a stage must not fail by its record
            self._say(f"warning: {told}: {error}")
