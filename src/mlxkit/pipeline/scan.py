"""Finds the files that declare the pipeline, in DVC's order, looking only where something changed.

A folder's mtime changes when an entry comes or goes, so a remembered folder whose mtime is the
same has the same entries and is not listed again. Folders that Git ignores as a whole (data,
environments) are not entered, as DVC does not enter them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mlxkit.tools import dvc, git

SKIPPED = frozenset({".git", ".hg", ".dvc", ".mlx"})
# A folder's mtime vouches for its listing only if it is clearly older than the look.
RACY_NS = 50_000_000

Digest = Callable[[str], str | None]
"""md5 of a file's content, or None where there is no file."""


class Folder(NamedTuple):
    """What matters of one listed folder: names of folders, declaring files and ignore files."""

    mtime_ns: int
    folders: list[str]
    files: list[str]
    rules: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Scan:
    """A walk of the project; all paths absolute."""

    files: list[str] = field(default_factory=list)
    """`dvc.yaml` and `*.dvc` that neither Git nor DVC ignores, in DVC's order."""
    dvcignores: list[str] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    """Plain data that makes the next walk cheap."""


def scan(
    root: str, git_root: str | None, memory: dict[str, Any], digest: Digest, now_ns: int
) -> Scan:
    """Walk the project at `root`; `memory` is that of an earlier walk, or empty."""
    known = {path: Folder(*values) for path, values in memory.get("folders", {}).items()}
    folders = _walk(root, known, set(memory.get("pruned", ())), now_ns)
    rules = _rule_digests(folders, root, git_root, digest)
    if rules == memory.get("rules"):
        pruned, judged = memory["pruned"], dict(memory["judged"])
    else:
        pruned, judged = _pruned(root, git_root), {}
        folders = _walk(root, folders, set(pruned), now_ns)
        rules = _rule_digests(folders, root, git_root, digest)
    candidates = [os.path.join(path, name) for path, one in folders.items() for name in one.files]
    dvcignores = [path for path in rules if path.endswith(".dvcignore")]
    new = [path for path in candidates if path not in judged]
    if new:
        rejected = _ignored(root, git_root, new, dvcignores)
        judged.update({path: path not in rejected for path in new})
    return Scan(
        files=[path for path in candidates if judged[path]],
        dvcignores=dvcignores,
        memory={
            "folders": {
                path: [one.mtime_ns, one.folders, one.files, one.rules]
                for path, one in folders.items()
            },
            "pruned": pruned,
            "rules": rules,
            "judged": {path: judged[path] for path in candidates},
        },
    )


def has_patterns(path: str) -> bool:
    """Tell whether an ignore file says anything (DVC's own starts with comments only)."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return any(line.strip() and not line.lstrip().startswith("#") for line in file)


def _walk(root: str, known: dict[str, Folder], pruned: set[str], now_ns: int) -> dict[str, Folder]:
    found: dict[str, Folder] = {}
    pending = [root]
    while pending:
        path = pending.pop()
        folder = _look(path, known.get(path), now_ns, nested=path != root)
        if folder is None:
            continue
        found[path] = folder
        inner = [os.path.join(path, name) for name in reversed(folder.folders)]
        pending += [one for one in inner if one not in pruned]
    return found


def _look(path: str, known: Folder | None, now_ns: int, *, nested: bool) -> Folder | None:
    try:
        mtime_ns = os.stat(path).st_mtime_ns
        if known is not None and known.mtime_ns == mtime_ns:
            return known
        with os.scandir(path) as listing:
            entries = list(listing)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    folders = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    if nested and ".dvc" in folders:
        return Folder(mtime_ns, [], [], [])  # a DVC project of its own
    names = [one.name for one in entries if not one.is_dir()]
    return Folder(
        mtime_ns if mtime_ns + RACY_NS < now_ns else 0,
        [name for name in folders if name not in SKIPPED],
        [name for name in names if name == "dvc.yaml" or name.endswith(".dvc")],
        [name for name in names if name in (".gitignore", ".dvcignore")],
    )


def _rule_digests(
    folders: dict[str, Folder], root: str, git_root: str | None, digest: Digest
) -> dict[str, str | None]:
    paths = [os.path.join(path, name) for path, one in folders.items() for name in one.rules]
    if git_root is not None:
        paths.append(os.path.join(git.common_folder(git_root), "info", "exclude"))
        paths += [os.path.join(path, ".gitignore") for path in _between(git_root, root)]
    return {path: digest(path) for path in paths}


def _between(git_root: str, root: str) -> list[str]:
    """Return the folders from the repository's top down to above the project."""
    found = []
    while len(root) > len(git_root):
        root = os.path.dirname(root)
        found.append(root)
    return found


def _pruned(root: str, git_root: str | None) -> list[str]:
    if git_root is None:
        return []
    return [os.path.join(root, path) for path in git.ignored_folders(root)]


def _ignored(root: str, git_root: str | None, paths: list[str], dvcignores: list[str]) -> set[str]:
    """Return those of the declaring files that Git or DVC ignores, themselves or by a parent."""
    parents = {path: _parents(path, root) for path in paths}
    asked = {one for each in parents.values() for one in each} | set(paths)
    out = git.ignored(root, asked) if git_root is not None else set()
    rejected = {path for path in paths if path in out or out.intersection(parents[path])}
    if any(has_patterns(path) for path in dvcignores):
        keep = dvc.ignore_filter(root)
        rejected |= {path for path in paths if not _kept(keep, path, root)}
    return rejected


def _parents(path: str, root: str) -> list[str]:
    """Return the folders between `root` and `path`, each ending in a slash."""
    found = []
    folder = os.path.dirname(path)
    while len(folder) > len(root):
        found.append(folder + "/")
        folder = os.path.dirname(folder)
    return found


def _kept(keep: dvc.IgnoreFilter, path: str, root: str) -> bool:
    folder, name = os.path.split(path)
    if not keep(folder, [], [name])[1]:
        return False
    while len(folder) > len(root):
        folder, name = os.path.split(folder)
        if not keep(folder, [name], [])[0]:
            return False
    return True
