"""How often a version of a test set was used: by what history, experiments and runs have on record.

Each model that was measured on it is one use: its result was there to be chosen by. What counts
is evidence: recipes of all commits that any ref leads to, and of all records of runs. Deleted
experiments count as long as a run record, or a choice on record, names them.
"""

import json
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.leaderboard.board import Wear
from mlxkit.leaderboard.history import History
from mlxkit.leaderboard.measured import and_above, key_of
from mlxkit.lineage.index import Index
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.productions import deps
from mlxkit.lineage.recipe import Recipe, Used
from mlxkit.lineage.schema import OUT
from mlxkit.lineage.writer import chunks


def wear(index: Index, history: History, test: str, digest: str, files: Collection[str]) -> Wear:
    """Return the wear of a version of the test set by what the models' `files` were measured on.

    Raises MlxError where the audit log cannot be read.
    """
    path = history.placed(test)
    measured = _versions_read(index, _things(index, history, path))
    writers = [
        (recipe, file)
        for recipe, file in _writers(index, sorted(history.placed(one) for one in files))
        if digest in measured.get(recipe, ())
    ]
    chosen, choices = _choices(index.git_root, test, digest)
    return Wear(frozenset(_keys(index, writers, path)) | chosen, choices)


def versions(index: Index, history: History, test: str) -> list[str]:
    """Return all digests that were ever recorded of the test set."""
    return sorted(_things(index, history, history.placed(test)))


def _things(index: Index, history: History, path: str) -> dict[str, set[int]]:
    """Return the numbers of the things that are, or hold, each version of the test set."""
    found: dict[str, set[int]] = {}
    for one in and_above(path):
        rows = index.db.execute("SELECT id, md5 FROM things WHERE path = ?", (one,)).fetchall()
        for thing, md5 in rows:
            inside = md5 if one == path or not md5 else history.inside(md5, path[len(one) + 1 :])
            if inside:
                found.setdefault(inside, set()).add(thing)
    return found


def _versions_read(
    index: Index, things: Mapping[str, Collection[int]]
) -> dict[int, frozenset[str]]:
    """Return which versions each recipe read, by the shortest way from the test set to it.

    What came out the same of two versions leads to both; a shorter way tells which it was.
    """
    new: dict[int, set[str]] = {}
    for digest, numbers in things.items():
        for thing in numbers:
            new.setdefault(thing, set()).add(digest)
    seen: dict[int, set[str]] = {}
    recipes: dict[int, frozenset[str]] = {}
    while new:
        seen |= new
        reached = _reached(_pairs(index, _READERS, new), new, recipes)
        recipes.update({recipe: frozenset(each) for recipe, each in reached.items()})
        made = _reached(_pairs(index, _MADE, reached), reached, seen)
        parts = _reached(_pairs(index, _PARTS, made), made, {**seen, **made})
        new = {**made, **parts}
    return recipes


_READERS = "SELECT thing, recipe FROM uses WHERE role = 0 AND thing IN ({})"
_MADE = "SELECT recipe, thing FROM uses WHERE role = 1 AND recipe IN ({})"
_PARTS = (
    "SELECT one.id, other.id FROM things one JOIN parts ON parts.source = one.md5"
    " JOIN things other ON other.md5 = parts.target WHERE one.id IN ({})"
)
"""What is read as a part of a folder that was made, or the other way round."""


def _reached(
    pairs: Iterable[tuple[int, int]], labels: Mapping[int, set[str]], known: Container[int]
) -> dict[int, set[str]]:
    """Carry labels over to what is not known yet."""
    found: dict[int, set[str]] = {}
    for source, target in pairs:
        if target not in known:
            found.setdefault(target, set()).update(labels[source])
    return found


def _pairs(index: Index, query: str, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    for part in chunks(sorted(numbers)):
        yield from index.db.execute(query.format(",".join("?" * len(part))), part)


_WRITING = (
    "FROM things JOIN uses ON thing = things.id JOIN recipes ON recipes.id = recipe"
    " WHERE path = ? AND role = ? AND cmd != 'null'"
)
"""Stages that wrote a path; added data have no command."""


def _writers(index: Index, paths: Collection[str]) -> list[tuple[int, str]]:
    """Return each recipe that ever wrote one of these files, or a folder that they lie in."""
    found = []
    for file in paths:
        for path in and_above(file):
            told = index.db.execute(f"SELECT DISTINCT recipe {_WRITING}", (path, OUT))
            found += [(recipe, file) for (recipe,) in told]
    return found


def _keys(index: Index, writers: Sequence[tuple[int, str]], test: str) -> Iterator[str]:
    """Yield what names each measurement, as `measured` does from one commit alone."""
    read = deps(index, [recipe for recipe, _ in writers])
    paths = {one.path for each in read.values() for one in each}
    made = {path for path in paths if _is_made(index, path)}
    for recipe, file in writers:
        used = tuple(Used(one.path, one.md5) for one in read.get(recipe, ()))
        cmd, params = index.db.execute(
            "SELECT cmd, params FROM recipes WHERE id = ?", (recipe,)
        ).fetchone()
        told = Recipe(None, json.loads(cmd), used, json.loads(params), ())
        yield key_of(file, Placed(b"", "", told), made, test)


def _is_made(index: Index, path: str) -> bool:
    """Tell whether a stage ever wrote that path, or a folder that it lies in."""
    return any(
        index.db.execute(f"SELECT 1 {_WRITING} LIMIT 1", (one, OUT)).fetchone()
        for one in and_above(path)
    )


def _choices(git_root: str, test: str, digest: str) -> tuple[set[str], int]:
    """Return the models that recorded choices were made among, and the number of choices."""

    def about(what: Mapping[str, Any]) -> bool:
        said = what.get("test")
        return isinstance(said, Mapping) and (said.get("path"), said.get("digest")) == (
            test,
            digest,
        )

    found = log.entries(git_root, lambda event: event.kind == Kind.CHOSEN and about(event.what))
    among: set[str] = set()
    for one in found:
        keys: Any = one.event.what.get("among")
        among |= {key for key in _texts(keys) if len(key) == 16}
    return among, len(found)


def _texts(value: Any) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
