"""The folder of the run in progress, `.mlx/run/`: who runs, what runs, and how to mend a kill.

Only one `mlx repro` at a time works on a project (`.mlx/repro.lock`), so whoever holds that lock
and finds this folder knows that its owner is dead.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import BusyError
from mlxkit.core.files import write_atomic
from mlxkit.tools.alive import is_running, start_mark

POLL_SECONDS = 0.05
LONGEST_NAME = 180
"""File systems allow 255 bytes; endings and temporary names need some."""


def slug(address: str) -> str:
    """Return a stage's address as a file name; of a very long one, its beginning and a digest."""
    from urllib.parse import quote

    name = quote(address, safe="@ ")
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}~{md5_bytes(address.encode())}"


@dataclass(slots=True, eq=False, repr=False)
class RunDir:
    """What is known of a run from outside its process."""

    folder: str
    id: str = field(default_factory=lambda: os.urandom(8).hex())
    lock_bases: dict[str, list[str]] = field(default_factory=dict)
    ignore_bases: dict[str, str] = field(default_factory=dict)
    running: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The environment variable that every process of this run carries."""
        return f"MLX_RUN={self.id}"

    def note(self) -> None:
        """Write who runs what, for other processes and for the next run after a kill."""
        told = {
            "id": self.id,
            "pid": os.getpid(),
            "start": start_mark(os.getpid()),
            "running": self.running,
        }
        self._write("run.json", told)

    def note_bases(self) -> None:
        """Write what the files that the run adds to were before it, for a run after a kill."""
        self._write("bases.json", {"lock": self.lock_bases, "ignore": self.ignore_bases})

    def _write(self, name: str, told: dict[str, Any]) -> None:
        write_atomic(os.path.join(self.folder, name), json.dumps(told).encode(), sync=False)

    def close(self) -> None:
        """Remove the folder, unless earlier outputs are in it: the next run brings them back."""
        kept = os.path.join(self.folder, "aside")
        slugs = os.listdir(kept) if os.path.isdir(kept) else ()
        if any(os.path.exists(os.path.join(kept, one, "note.json")) for one in slugs):
            return
        shutil.rmtree(self.folder, ignore_errors=True)


def run_folder(root: str) -> str:
    return os.path.join(root, ".mlx", "run")


def read_run(root: str) -> dict[str, Any] | None:
    """Return who runs what, or ran when it was killed, or None."""
    return _read(root, "run.json")


def read_bases(root: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the stages in each lock file, and each `.gitignore`, before a run that was killed."""
    found = _read(root, "bases.json") or {}
    return found.get("lock", {}), found.get("ignore", {})


def _read(root: str, name: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(run_folder(root), name), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return None
    return found


def running_stages(root: str) -> dict[str, float]:
    """Return the stages that a live run is executing now, with the time each began."""
    note = read_run(root)
    if note is None or not is_running(note["pid"], note["start"]):
        return {}
    return {key: one["began"] for key, one in note["running"].items()}


def prepare_folder(root: str) -> str:
    """Make `.mlx/`, which ignores itself; return its path."""
    folder = os.path.join(root, ".mlx")
    rule = os.path.join(folder, ".gitignore")
    if not os.path.exists(rule):
        os.makedirs(folder, exist_ok=True)
        with suppress(OSError):  # on a full disk it has to wait: `gc`, too, needs the folder
            write_atomic(rule, b"*\n", sync=False)
    return folder


@contextmanager
def only_run(root: str, wait: float, say: Any) -> Iterator[None]:
    """Be the only `mlx repro` of the project; raises BusyError after `wait` seconds."""
    path = os.path.join(prepare_folder(root), "repro.lock")
    file = open(path, "a+", encoding="ascii")  # noqa: SIM115
    try:
        _wait_for(file, wait, root, say)
        yield
    finally:
        file.close()


def _wait_for(file: IO[str], wait: float, root: str, say: Any) -> None:
    end = time.monotonic() + wait
    said = False
    while True:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            note = read_run(root)
            who = f" (pid {note['pid']})" if note else ""
            if time.monotonic() >= end:
                raise BusyError(
                    f"another mlx repro{who} is running in this project",
                    hint="wait for it to finish, or give --wait SECONDS",
                ) from None
            if not said:
                say(f"waiting for another mlx repro{who} to finish")
                said = True
            time.sleep(POLL_SECONDS)
