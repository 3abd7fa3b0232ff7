"""What a user means by `WHAT`: a path, `REV:PATH`, a digest, a model's version, a run."""

import os
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from mlxkit.core.errors import UsageError
from mlxkit.data.artifacts import artifact_at, owner
from mlxkit.data.history.tree import Tree, resolve
from mlxkit.lineage import blobs
from mlxkit.lineage.disk import on_disk
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import folders_with
from mlxkit.lineage.query import Asked
from mlxkit.lineage.recorded import recorded_at, recorded_now
from mlxkit.lineage.schema import OUT
from mlxkit.runs.choose import project_of
from mlxkit.tools import dvc, git
from mlxkit.versions.find import choose, commit_named, knows, read_registry
from mlxkit.versions.grammar import model_named

_DIGEST = re.compile(r"[0-9a-f]{4,32}(?:\.dir)?\Z")
_WHOLE = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")


def find(index: Index, what: str) -> Asked:
    """Return the artifact that `what` names.

    Raises UsageError for what is nothing, or several things, MlxError where it cannot be read.
    """
    if what.startswith("run:"):
        return _of_run(index, what[4:])
    if os.path.lexists(what):
        return on_disk(index, what)
    found = _of_model(index, what)
    if found is None and ":" in what:
        found = _at_revision(index, what)
    if found is None:
        found = recorded_now(index, from_repository(index, what))
    if found is None and _DIGEST.match(what.lower()):
        found = _of_digest(index, what.lower())
    if found is None:
        raise UsageError(
            f"'{what}' is no path, REV:PATH, digest, MODEL@VERSION, MODEL#STAGE or run:ID",
            hint="see: mlx lineage --help",
        )
    return found


def from_repository(index: Index, path: str) -> str:
    """Return a path that was named in the current folder, from the repository's top."""
    real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    return os.path.relpath(real, os.path.realpath(index.git_root))


def _at_revision(index: Index, what: str) -> Asked | None:
    """Try each colon, as a path and the name of a commit may have one, too."""
    folder = project_of(index.root, index.git_root)
    for colon in (at for at, letter in enumerate(what) if letter == ":"):
        rev, path = what[:colon], what[colon + 1 :]
        commit = commit_named(index.git_root, rev, folder) if rev and path else None
        if commit is None:
            continue
        # As Git does, from the repository's top; else as the user sees it, from here.
        tried = [os.path.normpath(path), from_repository(index, path)]
        for one in dict.fromkeys(tried):
            found = recorded_at(index, commit, one)
            if found is not None:
                return found._replace(commit=commit)
        raise UsageError(
            f"'{path}' is neither tracked at {rev} nor a file of Git's there",
            hint=f"see: git ls-tree -r --name-only {rev}   or: mlx ls -R . --rev {rev}",
        )
    return None


def _of_digest(index: Index, prefix: str) -> Asked | None:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    rows = index.db.execute(
        "SELECT DISTINCT md5 FROM things WHERE md5 >= ? AND md5 < ? ORDER BY md5 LIMIT 20",
        (prefix, end),
    ).fetchall()
    found = [md5 for (md5,) in rows]
    if prefix in found:
        found = [prefix]
    if len(found) > 1:
        raise UsageError(
            f"several digests begin with '{prefix}'",
            hint="give more of one: " + ", ".join(_described(index, md5) for md5 in found[:8]),
        )
    if found:
        return Asked(found[0])
    if not _WHOLE.match(prefix):
        return None
    holder = next(iter(folders_with(index, prefix)), None)
    return Asked(prefix, folder=holder[0] if holder else None, path=holder[1] if holder else "")


def _described(index: Index, md5: str) -> str:
    row = index.db.execute("SELECT path FROM things WHERE md5 = ? ORDER BY path", (md5,)).fetchone()
    return f"{md5[:12]} ({row[0]})"


def _of_run(index: Index, prefix: str) -> Asked:
    wanted = prefix.lower()
    if not re.fullmatch(r"[0-9a-f]{4,64}", wanted):
        raise UsageError(
            f"'run:{prefix}' is not the id of a run", hint="give 4 or more of its first digits"
        )
    rows = index.db.execute(
        "SELECT id, recipe FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT 10",
        (wanted, wanted[:-1] + chr(ord(wanted[-1]) + 1)),
    ).fetchall()
    if not rows:
        raise UsageError(
            f"no run on record begins with '{prefix}'",
            hint="was it made in another clone? fetch records with: mlx fetch",
        )
    if len(rows) > 1:
        some = ", ".join(name[:12] for name, _ in rows)
        raise UsageError(f"several runs begin with '{prefix}'", hint=f"give more of one: {some}")
    name, recipe = rows[0]
    outs = index.db.execute(
        "SELECT md5, path, size FROM uses JOIN things ON thing = things.id"
        " WHERE recipe = ? AND role = ? AND md5 != '' ORDER BY place",
        (recipe, OUT),
    ).fetchall()
    if not outs:
        raise UsageError(f"run {name[:12]} made nothing", hint=f"see: mlx env show {name[:12]}")
    notes: tuple[str, ...] = ()
    if len(outs) > 1:
        others = ", ".join(path for _, path, _ in outs[1:6])
        notes = (f"run {name[:12]} made more: {others}{', ...' if len(outs) > 6 else ''}",)
    return Asked(outs[0][0], outs[0][1], outs[0][2], notes=notes)


def _of_model(index: Index, what: str) -> Asked | None:
    """Follow a model's tag to its commit, and to the path that the tag or `artifacts` say.

    A lightweight tag registers nothing, but says well enough which commit is asked about.
    """
    folder = project_of(index.root, index.git_root)
    name = model_named(what)
    if name is None:
        return None
    registry = read_registry(index.git_root)
    if knows(registry, name):
        chosen = choose(registry, what, folder, gone=True)
        commit, name, shown, path = chosen.commit, chosen.model.name, chosen.shown, chosen.path
    else:
        tag = "refs/tags/" + what.replace(":", "=")
        tagged = (git.commit_id(index.git_root, one) for one in (tag, tag.replace("@", "@v", 1)))
        found_at = next(filter(None, tagged), None)
        if found_at is None:
            return None
        commit, shown, path = found_at, what, None
    project = owner(index.git_root, commit, name, folder)
    path = path or _declared(index, commit, name, project)
    found = recorded_at(index, commit, posixpath.join(project, path)) if path else None
    if found is None:
        where = f"'{path}' is not recorded" if path else "dvc.yaml does not say which file it is"
        raise UsageError(f"{shown}: {where} at {commit[:7]}", hint="see: artifacts in dvc.yaml")
    return found._replace(commit=commit)


def _declared(index: Index, commit: str, model: str, folder: str) -> str | None:
    def read(ids: list[str]) -> Mapping[str, bytes]:
        return blobs.blobs(index.git_root, ids)

    def resolved(tree: Tree, path: str) -> Mapping[str, Any]:
        return resolve(index.root, dvc.load_config(index.root)[0], tree, path)

    tree = Tree(commit[:7], git.list_files(index.git_root, commit, folder), read)
    artifact = artifact_at(tree, model, folder, resolved)
    return artifact.path if artifact else None
