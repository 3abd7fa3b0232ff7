"""How digests came to be, as the index has it: by commits that introduced them, and by runs."""

import json
import os
import posixpath
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from mlxkit.lineage.answer import Item
from mlxkit.lineage.index import Index
from mlxkit.lineage.schema import DEP, OUT, WORKTREE
from mlxkit.lineage.writer import chunks

_INTRODUCED = (
    "JOIN introduced ON thing = things.id JOIN commits ON commit_id = commits.id"
    " JOIN recipes ON recipe = recipes.id WHERE 1"
)
_ADDED = (
    f"JOIN uses ON thing = things.id AND role = {OUT!r} JOIN recipes ON uses.recipe = recipes.id"
    " JOIN added ON added.recipe = recipes.id JOIN commits ON commit_id = commits.id"
    " WHERE recipes.id IN (SELECT value FROM json_each(?))"
)


class Production(NamedTuple):
    """One time that a digest came to be at a path; `commit` is None for a run or working tree."""

    md5: str
    path: str
    size: int | None
    recipe: int
    stage: str
    cmd: str | list[str] | None
    params: Mapping[str, Mapping[str, Any]]
    file: str
    name: str | None
    commit: str | None
    time: int
    date: str
    author: str
    subject: str
    border: bool
    run: Mapping[str, Any] | None = None
    on_file: bool = True
    """Whether a lock or `.dvc` file records it, not only a run."""

    @property
    def is_data(self) -> bool:
        """Tell whether nobody made it: it was added as it is."""
        return self.cmd is None


def productions(
    index: Index, digests: Iterable[str], recipes: Collection[int] | None = None
) -> dict[str, list[Production]]:
    """Return how each digest came to be, oldest first, with the run where one is on record.

    What is not committed comes last: the working tree's, and runs that no commit tells of. With
    `recipes` these are told, by the commits that added them, whether or not their bytes were new.
    """
    wanted = sorted(set(digests))
    found: dict[str, list[Production]] = {}
    prefix = folder_of(index)
    joined, given = _INTRODUCED, []
    if recipes is not None:
        joined, given = _ADDED, [json.dumps(sorted(recipes))]
    for part in chunks(wanted):
        for row in index.db.execute(
            "SELECT md5, path, size, recipes.id, file, name, cmd, params, oid, time, date, author,"
            f" subject, border FROM things {joined} AND md5 IN ({','.join('?' * len(part))})"
            " ORDER BY oid = '', time, commits.id, path",
            (*given, *part),
        ):
            found.setdefault(row[0], []).append(_production(row, prefix))
    if index.db.execute("SELECT 1 FROM runs LIMIT 1").fetchone():
        _add_runs(index, wanted, found, prefix)
    if recipes is None:
        return found
    kept = ((md5, [one for one in each if one.recipe in recipes]) for md5, each in found.items())
    return {md5: each for md5, each in kept if each}


def deps(index: Index, recipes: Iterable[int]) -> dict[int, tuple[Item, ...]]:
    """Return what each recipe read, in its order."""
    found: dict[int, list[Item]] = {}
    for part in chunks(sorted(set(recipes))):
        for recipe, path, md5, size in index.db.execute(
            "SELECT recipe, path, md5, size FROM uses JOIN things ON thing = things.id"
            f" WHERE role = ? AND recipe IN ({','.join('?' * len(part))}) ORDER BY recipe, place",
            (DEP, *part),
        ):
            found.setdefault(recipe, []).append(Item(path, md5, size))
    return {recipe: tuple(items) for recipe, items in found.items()}


def folder_of(index: Index) -> str:
    """Return the project's folder from the repository's top, empty where it is the top."""
    folder = os.path.relpath(index.root, index.git_root)
    return "" if folder == "." else folder


def address(file: str, name: str | None, prefix: str) -> str:
    """Name a stage as DVC does in the project's root."""
    told = posixpath.relpath(file, prefix) if prefix else file
    if name is None:
        return told
    return name if told == "dvc.yaml" else f"{told}:{name}"


