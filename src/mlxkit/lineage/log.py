"""The history of one path: its versions in commits, with what changed from one to the next."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlxkit.lineage import history, worktree
from mlxkit.lineage.answer import Params
from mlxkit.lineage.document import changes_json, run_json
from mlxkit.lineage.facts import Reader
from mlxkit.lineage.index import Index
from mlxkit.lineage.log_inside import Step, inside
from mlxkit.lineage.metrics import Values, Wanted, read_metrics
from mlxkit.lineage.placed import Placed, naming
from mlxkit.lineage.productions import Production, productions
from mlxkit.lineage.schema import DEP
from mlxkit.tools import git


class Version(NamedTuple):
    """One version of a path; `before` and `metrics_before` are those of the version before it.

    `renamed_from` is set where the path changed and the content did not. `commit` is None for
    what the working tree records and no commit does.
    """

    made: Production
    metrics: Values
    before: Params | None
    metrics_before: Values | None
    renamed_from: str | None = None


class History(NamedTuple):
    """Versions, newest first; of a file in a tracked folder, `folder` is that.

    Then so many versions of the folder are `unlisted`: the cache has no list of their files.
    """

    versions: list[Version]
    folder: str = ""
    unlisted: int = 0


def history_of(
    index: Index, path: str, *, rev: str | None = "HEAD", limit: int | None = None
) -> History:
    """Return the versions of a path; with `rev` only those that it reaches.

    Follows the path to where it was called something else. Raises MlxError where Git cannot tell.
    """
    line, folder, unlisted = _line(index, path, rev)
    shown = line[: None if limit is None else limit + 1]  # one more, to compare with
    metrics = _metrics(index, [one.whole for one in shown])
    found = []
    for number, one in enumerate(shown):
        before = number + 1 if number + 1 < len(shown) else None
        found.append(
            Version(
                one.made,
                metrics[number],
                None if before is None else shown[before].made.params,
                None if before is None else metrics[before],
                one.old,
            )
        )
    return History(found[:limit], folder, unlisted)


def _line(index: Index, path: str, rev: str | None) -> tuple[list[Step], str, int]:
    """Return the versions of a path, or of a file in the nearest folder above that has some."""
    line = _followed(index, path, rev)
    folder = path
    while not line and (folder := os.path.dirname(folder)):
        line = [one for one in _followed(index, folder, rev) if one.whole.md5.endswith(".dir")]
        if line:
            found, unlisted = inside(index, line, path[len(folder) + 1 :])
            return found, folder, unlisted
    return line, "", 0


def _followed(index: Index, path: str, rev: str | None) -> list[Step]:
    found: list[Step] = []
    seen: set[str] = set()
    until: Production | None = None
    while path not in seen:
        seen.add(path)
        here = _reached(index, _at(index, path), rev)
        if until is not None:
            end = until
            here = [one for one in here if (one.time, one.commit) != (end.time, end.commit)
                    and one.time <= end.time]  # fmt: skip
        found += [Step(one, one) for one in here]
        if not here:
            break
        old = _old_name(index, here[-1])
        if old is None:
            break
        found[-1] = Step(here[-1], here[-1], old)
        path, until = old, here[-1]
    return found


def _at(index: Index, path: str) -> list[Production]:
    """Return every time that something came to be at a path, newest first."""
    rows = index.db.execute(
        "SELECT DISTINCT md5 FROM things JOIN introduced ON thing = things.id WHERE path = ?",
        (path,),
    ).fetchall()
    ranks = {oid: number for number, oid in index.db.execute("SELECT id, oid FROM commits")}
    made = productions(index, [md5 for (md5,) in rows])
    chosen = [one for each in made.values() for one in each if one.path == path and one.on_file]
    return sorted(
        chosen, key=lambda one: (one.commit is None, one.time, ranks.get(one.commit or "", 0)),
        reverse=True,
    )  # fmt: skip


def _reached(index: Index, made: list[Production], rev: str | None) -> list[Production]:
    """Keep what `rev` reaches: all without one; the working tree's with `HEAD` only."""
    commits = {one.commit for one in made if one.commit}
    if rev is None:
        return made
    tip = git.commit_id(index.git_root, rev)
    outside = history.reachable(index.git_root, commits, [tip]) if tip and commits else commits
    return [one for one in made if (one.commit not in outside if one.commit else rev == "HEAD")]


