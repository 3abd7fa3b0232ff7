"""Which environment made the outputs of a stage that asks for it: `meta: {mlx: {env: true}}`.

Remembered by lock entry in `.mlx/env/`, for outputs change with the branch. In a fresh clone the
run records tell. What nobody recorded is not known, and no reason to run.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.core.memory import recall, remember
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.spec import Entry, Stage, commands
from mlxkit.runs import ledger
from mlxkit.runs.differences import differences, read
from mlxkit.runs.environment import Environment, fingerprint, read_content
from mlxkit.runs.record import Record, canonical, digest, plain

KEPT = 50
"""So many lock entries of a stage are remembered."""
_ASKED = "asked "
"""Before an entry that no record up to a commit of theirs is about."""


class StageEnvironments:
    """What is known of the environments of one project's stages."""

    def __init__(
        self, root: str, git_root: str | None, env: Mapping[str, str], *, start_any: bool
    ) -> None:
        self._root = root
        self._git_root = git_root
        self._env = env
        self._cache = os.path.join(root, ".mlx", "cache")
        self._untrusted = None if start_any else (git_root or root)
        self._before_run: dict[str, Environment] = {}
        self._records: list[Record] | None = None
        self._tips: list[str | None] | None = None

    def changes(self, stage: Stage, entry: Entry) -> list[tuple[str, str]]:
        """Return name and difference of all that changed since the entry's outputs were made."""
        makers = self._makers(stage, entry)
        now = self._now(stage) if makers else None
        if now is None or now.digest in makers:
            return []
        before = self._content(makers[-1])
        if before is None:
            return [("environment", f"{makers[-1][:8]} -> {now.digest[:8]}")]
        found = differences(read(before), read(now.content))
        return [(one.name, str(one)) for one in found]

    def may_restore(self, stage: Stage, entry: Entry) -> bool:
        """Tell whether the environment of now is known to have made that entry."""
        now = self._now(stage)
        return now is not None and now.digest in self._makers(stage, entry)

    def starting(self, stage: Stage) -> None:
        """Note the environment that the stage is about to run in."""
        now = self._now(stage)
        if now is not None:
            self._before_run[stage.key] = now

    def made(self, stage: Stage, entry: Entry) -> None:
        """Remember that the environment noted at the start has made the entry."""
        now = self._before_run.pop(stage.key, None)
        if now is None:
            return
        known = self._remembered(stage)
        name = _entry_digest(entry)
        makers = [one for one in known.pop(name, []) if one != now.digest]
        self._remember(stage, {**known, name: [*makers, now.digest]})

    def _now(self, stage: Stage) -> Environment | None:
        return fingerprint(
            commands(stage), stage.wdir, self._env, self._cache, untrusted=self._untrusted
        )

    def _content(self, name: str) -> bytes | None:
        found = read_content(self._cache, name)
        if found is None and self._git_root is not None:
            found = ledger.environment(self._git_root, name)
        return found

    def _makers(self, stage: Stage, entry: Entry) -> list[str]:
        """Return the environments that are known to have made the entry, the last one last."""
        name = _entry_digest(entry)
        known = self._remembered(stage)
        if name in known:
            return known[name]
        tip = self._tip()
        if tip is None or known.get(_ASKED + name) == [tip]:
            return []
        found = [one.env for one in self._recorded() if one.env and self._is_of(one, stage, entry)]
        news = {name: list(dict.fromkeys(found))} if found else {_ASKED + name: [tip]}
        self._remember(stage, {**known, **news})
        return found

    def _tip(self) -> str | None:
        """Return the newest commit of the records, asked of Git once; None where nobody knows."""
        if self._tips is None and self._git_root is not None:
            try:
                self._tips = [ledger.tip(self._git_root)]
            except MlxError:
                self._tips = [None]
        return self._tips[0] if self._tips else None

    def _recorded(self) -> Iterator[Record]:
        if self._records is None:
            self._records = []
            if self._git_root is not None:
                try:
                    told = ledger.read_all(self._git_root).records
                except MlxError:
                    told = {}  # no answer is no reason to run
                ran = [one for one in told.values() if one.outcome == "ran" and one.env]
                self._records = sorted(ran, key=lambda one: one.started)
        yield from self._records

    def _is_of(self, record: Record, stage: Stage, entry: Entry) -> bool:
        """Tell whether the record is of the run that made the entry, or one just like it."""
        assert self._git_root is not None
        project = os.path.relpath(self._root, self._git_root)
        same = (
            record.stage == stage.address(self._root)
            and record.project == ("" if project == "." else project)
            and record.cmd == entry.get("cmd")
        )
        return same and _told(record) == _said(entry, stage.wdir, self._git_root)

    # `.mlx/env/<stage>.json`

    def _path(self, stage: Stage) -> str:
        name = slug(stage.address(self._root)) + ".json"
        return os.path.join(self._root, ".mlx", "env", name)

    def _remembered(self, stage: Stage) -> dict[str, list[str]]:
        return recall(self._path(stage))

    def _remember(self, stage: Stage, known: dict[str, list[str]]) -> None:
        remember(self._path(stage), known, newest=KEPT)  # the run records know, too


def _entry_digest(entry: Entry) -> str:
    told = [entry.get("cmd"), _items(entry, "deps"), plain(entry.get("params") or {})]
    return digest(canonical([*told, _items(entry, "outs")]))


def _items(entry: Entry, kind: str) -> list[list[Any]]:
    return sorted([one["path"], one.get("md5")] for one in entry.get(kind) or ())


def _said(entry: Entry, wdir: str, top: str) -> bytes:
    """Return inputs and outputs of a lock entry as `_told` does those of a record."""
    params = {_from(top, wdir, path): one for path, one in (entry.get("params") or {}).items()}
    return canonical(
        [
            sorted([_from(top, wdir, path), md5] for path, md5 in _items(entry, "deps")),
            sorted([_from(top, wdir, path), md5] for path, md5 in _items(entry, "outs")),
            plain(params),
        ]
    )


def _told(record: Record) -> bytes:
    items = [sorted([one.path, one.md5] for one in each) for each in (record.deps, record.outs)]
    return canonical([*items, plain(record.params)])


def _from(top: str, wdir: str, path: str) -> str:
    return os.path.relpath(os.path.join(wdir, path), top).replace(os.sep, "/")
