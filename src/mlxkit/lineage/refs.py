"""Which branches and tags contain a commit."""

import json
from collections.abc import Sequence

from mlxkit.lineage.index import Index
from mlxkit.tools import git

_ONE_BY_ONE = 3
"""Up to so many commits are asked for each, more by one walk through all history."""
_KINDS = ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/exps/")


def containing(index: Index, commits: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of branches and tags that contain each commit, branches first.

    Remote branches and experiments are named only where nothing else has the commit. Known
    answers are kept in the index until a ref moves.
    """
    known = {
        oid: tuple(json.loads(names))
        for oid in set(commits)
        for (names,) in index.db.execute("SELECT refs FROM holders WHERE oid = ?", (oid,))
    }
    missing = sorted(set(commits) - known.keys())
    if not missing:
        return known
    found = _asked(index, missing) if len(missing) <= _ONE_BY_ONE else _walked(index, missing)
    told = {oid: tuple(_shown(names)) for oid, names in found.items()}
    rows = [(oid, json.dumps(names)) for oid, names in told.items()]
    try:
        index.db.executemany("INSERT OR REPLACE INTO holders VALUES (?, ?)", rows)
    except Exception:  # another process is writing: only a memory
        pass
    return {**known, **told}


def _asked(index: Index, commits: list[str]) -> dict[str, list[str]]:
    found = {}
    for oid in commits:
        listed = git.run(
            index.git_root, "for-each-ref", "--contains", oid, "--format=%(refname)", *_KINDS
        )
        found[oid] = listed.decode(errors="surrogateescape").split("\n")[:-1]
    return found


def _walked(index: Index, commits: list[str]) -> dict[str, list[str]]:
    """Walk from all tips towards the roots, carrying along who leads there."""
    names = [name for name in index.tips.refs if name.startswith(_KINDS)]
    holders: dict[str, int] = {}
    for number, name in enumerate(names):
        oid = index.tips.refs[name]
        holders[oid] = holders.get(oid, 0) | (1 << number)
    wanted = set(commits)
    found = {}
    listed = git.run(
        index.git_root,
        *("--no-replace-objects", "rev-list", "--topo-order", "--parents", "--stdin"),
        stdin="".join(f"{oid}\n" for oid in index.tips.ids).encode(),
    )
    for line in listed.decode().splitlines():
        oid, *parents = line.split()
        mask = holders.pop(oid, 0)
        for parent in parents:
            holders[parent] = holders.get(parent, 0) | mask
        if oid in wanted:
            found[oid] = [name for number, name in enumerate(names) if mask >> number & 1]
    return found


def _shown(names: list[str]) -> list[str]:
    found = []
    for kinds in (_KINDS[:2], _KINDS[2:3], _KINDS[3:]):
        for kind in kinds:
            found += sorted(
                name[len(kind) :]
                for name in names
                if name.startswith(kind) and not name.endswith("/HEAD")
            )
        if found:
            break
    # An experiment's ref begins with the commit it started from.
    return [name.rpartition("/")[2] if name.count("/") >= 2 and kind == _KINDS[3] else name
            for name in found]  # fmt: skip
