"""Run records in the index: what ran, also where nobody committed what came of it."""

import json
import posixpath
import sqlite3

from mlxkit.lineage.placed import Placed, key_of
from mlxkit.lineage.recipe import Recipe, Used
from mlxkit.lineage.writer import Writer
from mlxkit.runs.ledger import read_new
from mlxkit.runs.record import Item, Record, document
from mlxkit.tools import git


def bring(
    db: sqlite3.Connection, git_root: str, writer: Writer, now: str | None, before: str | None
) -> bool:
    """Write the records that came since the chain's commit `before`.

    Tell whether some went away.
    """
    if (now or "") == (before or ""):
        return False
    since = before or None
    went = since is not None and (now is None or not _follows(git_root, since, now))
    if went:
        db.execute("DELETE FROM runs")
        since = None
    for name, record in read_new(git_root, since).records.items() if now else ():
        text = json.dumps(document(record), default=str)
        writer.run(name, _placed(record), text)
    return went


def _follows(git_root: str, before: str, now: str) -> bool:
    try:
        found = git.run(git_root, "merge-base", before, now, ok=(0, 1, 128))
    except Exception:
        return False
    return found.decode().strip() == before


def _placed(record: Record) -> Placed:
    """Return the recipe that a run followed; one that failed made nothing."""
    file, name = place(record.project, record.stage)
    outs = record.outs if record.outcome != "failed" else ()
    recipe = Recipe(
        name,
        record.cmd,
        tuple(_used(one) for one in record.deps),
        {path: dict(values) for path, values in record.params.items()},
        tuple(_used(one) for one in outs),
    )
    return Placed(key_of("run", recipe._replace(wdir=file)), file, recipe)


def place(project: str, stage: str) -> tuple[str, str | None]:
    """Return the file, from the repository's top, and the name that a stage's address means."""
    file, colon, name = stage.rpartition(":")
    if not colon:
        if stage.endswith(".dvc"):
            file, name = stage, ""
        else:
            file = "dvc.yaml"
    return posixpath.normpath(posixpath.join(project, file)), name or None


def _used(item: Item) -> Used:
    return Used(item.path, item.md5 or "", item.size)
