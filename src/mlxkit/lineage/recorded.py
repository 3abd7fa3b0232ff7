"""What is recorded of a path, in the working tree or at a commit."""

import os
from collections.abc import Mapping, Sequence

from mlxkit.core.digest import md5_bytes
from mlxkit.lineage import blobs, worktree
from mlxkit.lineage.answer import Item
from mlxkit.lineage.facts import Reader
from mlxkit.lineage.history import is_naming
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import files_of
from mlxkit.lineage.placed import Placed, naming
from mlxkit.lineage.query import Asked
from mlxkit.lineage.schema import OUT
from mlxkit.lineage.writer import chunks
from mlxkit.tools import git


def recorded_at(index: Index, commit: str, path: str) -> Asked | None:
    """Return what a commit records of a path (from the repository's top), or Git's own file."""
    found = _in_records(index, _reader(index).at(commit, _files(index, path)), path)
    if found is not None:
        return found
    ids = blobs.lookup(index.git_root, [f"{commit}:{path}"])
    for data in blobs.blobs(index.git_root, ids.values()).values():
        return Asked(md5_bytes(data), path, len(data))
    return None


def recipes_at(index: Index, commit: str, path: str = "") -> list[Placed]:
    """Return what a commit records of how the path was made; without one, of all outputs."""
    if path:
        files = _files(index, path)
    else:
        files = [one for one in git.list_files(index.git_root, commit) if is_naming(one)]
    return _making(_reader(index).at(commit, files), path)


def recipe_ids_at(index: Index, commit: str) -> frozenset[int]:
    """Return the index's numbers of all recipes that a commit records."""
    keys = [one.key for one in recipes_at(index, commit)]
    found: set[int] = set()
    for part in chunks(keys):
        marks = ",".join("?" * len(part))
        rows = index.db.execute(f"SELECT id FROM recipes WHERE key IN ({marks})", part)
        found.update(number for (number,) in rows)
    return frozenset(found)


def recipes_now(index: Index, path: str) -> list[Placed]:
    """Return what the working tree records of how the path was made."""
    now = worktree.look(index.git_root)
    files = sorted({*_files(index, path), *now.files})
    return _making(worktree.at(_reader(index), now, files), path)


def recorded_now(index: Index, path: str) -> Asked | None:
    """Return what the working tree's lock and `.dvc` files record of a path."""
    now = worktree.look(index.git_root)
    files = {*_files(index, path), *now.files}
    return _in_records(index, worktree.at(_reader(index), now, sorted(files)), path)


def _reader(index: Index) -> Reader:
    folders = [file for (file,) in index.db.execute("SELECT file FROM folders")]
    return Reader(index.git_root, folders=folders)


def _files(index: Index, path: str) -> list[str]:
    """Return the files that ever recorded the path, or a folder that holds it."""
    paths = [path]
    while (above := os.path.dirname(paths[-1])) and above != paths[-1]:
        paths.append(above)
    marks = ",".join("?" * len(paths))
    rows = index.db.execute(
        "SELECT DISTINCT file FROM things JOIN uses ON thing = things.id JOIN recipes"
        f" ON recipe = recipes.id WHERE role = ? AND path IN ({marks})",
        (OUT, *paths),
    )
    return sorted({naming(file) for (file,) in rows})


def _making(records: Mapping[str, Sequence[Placed]], path: str) -> list[Placed]:
    return [
        one
        for each in records.values()
        for one in each
        if not path or any(f"{path}/".startswith(f"{out.path}/") for out in one.recipe.outs)
    ]


def _in_records(index: Index, records: Mapping[str, Sequence[Placed]], path: str) -> Asked | None:
    outs = [out for each in records.values() for one in each for out in one.recipe.outs]
    for out in outs:
        if out.path == path and out.md5:
            return Asked(out.md5, path, out.size)
    for out in outs:
        if path.startswith(out.path + "/") and out.md5.endswith(".dir"):
            folder = Item(out.path, out.md5, out.size)
            part = path[len(out.path) + 1 :]
            listed = files_of(index, out.md5)
            if part in listed:
                return Asked(listed[part], path, folder=folder)
            if not listed:
                note = f"the list of files of {out.path} is not in the cache: this is of the folder"
                return Asked(out.md5, out.path, out.size, notes=(note,))
    return None