def _old_name(index: Index, made: Production) -> str | None:
    """Return the path that the same content had in the commit before."""
    row = index.db.execute(
        "SELECT old.path FROM renamed JOIN things new ON new = new.id"
        " JOIN things old ON old = old.id JOIN commits ON commit_id = commits.id"
        " WHERE new.path = ? AND new.md5 = ? AND oid = ?",
        (made.path, made.md5, made.commit or ""),
    ).fetchone()
    return row[0] if row else None


def _metrics(index: Index, made: Sequence[Production]) -> list[Values]:
    """Return the metrics of each version's own stage and of all that came after it."""
    reader = Reader(index.git_root, folders=_folders(index))
    files = {one.path: _reading(index, one.path) for one in made}
    wanted = [
        (one.commit, sorted({naming(one.file), *files[one.path]})) for one in made if one.commit
    ]
    reader.look_ahead([(commit, path) for commit, paths in wanted for path in paths])
    asked = []
    for one in made:
        paths = sorted({naming(one.file), *files[one.path]})
        if one.commit:
            at = reader.at(one.commit, paths)
        else:
            at = worktree.at(reader, worktree.look(index.git_root), paths)
        recorded = [placed for each in at.values() for placed in each]
        asked.append(_asked(one, recorded))
    values = read_metrics(index, [each for one in asked for each in one])
    found: list[Values] = []
    for each_asked in asked:
        part, values = values[: len(each_asked)], values[len(each_asked) :]
        found.append({file: kept for each in part for file, kept in each.items()})
    return found


def _asked(made: Production, recorded: list[Placed]) -> list[Wanted]:
    """Follow a path through the recipes of its commit: which outputs may be metrics of it."""
    paths, used = {made.path}, set()
    more = True
    while more:
        more = False
        for number, one in enumerate(recorded):
            read = (dep.path for dep in one.recipe.deps)
            wrote = {out.path for out in one.recipe.outs}
            if number not in used and (
                (made.path in wrote and one.recipe.name == made.name)
                or any(_overlap(dep, path) for dep in read for path in paths)
            ):
                used.add(number)
                paths |= wrote if made.path not in wrote else set()
                more = True
    return [
        Wanted(
            made.commit or "",
            recorded[number].file,
            {out.path: out.md5 for out in recorded[number].recipe.outs},
        )
        for number in sorted(used)
    ]


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _reading(index: Index, path: str) -> set[str]:
    """Return the lock files that ever recorded that the path was read."""
    rows = index.db.execute(
        "SELECT DISTINCT file FROM things JOIN uses ON thing = things.id JOIN recipes"
        " ON recipe = recipes.id WHERE role = ? AND path = ?",
        (DEP, path),
    )
    return {naming(file) for (file,) in rows}


def _folders(index: Index) -> list[str]:
    return [file for (file,) in index.db.execute("SELECT file FROM folders")]


def log_document(found: list[Version]) -> list[dict[str, Any]]:
    """Return versions as plain JSON values."""
    return [
        {
            "commit": one.made.commit,
            "date": one.made.date,
            "author": one.made.author,
            "subject": one.made.subject,
            "path": one.made.path,
            "md5": one.made.md5,
            "size": one.made.size,
            "stage": one.made.stage,
            "cmd": one.made.cmd,
            "renamed_from": one.renamed_from,
            "params": one.made.params,
            "metrics": one.metrics,
            "changed": {
                "params": _changed(one.before, one.made.params),
                "metrics": _changed(one.metrics_before, one.metrics),
            },
            "run": run_json(one.made.run),
            "border": one.made.border,
        }
        for one in found
    ]


def _changed(before: Params | None, now: Params) -> dict[str, Any]:
    return {} if before is None else changes_json(before, now)
