"""States of commits, kept in one SQLite file that may be deleted at any time.

What a file of metrics or parameters says is kept once, for most commits share most of it; which
dependencies and outputs there were is only read when it is asked for.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from mlxkit.comparison.state import Dependency, FileValues, Output, State, Trouble
from mlxkit.core.digest import md5_bytes
from mlxkit.core.files import discard
from mlxkit.pipeline.rundir import prepare_folder

_FORMAT = 2
_ASKED = 500
"""How many commits go into one question."""
_WAIT = 10.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS states (key TEXT, oid TEXT, state TEXT, rest TEXT,"
    " PRIMARY KEY (key, oid)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS parts (digest TEXT PRIMARY KEY, part TEXT) WITHOUT ROWID",
)


class Memory:
    """What is known of commits: `with Memory(root, key) as memory`.

    `key` stands for all that a state depends on besides its commit. A file that cannot be read or
    written is no error: nothing is known then, and nothing kept.
    """

    def __init__(self, root: str, key: str) -> None:
        self._root = root
        self._path = os.path.join(root, ".mlx", "states.db")
        self._key = md5_bytes(f"{_FORMAT}\0{key}".encode())
        self._db: sqlite3.Connection | None = None
        self._new: list[tuple[str, ...]] = []
        self._parts: dict[str, str] = {}

    def recall(self, commits: Iterable[str]) -> dict[str, State | Trouble]:
        """Return the states that are known of these commits."""
        try:
            rows = self._select("oid, state, rest", "states WHERE key = ? AND oid", commits)
            heads = {oid: (json.loads(text), rest) for oid, text, rest in rows}
            digests = {
                digest
                for head, _ in heads.values()
                for kind in ("params", "metrics")
                for digest in head.get(kind, {}).values()
            }
            parts = {
                digest: _values(json.loads(text))
                for digest, text in self._select("digest, part", "parts WHERE digest", digests)
            }
            shared: dict[str, Rest] = {}
            return {oid: _decoded(head, rest, parts, shared) for oid, (head, rest) in heads.items()}
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
            self._forget()
            return {}

    def _select(self, fields: str, where: str, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Ask for the rows of these names, many at a time."""
        wanted = list(dict.fromkeys(names))
        first = (self._key,) if "key = ?" in where else ()
        for start in range(0, len(wanted) if self._db is not None else 0, _ASKED):
            part = wanted[start:][:_ASKED]
            marks = ",".join("?" * len(part))
            assert self._db is not None
            asked = f"SELECT {fields} FROM {where} IN ({marks})"
            yield from self._db.execute(asked, (*first, *part)).fetchall()

    def keep(self, commit: str, state: State | Trouble) -> None:
        """Remember a state from the next `save` on, if it can be written as text."""
        if isinstance(state, Trouble):
            self._new.append((self._key, commit, _text({"error": state}), "{}"))
            return
        if not (_is_plain(dict(state.params)) and _is_plain(dict(state.metrics))):
            return
        head: dict[str, Any] = {"rev": state.rev, "timestamp": state.timestamp}
        for kind, files in (("params", state.params), ("metrics", state.metrics)):
            head[kind] = {path: self._part(one) for path, one in files.items()}
        rest = _text({"deps": dict(state.deps), "outs": dict(state.outs)})
        self._new.append((self._key, commit, _text(head), rest))

    def _part(self, values: FileValues) -> str:
        text = _text(values)
        digest = md5_bytes(text.encode())
        self._parts[digest] = text
        return digest

    def recall_text(self, kind: str, data: bytes) -> Any:
        """Return what a text of that kind is known to say, None where nobody knows."""
        try:
            rows = list(self._select("part", "parts WHERE digest", [self._digest_of(kind, data)]))
            return json.loads(rows[0][0])[0] if rows else None
        except (sqlite3.Error, ValueError, TypeError, LookupError):
            self._forget()
            return None

    def keep_text(self, kind: str, data: bytes, values: Any) -> None:
        """Remember what a text says from the next `save` on, if JSON can say the same."""
        if _is_plain(values):
            self._parts[self._digest_of(kind, data)] = _text(FileValues(values))

    def _digest_of(self, kind: str, data: bytes) -> str:
        """Return what stands for a text in place of its values' digest."""
        return md5_bytes(f"{self._key} {kind}\0".encode() + data)

    def save(self) -> None:
        """Write what is to be kept."""
        if self._db is not None and (self._new or self._parts):
            parts = list(self._parts.items())
            try:
                with self._db:
                    self._db.executemany("INSERT OR IGNORE INTO parts VALUES (?, ?)", parts)
                    self._db.executemany(
                        "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?)", self._new
                    )
            except sqlite3.OperationalError:
                pass  # another process writes, or the disk is full
            except sqlite3.Error:
                self._forget()
        self._new.clear()
        self._parts.clear()

    def __enter__(self) -> Self:
        try:
            prepare_folder(self._root)
            self._db = sqlite3.connect(self._path, timeout=_WAIT)
            self._db.execute("PRAGMA synchronous = OFF")
            for table in _TABLES:
                self._db.execute(table)
        except (OSError, sqlite3.OperationalError):
            self._close()
        except sqlite3.Error:
            self._forget()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _forget(self) -> None:
        """Throw a damaged file away; the next command begins a new one."""
        self._close()
        for end in ("", "-journal", "-wal", "-shm"):
            discard(self._path + end)

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class Later(Mapping[str, Any]):
    """A mapping that is read from its text when it is asked for; `plain` is how DVC writes it."""

    def __init__(self, text: str, kind: str, make: type[Dependency] | type[Output]) -> None:
        self._text = text
        self._kind = kind
        self._make = make

    @cached_property
    def _told(self) -> dict[str, list[Any]]:
        told: dict[str, list[Any]] = json.loads(self._text)[self._kind]
        return told

    @cached_property
    def plain(self) -> dict[str, dict[str, Any]]:
        """All of it by names; shared, not to be changed."""
        names = self._make._fields
        return {path: dict(zip(names, one, strict=True)) for path, one in self._told.items()}

    def __getitem__(self, key: str) -> Any:
        return self._make(*self._told[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)


Rest = tuple[Later, Later]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _decoded(
    head: Mapping[str, Any], rest: str, parts: Mapping[str, FileValues], shared: dict[str, Rest]
) -> State | Trouble:
    if "error" in head:
        return Trouble(*head["error"])
    if rest not in shared:
        shared[rest] = Later(rest, "deps", Dependency), Later(rest, "outs", Output)
    return State(
        head["rev"],
        head["timestamp"],
        {path: parts[digest] for path, digest in head["params"].items()},
        {path: parts[digest] for path, digest in head["metrics"].items()},
        *shared[rest],
    )


def _values(data: Sequence[Any]) -> FileValues:
    values, error = data
    return FileValues(values, Trouble(*error) if error is not None else None)


def _is_plain(value: Any) -> bool:
    """Tell whether a value comes back from JSON as it is: no dates, no keys but texts."""
    if isinstance(value, dict):
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    if isinstance(value, (FileValues, Trouble)):
        return all(map(_is_plain, value))
    if type(value) is list:
        return all(map(_is_plain, value))
    return value is None or type(value) in (str, int, float, bool)
