"""Puts facts into the index, and takes away those of commits that nothing leads to any more."""

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from mlxkit.lineage.facts import NO_HOLDERS, Facts
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.recipe import Used
from mlxkit.lineage.schema import DEP, OUT

_AT_ONCE = 500
_LARGEST = 1 << 63


class Writer:
    """Writes within a transaction of the caller's; rows are known by their number here."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._recipes: dict[bytes, int] = dict(db.execute("SELECT key, id FROM recipes"))
        self._things: dict[tuple[str, str], int] = {
            (md5, path): number
            for md5, path, number in db.execute("SELECT md5, path, id FROM things")
        }
        self._held: dict[int, dict[str, set[bytes]]] = {}
        self._next_recipe = 1 + max(self._recipes.values(), default=0)
        self._next_thing = 1 + max(self._things.values(), default=0)
        self._rows: dict[str, list[tuple[Any, ...]]] = {}

    def holders(self, path: str, md5: str) -> Mapping[str, Container[bytes]]:
        """Return the keys of recipes that ever wrote that digest at that path, by their file."""
        thing = self._things.get((storable(md5), storable(path)))
        return NO_HOLDERS if thing is None else self._holders(thing)

    def _holders(self, thing: int) -> dict[str, set[bytes]]:
        if thing not in self._held:
            found = self._held[thing] = {}
            for key, file in self._db.execute(
                "SELECT key, file FROM uses JOIN recipes ON recipe = id"
                " WHERE thing = ? AND role = ?",
                (thing, OUT),
            ):
                found.setdefault(file, set()).add(key)
        return self._held[thing]

    def put(self, facts: Facts, *, border: bool = False) -> int:
        """Write what a commit says; return its number."""
        commit = facts.commit
        number = self._db.execute(
            "INSERT INTO commits (oid, time, date, author, subject, border)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (commit.oid, commit.time, commit.date, commit.author, commit.subject, int(border)),
        ).lastrowid
        assert number is not None
        for placed in facts.added:
            self._row("added", self.recipe(placed), number)
        for out, placed in facts.introduced:
            self._row("introduced", self._thing(out), number, self.recipe(placed))
        for old, new in facts.renamed:
            self._row("renamed", self._thing(new), number, self._thing(old))
        for note in facts.notes:
            self._row("notes", number, note)
        return number

    def recipe(self, placed: Placed) -> int:
        """Return the number of a recipe, which is written if it is new."""
        if placed.key in self._recipes:
            return self._recipes[placed.key]
        number = self._recipes[placed.key] = self._next_recipe
        self._next_recipe += 1
        recipe = placed.recipe
        cmd, params = _json(recipe.cmd), _json(recipe.params)
        self._row("recipes", number, placed.key, placed.file, recipe.name, cmd, params)
        for role, items in ((DEP, recipe.deps), (OUT, recipe.outs)):
            for place, one in enumerate(items):
                thing = self._thing(one)
                self._row("uses", number, role, place, thing)
                if role == OUT:
                    self._holders(thing).setdefault(placed.file, set()).add(placed.key)
        return number

    def run(self, name: str, placed: Placed, record: str) -> None:
        """Write the record of a run."""
        self._row("runs", name, self.recipe(placed), record)

    def flush(self) -> None:
        """Bring all rows into the database."""
        for table, rows in self._rows.items():
            marks = ", ".join("?" * len(rows[0]))
            self._db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)
        self._rows.clear()

    def _thing(self, one: Used) -> int:
        key = (storable(one.md5), storable(one.path))
        if key not in self._things:
            self._things[key] = self._next_thing
            self._held[self._next_thing] = {}
            size = one.size if one.size is not None and 0 <= one.size < _LARGEST else None
            self._row("things", self._next_thing, *key, size)
            self._next_thing += 1
        return self._things[key]

    def _row(self, table: str, *values: Any) -> None:
        told = tuple(storable(one) if isinstance(one, str) else one for one in values)
        self._rows.setdefault(table, []).append(told)


def forget(db: sqlite3.Connection, oids: Iterable[str]) -> None:
    """Take commits away, and what only they knew."""
    for part in chunks(sorted(oids)):
        marks = ",".join("?" * len(part))
        numbers = [
            one for (one,) in db.execute(f"SELECT id FROM commits WHERE oid IN ({marks})", part)
        ]
        for table in ("added", "introduced", "renamed", "parts", "notes"):
            _delete(db, table, "commit_id", numbers)
        _delete(db, "commits", "id", numbers)


def sweep(db: sqlite3.Connection) -> None:
    """Take away recipes that no commit and no run has, and what they alone name."""
    db.execute(
        "DELETE FROM recipes WHERE id NOT IN (SELECT recipe FROM added)"
        " AND id NOT IN (SELECT recipe FROM runs)"
    )
    db.execute("DELETE FROM uses WHERE recipe NOT IN (SELECT id FROM recipes)")
    db.execute("DELETE FROM things WHERE id NOT IN (SELECT thing FROM uses)")


def storable(text: str) -> str:
    """Return a text that a database takes: what no text has (a name that is not UTF-8) escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def chunks(values: list[Any]) -> Iterator[list[Any]]:
    """Cut a list into parts that one statement takes."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _delete(db: sqlite3.Connection, table: str, column: str, numbers: list[int]) -> None:
    for part in chunks(numbers):
        marks = ",".join("?" * len(part))
        db.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", part)


def _json(value: Any) -> str:
    return json.dumps(value, default=str)
