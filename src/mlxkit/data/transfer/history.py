"""What other commits record, to be transferred, too."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.data.history import versions
from mlxkit.data.history.revision import Recorded, Revisions
from mlxkit.data.history.tree import Tree
from mlxkit.data.transfer.items import Wanted
from mlxkit.pipeline.session import Session
from mlxkit.tools import git

_NAMING = (*versions.NAMING, "*dvc.yaml")
_IMPORT = re.compile(rb"^(?:deps|cmd):", re.MULTILINE)


class Elsewhere(NamedTuple):
    """Outputs that commits record; `special` where there are some that only DVC can transfer."""

    wanted: list[Wanted]
    special: bool
    notes: tuple[str, ...]


def recorded_elsewhere(session: Session, *, branches: bool, tags: bool, commits: bool) -> Elsewhere:
    """Return what the commits in question record; one whose files are invalid is left out."""
    assert session.git_root is not None
    return recorded_in(session, _commits(session.git_root, branches, tags, commits))


def recorded_in(session: Session, commits: Iterable[str]) -> Elsewhere:
    """Return what commits record, given their ids; one whose files are invalid is left out."""
    revisions = Revisions(session)
    wanted: dict[Wanted, None] = {}
    special = False
    notes = []
    for commit in dict.fromkeys(commits):
        try:
            tree = revisions.tree(commit)
            recorded = revisions.recorded(commit)
        except ProjectError as error:
            notes.append(f"left out {commit[:7]}: {error}")
            continue
        for path, one in recorded.items():
            if one.md5 is None and one.entries is None:
                continue
            if _is_special(one, tree, revisions):
                special = True
            elif one.md5 is not None:
                found = Wanted(os.path.join(session.root, path), one.md5, one.size, one.nfiles)
                wanted[found._replace(push=one.push, remote=one.remote)] = None
    return Elsewhere(list(wanted), special, tuple(notes))


def _is_special(one: Recorded, tree: Tree, revisions: Revisions) -> bool:
    """Tell whether it is an import, a version kept by a cloud, or has a digest of DVC 2."""
    if one.legacy or one.entries is not None:
        return True
    blob = tree.files.get(one.file, "")
    return one.file.endswith(".dvc") and bool(_IMPORT.search(revisions.read([blob])[blob]))


def _commits(root: str, branches: bool, tags: bool, commits: bool) -> Iterator[str]:
    if branches:
        yield from versions.refs(root, "refs/heads").values()
    if tags:
        peeled = versions.kinds(root, versions.refs(root, "refs/tags"))
        yield from (oid for oid, kind in peeled.values() if kind == "commit")
    if commits:
        # Only those that change what is recorded: the others record what one before them does.
        refs = ("--branches", "--tags", "--remotes", "HEAD")
        listed = git.run(root, "rev-list", "--full-history", *refs, "--", *_NAMING)
        yield from listed.decode().split()