def _production(row: tuple[Any, ...], prefix: str) -> Production:
    md5, path, size, recipe, file, name, cmd, params, oid, time, date, author, subject, border = row
    return Production(
        md5, path, size, recipe, address(file, name, prefix), json.loads(cmd), json.loads(params),
        file, name, None if oid == WORKTREE else oid, time, date, author, subject, bool(border),
    )  # fmt: skip


def _add_runs(
    index: Index, digests: list[str], found: dict[str, list[Production]], prefix: str
) -> None:
    """Give each production its run; add what only runs tell of."""
    ran: dict[str, list[tuple[Production, dict[str, Any]]]] = {}
    for part in chunks(digests):
        for row in index.db.execute(
            "SELECT md5, path, size, recipes.id, file, name, cmd, params, '', 0, '', '', '', 0,"
            " runs.id, record FROM things JOIN uses ON thing = things.id AND role = ?"
            " JOIN runs USING (recipe) JOIN recipes ON recipe = recipes.id"
            f" WHERE md5 IN ({','.join('?' * len(part))})",
            (OUT, *part),
        ):
            record = {**json.loads(row[-1]), "id": row[-2]}  # whatever a later format calls so
            made = _production(row[:-2], prefix)._replace(
                date=record.get("started", ""),
                author=record.get("user") or "",
                run=record,
                on_file=False,
            )
            ran.setdefault(row[0], []).append((made, record))
    known = [one.recipe for each in found.values() for one in each]
    read = deps(index, [*known, *(one.recipe for each in ran.values() for one, _ in each)])
    for md5, runs in ran.items():
        found[md5] = _matched(found.get(md5, []), [one for one, _ in runs], read)


def _matched(
    made: list[Production], runs: list[Production], read: Mapping[int, tuple[Item, ...]]
) -> list[Production]:
    groups: dict[Any, list[Production]] = {}
    for run in sorted(runs, key=lambda one: one.date):
        groups.setdefault(_what(run, read), []).append(run)
    matched = [_with_run(one, groups.get(_what(one, read), [])) for one in made]
    for one in made:
        groups.pop(_what(one, read), None)
    # A recipe that is in no commit counts once, however often it ran.
    return matched + sorted((_best(each) for each in groups.values()), key=lambda one: one.date)


def _with_run(made: Production, runs: list[Production]) -> Production:
    if not runs:
        return made
    run = _nearest(made, runs)
    if made.commit is None:
        return made._replace(run=run.run, date=run.date, author=run.author)
    return made._replace(run=run.run)


def _what(one: Production, read: Mapping[int, tuple[Item, ...]]) -> Any:
    """Return what a commit's record of a stage and that of its run have in common."""
    items = sorted((item.path, item.md5) for item in read.get(one.recipe, ()))
    return one.path, one.file, one.name, tuple(items)


def _nearest(made: Production, runs: list[Production]) -> Production:
    """Return the run that a commit most likely records: the last that had started by then."""
    if made.commit is None:
        return _best(runs)
    earlier = [run for run in runs if _seconds(run.date) <= made.time + 1]
    real = [run for run in earlier if (run.run or {}).get("outcome") == "ran"]
    return (real or earlier or runs[:1])[-1]


def _best(runs: list[Production]) -> Production:
    real = [run for run in runs if (run.run or {}).get("outcome") == "ran"]
    return (real or runs)[0]


def _seconds(date: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(date).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def written_with(
    index: Index, md5: str, recipes: Collection[int] | None
) -> list[tuple[str, str, int | None]]:
    """Return digest, path and size of what the same recipes, or any, wrote beside a digest."""
    among = "" if recipes is None else " AND own.recipe IN (SELECT value FROM json_each(?))"
    given = () if recipes is None else (json.dumps(sorted(recipes)),)
    return index.db.execute(
        "SELECT DISTINCT other.md5, other.path, other.size FROM things"
        " JOIN uses AS own ON own.thing = things.id"
        " JOIN uses AS beside ON beside.recipe = own.recipe"
        " JOIN things AS other ON beside.thing = other.id"
        " WHERE things.md5 = ? AND own.role = ? AND beside.role = ?"
        f" AND other.md5 NOT IN (things.md5, ''){among} ORDER BY other.path",
        (md5, OUT, OUT, *given),
    ).fetchall()
