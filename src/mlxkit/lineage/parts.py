"""Files inside tracked folders: which folder a file that a stage read came with, and the reverse.

A stage may read `data/part/x.csv` where `data/part` is what another stage wrote, or read `data`
where others wrote `data/a.csv`. The digests differ, so the two are matched by their paths, as
both were recorded in the commit that added the recipe.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlxkit.lineage.facts import Reader
from mlxkit.lineage.placed import Placed, naming
from mlxkit.lineage.schema import DEP, OUT
from mlxkit.lineage.writer import chunks

At = Callable[[str, Sequence[str]], Mapping[str, list[Placed]]]
"""What lock and `.dvc` files recorded at a commit, by their path."""


class _Read(NamedTuple):
    commit: str
    number: int
    path: str
    md5: str


def find(db: sqlite3.Connection, reader: Reader, at: At, commits: Mapping[str, int]) -> None:
    """Note which outputs hold, or lie in, what recipes read that these commits (by id) added."""
    if not commits:
        return
    files = _files(db)
    outs = sorted(files)
    near = {path: found for path in _read_paths(db) if (found := _near(path, files, outs))}
    if not near:
        return
    reads = list(_reads(db, list(near), {number: oid for oid, number in commits.items()}))
    wanted = {one: sorted({naming(file) for path in near[one.path] for file in files[path]})
              for one in reads}  # fmt: skip
    reader.look_ahead([(one.commit, path) for one, paths in wanted.items() for path in paths])
    for one, paths in wanted.items():
        for placed in at(one.commit, paths).values():
            _note(db, one, near[one.path], placed)


def _note(db: sqlite3.Connection, one: _Read, near: set[str], placed: list[Placed]) -> None:
    for out in (out for each in placed for out in each.recipe.outs):
        if out.md5 and out.path in near:
            ends = (out.md5, one.md5)
            db.execute("INSERT OR IGNORE INTO parts VALUES (?, ?, ?)", (one.number, *ends))


def _files(db: sqlite3.Connection) -> dict[str, set[str]]:
    """Return all paths that were ever outputs, each with the files that declared it."""
    found: dict[str, set[str]] = {}
    for path, file in db.execute(
        "SELECT DISTINCT path, file FROM uses JOIN things ON thing = things.id"
        " JOIN recipes ON recipe = recipes.id WHERE role = ?",
        (OUT,),
    ):
        found.setdefault(path, set()).add(file)
    return found


def _read_paths(db: sqlite3.Connection) -> list[str]:
    return [
        path
        for (path,) in db.execute(
            "SELECT DISTINCT path FROM uses JOIN things ON thing = things.id WHERE role = ?", (DEP,)
        )
    ]


def _near(path: str, files: Mapping[str, set[str]], outs: list[str]) -> set[str]:
    """Return the outputs that hold the path, and those that lie in it."""
    found = set()
    above = path
    while (end := above.rfind("/")) > 0:
        above = above[:end]
        if above in files:
            found.add(above)
    return found | set(_below(path, outs))


def _below(path: str, outs: list[str]) -> Iterator[str]:
    start = bisect_left(outs, path + "/")
    while start < len(outs) and outs[start].startswith(path + "/"):
        yield outs[start]
        start += 1


def _reads(db: sqlite3.Connection, paths: list[str], commits: Mapping[int, str]) -> Iterator[_Read]:
    for part in chunks(paths):
        for number, path, md5 in db.execute(
            "SELECT DISTINCT commit_id, path, md5 FROM things JOIN uses ON thing = things.id"
            " JOIN added USING (recipe) WHERE role = ? AND md5 != ''"
            f" AND path IN ({','.join('?' * len(part))})",
            (DEP, *part),
        ).fetchall():
            if number in commits:
                yield _Read(commits[number], number, path, md5)
