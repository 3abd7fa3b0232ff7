"""What commits declare: their files read from Git, each version parsed once, templates by DVC."""

import os
from collections.abc import Iterable
from typing import Any

from mlxkit.comparison.commits import Commits
from mlxkit.comparison.content import Content, InCommit
from mlxkit.comparison.locks import LockTexts
from mlxkit.comparison.source import Declares, Recorded, Source, cached_of, recorded_of
from mlxkit.comparison.templates import Templates
from mlxkit.comparison.values import Parsed
from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.data.history.tree import Tree, needs_resolver, visible
from mlxkit.pipeline.build import data_stage, pipeline_stages
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import DEFAULT_PARAMS, Stage, inside

_READ = (".dvc", "dvc.yaml", "dvc.lock", ".dvcignore", DEFAULT_PARAMS)
_Built = tuple[list[Stage], dict[str, Any]]


class Declaring:
    """Reads commits of one project as sources; what several of them share is read once."""

    def __init__(self, session: Session, git_root: str, parsed: Parsed) -> None:
        folder = os.path.relpath(session.root, git_root)
        self.commits = Commits(git_root, "" if folder == "." else folder)
        self._root = session.root
        self._config = session.declared.config
        self._store = session.workspace.store
        self._parsed = parsed
        self._templates = Templates(self._root, self._config, parsed)
        self._built: dict[object, _Built] = {}
        self._seen: dict[object, list[str]] = {}
        self._locks = LockTexts()

    def load(self, commits: Iterable[str]) -> None:
        """Read what these commits declare all at once; raises MlxError."""
        wanted = list(commits)
        self.commits.load(wanted)
        ids = {
            oid
            for commit in wanted
            for path, oid in self.commits.declaring(commit).items()
            if oid and path.endswith(_READ)
        }
        self.commits.read(ids)

    def prefetch(self, sources: Iterable[tuple[str, Source]]) -> None:
        """Read all files of metrics and parameters that these commits have, at once."""
        ids: set[str] = set()
        for commit, source in sources:
            for path in source.paths():
                found = self.commits.find(commit, path)
                if found is not None:
                    ids.update(self.commits.ids_below(found) if found.is_folder else [found.id])
        self.commits.read(ids)

    def source(self, commit: str) -> Source:
        """Return a commit that was loaded; raises MlxError for a file of it that is invalid."""
        files = self.commits.declaring(commit)
        tree = Tree(commit[:7], files, self.commits.read)
        stages: list[tuple[Stage, Recorded]] = []
        metrics: list[str] = []
        params: list[str] = []
        variables: dict[str, dict[str, Any]] = {}
        outs: list[str] = []
        for path in self._visible(tree):
            if any(inside(os.path.join(self._root, path), out) for out in outs):
                continue  # a folder that a stage writes is data, whatever lies in it
            found, document = self._file(tree, path)
            entries = {} if path.endswith(".dvc") else self._lock(tree, path[:-4] + "lock")
            for stage in found:
                entry = stage.recorded if stage.name is None else entries.get(stage.name)
                stages.append((stage, recorded_of(entry)))
                outs += [out.abs for out in stage.outs]
            folder = os.path.dirname(path)
            metrics += [_joined(folder, one) for one in document.get("metrics") or ()]
            params += [_joined(folder, one) for one in document.get("params") or ()]
            for name, values in (document.get("vars") or {}).items():
                variables.setdefault(name, {}).update(values)
        declares = Declares(tuple(stages), tuple(metrics), tuple(params), variables)
        cached = cached_of(self._root, declares)
        content = Content(InCommit(self.commits, commit), cached, self._store)
        return Source(self._root, declares, content, self._parsed)

    def _file(self, tree: Tree, path: str) -> _Built:
        """Return the stages of one file, and what else it declares."""
        oid = tree.files[path]
        raw = self.commits.read([oid])[oid]
        where = f"{tree.rev}:{path}"
        known = self._built.get((path, oid))
        if known is not None:
            return known
        data = yaml.load(raw, where) or {}
        if not isinstance(data, dict) or not isinstance(data.get("stages") or {}, dict):
            raise ProjectError("is not a mapping", where=where)
        if path.endswith(".dvc") or not needs_resolver(data, raw):
            self._built[path, oid] = self._build(path, where, {**data, "vars": {}})
            return self._built[path, oid]
        key = (path, oid, self._templates.inputs(tree, path, data, raw))
        if key not in self._built:
            self._built[key] = self._build(
                path, where, self._templates.resolved(tree, path, where, raw)
            )
        return self._built[key]

    def _build(self, path: str, where: str, data: dict[str, Any]) -> _Built:
        file = os.path.join(self._root, path)
        try:
            if path.endswith(".dvc"):
                return [data_stage(self._root, file, data)], {}
            return pipeline_stages(self._root, file, data.get("stages") or {}), data
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ProjectError(f"is not valid: {error!r}", where=where) from error

    def _visible(self, tree: Tree) -> list[str]:
        """Return the files that declare something, asked once of commits with the same ones."""
        key = tuple(
            (path, oid if path.endswith(".dvcignore") else "")
            for path, oid in tree.files.items()
            if path.endswith((".dvc", "dvc.yaml", ".dvcignore")) or "/.dvc/" in path
        )
        if key not in self._seen:
            self._seen[key] = visible(self._root, tree)
        return self._seen[key]

    def _lock(self, tree: Tree, path: str) -> dict[str, Any]:
        oid = tree.files.get(path)
        if oid is None:
            return {}
        return self._locks.entries(self.commits.read([oid])[oid], f"{tree.rev}:{path}")


def _joined(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))
