"""DVC's read and write locks on paths, honoured so that plain `dvc` beside us stays safe.

`.dvc/tmp/rwlock` lists the paths that running stages read and write. DVC writes it in place, so a
kill can leave it empty or cut: then it is mended, because nobody can be asked what it said.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from mlxkit.core.files import write_atomic
from mlxkit.tools.exclusive import Take, is_alive, take_flock, take_hardlink, wait_for


@dataclass(frozen=True, slots=True)
class Blocker:
    """Another live process that uses a path we want."""

    path: str
    pid: int
    cmd: str


class PathLocks:
    """DVC's read and write locks on paths."""

    def __init__(self, root: str, *, hardlink: bool = False) -> None:
        self._folder = os.path.join(root, ".dvc", "tmp")
        self._path = os.path.join(self._folder, "rwlock")
        self._take: Take = take_hardlink if hardlink else take_flock
        # As DVC's own code in this process calls itself, so that it does not block itself on us.
        self._me: dict[str, Any] = {"pid": os.getpid(), "cmd": " ".join(sys.argv)}
        self.mended = False

    def acquire(self, read: Iterable[str], write: Iterable[str]) -> Blocker | None:
        """Register the absolute paths as ours, or return who blocks them and register nothing."""
        reads, writes = list(read), list(write)
        with self._edit() as table:
            blocker = _find_blocker(table["write"], [*reads, *writes], self._me) or _find_blocker(
                table["read"], writes, self._me
            )
            if blocker is None:
                for path in reads:
                    table["read"].setdefault(path, []).append(self._me)
                for path in writes:
                    table["write"][path] = self._me
        return blocker

    def release(self, read: Iterable[str], write: Iterable[str]) -> None:
        """Take our registration of these paths back.

        Where the disk is full it stays: nobody heeds one of a process that is gone.
        """
        with suppress(OSError), self._edit() as table:
            for path in read:
                readers = table["read"].get(path, [])
                if self._me in readers:
                    readers.remove(self._me)
                if not readers:
                    table["read"].pop(path, None)
            for path in write:
                if table["write"].get(path) == self._me:
                    del table["write"][path]

    def state(self) -> str:
        """Return `absent`, `whole` or `broken`."""
        try:
            with open(self._path, "rb") as file:
                return "whole" if _parse(file.read()) is not None else "broken"
        except FileNotFoundError:
            return "absent"

    def stale(self) -> list[Blocker]:
        """Return the registrations of processes that are gone."""
        return [one for one in self._registered() if not is_alive(one.pid)]

    def tidy(self) -> bool:
        """Mend the table where a kill has left something; tell whether it was broken."""
        broken = self.state() == "broken"
        if broken or self.stale():
            self.mend()
        return broken

    def mend(self) -> None:
        """Rewrite the table whole, without the processes that are gone."""
        with self._edit() as table:
            for path in list(table["read"]):
                table["read"][path] = [one for one in table["read"][path] if is_alive(one["pid"])]
                if not table["read"][path]:
                    del table["read"][path]
            for path in list(table["write"]):
                if not is_alive(table["write"][path]["pid"]):
                    del table["write"][path]

    def _registered(self) -> list[Blocker]:
        try:
            with open(self._path, "rb") as file:
                table = _parse(file.read())
        except FileNotFoundError:
            return []
        if table is None:
            return []
        return [
            Blocker(path, one["pid"], one["cmd"])
            for mode in ("read", "write")
            for path, found in table[mode].items()
            for one in (found if isinstance(found, list) else [found])
        ]

    @contextmanager
    def _edit(self) -> Iterator[dict[str, Any]]:
        os.makedirs(self._folder, exist_ok=True)
        guard = os.path.join(self._folder, "rwlock.lock")
        held = wait_for(self._take, guard, self._folder, 10.0)
        try:
            table = self._read()
            before = json.dumps(table)
            yield table
            after = json.dumps(table)
            if after != before or self.mended:
                # No fsync: after a power cut nobody holds a lock, and a broken table is mended.
                write_atomic(self._path, after.encode(), sync=False)
        finally:
            held.close()

    def _read(self) -> dict[str, Any]:
        try:
            with open(self._path, "rb") as file:
                table = _parse(file.read())
        except FileNotFoundError:
            return {"write": {}, "read": {}}
        if table is None:
            self.mended = True
            return {"write": {}, "read": {}}
        return table


def _parse(data: bytes) -> dict[str, Any] | None:
    """Return the table, or None where the file is not one."""
    try:
        raw = json.loads(data)
        writes = {str(path): _info(one) for path, one in raw.get("write", {}).items()}
        reads = {
            str(path): [_info(one) for one in readers]
            for path, readers in raw.get("read", {}).items()
        }
    except (ValueError, AttributeError, TypeError, KeyError):
        return None
    return {"write": writes, "read": reads}


def _info(one: Any) -> dict[str, Any]:
    return {"pid": int(one["pid"]), "cmd": str(one["cmd"])}


def _find_blocker(table: dict[str, Any], wanted: list[str], me: dict[str, Any]) -> Blocker | None:
    for path, found in table.items():
        others = found if isinstance(found, list) else [found]
        for other in others:
            if other["pid"] != me["pid"] and _meets(path, wanted) and is_alive(other["pid"]):
                return Blocker(path, other["pid"], other["cmd"])
    return None


def _meets(path: str, wanted: list[str]) -> bool:
    return any(
        path == one or path.startswith(one + os.sep) or one.startswith(path + os.sep)
        for one in wanted
    )
