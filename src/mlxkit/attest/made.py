"""How what a user names was made, as lineage knows it: one stage, its inputs, its outputs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.audit.log import holds
from mlxkit.lineage.index import Index
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.productions import Production, address, deps, folder_of, productions
from mlxkit.lineage.query import Asked
from mlxkit.lineage.recipe import Used
from mlxkit.lineage.recorded import recipes_at, recipes_now
from mlxkit.lineage.schema import OUT
from mlxkit.lineage.writer import chunks
from mlxkit.runs.record import canonical, plain

Params = Mapping[str, Mapping[str, Any]]


class Made(NamedTuple):
    """One time that a stage made something; paths from the repository's top.

    `version` is the commit whose lock file began to say so, None where none does; `run` the
    record of the run.
    """

    stage: str
    cmd: str | list[str] | None
    params: Params
    deps: tuple[Used, ...]
    outs: tuple[Used, ...]
    version: str | None
    run: Mapping[str, Any] | None


class _Recipe(NamedTuple):
    """A row of the index."""

    id: int
    key: bytes
    file: str
    name: str | None
    cmd: str | list[str] | None
    params: Params


def made_of(index: Index, asked: Asked, head: str | None) -> list[Made]:
    """Return all that is known of how an artifact came to be: what counts most comes last.

    For a version only what its commit records counts. `head` is the commit of the working tree,
    which counts most without.
    """
    at = asked.folder or asked
    recipes = _making(index, at.md5)
    if asked.commit is not None:
        keys = {one.key for one in recipes_at(index, asked.commit, at.path)}
        return _described(index, [one for one in recipes if one.key in keys], asked.commit)
    keys = {one.key for one in recipes_now(index, at.path)} if at.path else set()
    told = _described(index, [one for one in recipes if one.key not in keys], head)
    told.sort(key=lambda one: (_is_at(one, at.path), one.version is not None))
    return told + _described(index, [one for one in recipes if one.key in keys], head)


def made_at(index: Index, commit: str) -> list[Made]:
    """Return how all outputs of the project's stages, as a commit records them, were made."""
    prefix = folder_of(index)

    def ours(one: Placed) -> bool:
        return one.recipe.cmd is not None and one.file.startswith(f"{prefix}/" if prefix else "")

    found = []
    for placed in filter(ours, recipes_at(index, commit)):
        rows = _rows(index, "WHERE key = ?", (placed.key,))
        found += _described(index, rows[:1], commit)
    return found


def recorded_sha256(index: Index, digests: Iterable[str]) -> dict[str, str]:
    """Return the sha256 that records of runs tell of these md5, where they agree."""
    wanted = {one for one in digests if one}
    told: dict[str, set[str]] = {}
    for md5, each in productions(index, wanted).items():
        for one in each:
            for out in (one.run or {}).get("outs", ()):
                if out.get("md5") == md5 and isinstance(out.get("sha256"), str):
                    told.setdefault(md5, set()).add(out["sha256"])
    return {md5: next(iter(found)) for md5, found in told.items() if len(found) == 1}


def same_params(one: Params, other: Params) -> bool:
    """Tell whether parameters are equal as JSON says them."""
    return canonical(plain(one)) == canonical(plain(other))


def _is_at(one: Made, path: str) -> bool:
    return any(out.path == path for out in one.outs)


def _making(index: Index, md5: str) -> list[_Recipe]:
    """Return all recipes that ever had this as an output."""
    return _rows(
        index,
        "JOIN uses ON recipe = recipes.id AND role = ? JOIN things ON thing = things.id"
        " WHERE md5 = ?",
        (OUT, md5),
    )


def _rows(index: Index, which: str, values: Sequence[Any]) -> list[_Recipe]:
    return [
        _Recipe(row[0], row[1], row[2], row[3], json.loads(row[4]), json.loads(row[5]))
        for row in index.db.execute(
            f"SELECT DISTINCT recipes.id, key, file, name, cmd, params FROM recipes {which}"
            " ORDER BY recipes.id",
            values,
        )
    ]


def _described(index: Index, recipes: Sequence[_Recipe], commit: str | None) -> list[Made]:
    """Tell of recipes all that there is; `commit` is where one looks from."""
    ids = [one.id for one in recipes]
    outs = {one: _outs(index, one) for one in ids}
    known = _runs(index, [out.md5 for each in outs.values() for out in each if out.md5])
    read = deps(index, [*ids, *(one.recipe for one in known)])

    def used(recipe: int) -> tuple[Used, ...]:
        return tuple(Used(*item) for item in read.get(recipe, ()))

    return [
        Made(
            address(one.file, one.name, folder_of(index)),
            one.cmd,
            one.params,
            used(one.id),
            tuple(outs[one.id]),
            _version(index, one, commit),
            _run_of(one, known, used),
        )
        for one in recipes
    ]


def _version(index: Index, one: _Recipe, commit: str | None) -> str | None:
    """Return the last commit before `commit` that began to record the recipe, else any."""
    oids: list[str] = [
        oid
        for (oid,) in index.db.execute(
            "SELECT oid FROM added JOIN commits ON commit_id = commits.id"
            " WHERE recipe = ? AND oid != '' ORDER BY time, commits.id",
            (one.id,),
        )
    ]
    before = [oid for oid in oids if commit and holds(index.git_root, commit, oid)]
    found = before or oids
    return found[-1] if found else None


def _runs(index: Index, digests: Iterable[str]) -> list[Production]:
    found: list[Production] = []
    for part in chunks(sorted(set(digests))):
        found += [one for each in productions(index, part).values() for one in each if one.run]
    return found


def _run_of(
    one: _Recipe, known: Iterable[Production], used: Callable[[int], tuple[Used, ...]]
) -> Mapping[str, Any] | None:
    """Return the record of the run that followed the recipe, rather one that did than restored."""

    def inputs(recipe: int) -> set[tuple[str, str]]:
        return {(item.path, item.md5) for item in used(recipe)}

    same = [
        each.run
        for each in known
        if each.run
        and (each.file, each.name, each.cmd) == (one.file, one.name, one.cmd)
        and inputs(each.recipe) == inputs(one.id)
        and same_params(each.params, one.params)
    ]
    best = [run for run in same if run.get("outcome") == "ran"] or same
    return best[-1] if best else None


def _outs(index: Index, recipe: int) -> list[Used]:
    return [
        Used(*row)
        for row in index.db.execute(
            "SELECT path, md5, size FROM uses JOIN things ON thing = things.id"
            " WHERE recipe = ? AND role = ? ORDER BY place",
            (recipe, OUT),
        )
    ]
