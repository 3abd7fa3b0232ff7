"""What a commit's `.dvc` files and lock files record, read straight from Git."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.data.history.tree import Tree, needs_resolver, resolve, visible
from mlxkit.pipeline.build import data_stage, pipeline_stages
from mlxkit.pipeline.lockfile import parse as parse_lock
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Out, Stage, entry_items, inside
from mlxkit.store.tree import Entries
from mlxkit.tools import git
from mlxkit.versions.find import commit_named

_COMMIT = re.compile(r"[0-9a-f]{40,64}\Z")
_BUILT_OF = ("cmd", "wdir", "outs", "metrics", "plots")


class Recorded(NamedTuple):
    """What is recorded of one output that is kept in the cache.

    `md5` is None where there is nothing yet: a stage that never ran. `file` declares it, relative
    to the project; `stage` is its name there, None for a `.dvc` file. `legacy` marks a digest of
    DVC 2 (of text with Unix line ends); `entries` are the files of a directory that a `.dvc` file
    lists itself (versions of a cloud).
    """

    md5: str | None
    size: int | None = None
    nfiles: int | None = None
    push: bool = True
    remote: str | None = None
    file: str = ""
    stage: str | None = None
    legacy: bool = False
    entries: Entries | None = None

    @property
    def is_dir(self) -> bool:
        """Tell whether it is a directory."""
        return bool(self.nfiles) or (self.md5 or "").endswith(".dir")


def recorded_at(session: Session, rev: str) -> dict[str, Recorded]:
    """Return what the commit `rev` records, by path relative to the project's root.

    Raises UsageError for no commit, ProjectError for a file that is invalid there.
    """
    return Revisions(session).recorded(rev)


def recorded_now(session: Session) -> dict[str, Recorded]:
    """Return what the files of the working tree record, as `recorded_at` does of a commit."""
    found: dict[str, Recorded] = {}
    for stage in session.declared.stages:
        entry = stage.recorded if stage.recorded is not None else session.locks.entry(stage)
        found.update(_of_stage(session.root, stage, entry_items(entry, "outs")))
    return found


class Revisions:
    """Reads commits of one project; a file that several of them share is read once."""

    def __init__(self, session: Session) -> None:
        if session.git_root is None:
            raise ProjectError(
                "without Git there are no revisions", hint="see: dvc config core.no_scm"
            )
        self._session = session
        self._git_root = session.git_root
        folder = os.path.relpath(session.root, session.git_root)
        self._folder = "" if folder == "." else folder
        self._texts: dict[str, bytes] = {}
        self._parsed: dict[tuple[str, str], Any] = {}

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was committed yet."""
        return git.commit_id(self._git_root, "HEAD") is None

    def commit(self, rev: str) -> str:
        """Return the commit that `rev` names, also a model's (`census#prod`); raises UsageError."""
        found = commit_named(self._git_root, rev, self._folder)
        if found is None or not _COMMIT.match(found):  # of a range, Git tells the ends
            raise UsageError(
                f"'{rev}' is no revision of this repository", hint="see: git log --oneline --all"
            )
        return found

    def tree(self, rev: str) -> Tree:
        """Return the files of a commit below the project's root."""
        commit = self.commit(rev)
        return Tree(rev, git.list_files(self._git_root, commit, self._folder), self.read)

    def declaring(self, tree: Tree) -> list[str]:
        """Return the files of a commit that declare something, a folder's own files first."""
        return visible(self._session.root, tree)

    def read(self, ids: list[str]) -> Mapping[str, bytes]:
        """Return the content of Git's objects, at least of those with these ids."""
        missing = [one for one in ids if one not in self._texts]
        self._texts.update(git.read_objects(self._git_root, missing))
        return self._texts

    def stages(self, tree: Tree, path: str) -> list[Stage]:
        """Return what one file of a commit declares, in full; raises ProjectError."""
        self.read([tree.files[path]])
        file = os.path.join(self._session.root, path)
        data = self._load(tree, path)
        try:
            if path.endswith(".dvc"):
                return [data_stage(self._session.root, file, data)]
            return pipeline_stages(self._session.root, file, data.get("stages") or {})
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ProjectError(f"is not valid: {error!r}", where=f"{tree.rev}:{path}") from error

    def declared(self, tree: Tree, path: str) -> dict[str, Any]:
        """Return the document of one `dvc.yaml` or `.dvc` file of a commit, templates filled in.

        Raises ProjectError.
        """
        self.read([tree.files[path]])
        return self._load(tree, path)

    def lock(self, tree: Tree, path: str) -> dict[str, Any]:
        """Return the entries of a commit's lock file, none without it; raises ProjectError."""
        self.read([tree.files[path]] if path in tree.files else [])
        return self._lock(tree, path)

    def recorded(self, rev: str) -> dict[str, Recorded]:
        """As `recorded_at`."""
        tree = self.tree(rev)
        files = self.declaring(tree)
        locks = [lock for lock in map(_lock_of, files) if lock in tree.files]
        self.read([tree.files[path] for path in (*files, *locks)])
        found: dict[str, Recorded] = {}
        outs: list[str] = []
        root = self._session.root
        for path in files:
            if any(inside(os.path.join(root, path), out) for out in outs):
                continue  # a folder that a stage writes is data, whatever lies in it
            for stage, items in self._stages(tree, path):
                outs += [out.abs for out in stage.outs]
                found.update(_of_stage(root, stage, items))
        return found

    def _stages(self, tree: Tree, path: str) -> Iterator[tuple[Stage, dict[str, Any]]]:
        """Yield the stages that one file declares, each with its recorded outputs by path."""
        where = f"{tree.rev}:{path}"
        file = os.path.join(self._session.root, path)
        data = self._load(tree, path)
        try:
            if path.endswith(".dvc"):
                stage = data_stage(self._session.root, file, data)
                yield stage, entry_items(stage.recorded, "outs")
                return
            entries = self._lock(tree, _lock_of(path))
            for stage in pipeline_stages(self._session.root, file, _plain_stages(data)):
                yield stage, entry_items(entries.get(stage.name or ""), "outs")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ProjectError(f"is not valid: {error!r}", where=where) from error

    def _load(self, tree: Tree, path: str) -> dict[str, Any]:
        """Return the parsed `.dvc` file, or `dvc.yaml` with its templates filled in."""
        raw = self._texts[tree.files[path]]
        where = f"{tree.rev}:{path}"
        key = (tree.files[path], "")
        if key not in self._parsed:
            data = yaml.load(raw, where) or {}
            if not isinstance(data, dict) or not isinstance(data.get("stages") or {}, dict):
                raise ProjectError("is not a mapping", where=where)
            self._parsed[key] = data
        data = self._parsed[key]
        if path.endswith(".dvc") or not needs_resolver(data, raw):
            return dict(data)
        try:
            return resolve(self._session.root, self._session.declared.config, tree, path)
        except MlxError as error:
            raise ProjectError(error.message, where=where, hint=error.hint) from error

    def _lock(self, tree: Tree, path: str) -> dict[str, Any]:
        if path not in tree.files:
            return {}
        key = (tree.files[path], "lock")
        if key not in self._parsed:
            data = parse_lock(self._texts[tree.files[path]], f"{tree.rev}:{path}")
            self._parsed[key] = data.get("stages", {})
        return dict(self._parsed[key])


def _lock_of(path: str) -> str:
    return path.removesuffix("yaml") + "lock" if path.endswith("dvc.yaml") else path


def _plain_stages(data: dict[str, Any]) -> dict[str, Any]:
    """Return only what outputs are built of: the rest of an old file need not be valid today."""
    return {
        name: {"cmd": "-", **{key: stage[key] for key in _BUILT_OF if key in stage}}
        for name, stage in (data.get("stages") or {}).items()
    }


def _of_stage(
    root: str, stage: Stage, items: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Recorded]]:
    for out in stage.outs:
        if out.cache and inside(out.abs, root):
            yield os.path.relpath(out.abs, root), _recorded(root, stage, out, items)


def _recorded(
    root: str, stage: Stage, out: Out, items: Mapping[str, Mapping[str, Any]]
) -> Recorded:
    item = items.get(out.path, {})
    entries = None
    if item.get("files"):
        entries = tuple(sorted((one["relpath"], one["md5"]) for one in item["files"]))
    return Recorded(
        md5=item.get("md5"),
        size=item.get("size"),
        nfiles=item.get("nfiles") or (len(entries) if entries is not None else None),
        push=out.push,
        remote=out.remote,
        file=os.path.relpath(stage.file, root),
        stage=stage.name,
        legacy="md5" in item and "hash" not in item,
        entries=entries,
    )
