"""Records that are not in Git yet: a journal in `.mlx/runs/`, safe from a kill.

A line for each: its kind, its id, and its bytes, which hold no line break. Only one `mlx repro` at
a time works on a project, so there is one writer.
"""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.files import discard
from mlxkit.runs.ledger import Batch, append
from mlxkit.runs.record import InvalidRecord, Record, decode, digest
from mlxkit.runs.repository import Who

RECORD, ENVIRONMENT = "run", "env"


class Waiting(NamedTuple):
    """What is to be recorded; `broken` counts what a crash of the system left half."""

    records: dict[str, bytes]
    environments: dict[str, bytes]
    parsed: dict[str, Record]
    broken: int = 0


def journal(root: str) -> str:
    """Return where the project at `root` keeps them."""
    return os.path.join(root, ".mlx", "runs", "pending.jsonl")


def put(root: str, kind: str, data: bytes) -> str:
    """Keep a record or an environment; return its id. Raises OSError."""
    name = digest(data)
    path = journal(root)
    line = b"%s %s %s\n" % (kind.encode(), name.encode(), data)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fd = os.open(path, flags, 0o666)
    try:
        if os.write(fd, line) != len(line):
            os.write(fd, b"\n")  # the disk is full: what comes next must not join what is cut
            raise OSError("the disk is full")
    finally:
        os.close(fd)
    return name


def waiting(root: str) -> Waiting:
    """Read what is there; raises OSError."""
    found = Waiting({}, {}, {})
    try:
        with open(journal(root), "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return found
    broken = 0
    for line in filter(None, lines):
        kind, _, rest = line.partition(b" ")
        name, _, data = rest.partition(b" ")
        try:
            broken += not _take(found, kind.decode(), name.decode(), data)
        except (InvalidRecord, UnicodeDecodeError):
            broken += 1
    return found._replace(broken=broken)


def settle(git_root: str, root: str, who: Who) -> int:
    """Move everything into Git, one commit for each snapshot; return how many were broken.

    Raises MlxError or OSError where that cannot be: then all of it stays for the next time.
    """
    found = waiting(root)
    if found.records:
        append(git_root, batches(found.records, found.parsed), found.environments, who)
    discard(journal(root))
    return found.broken


def any_waiting(root: str) -> bool:
    """Tell, at the cost of a look, whether there is anything."""
    return os.path.exists(journal(root))


def _take(found: Waiting, kind: str, name: str, data: bytes) -> bool:
    if kind == RECORD:
        found.parsed[name] = decode(data, name)
        found.records[name] = data
        return True
    if kind == ENVIRONMENT and digest(data) == name:
        found.environments[name] = data
        return True
    return False


def batches(records: Mapping[str, bytes], parsed: Mapping[str, Record]) -> list[Batch]:
    """Put together those that read the same snapshot of the working tree."""
    groups: dict[str | None, list[str]] = {}
    for name in sorted(records, key=lambda one: (parsed[one].started, one)):
        groups.setdefault(parsed[name].snapshot, []).append(name)
    return [
        Batch(snapshot, {name: records[name] for name in names}, _message(parsed[n] for n in names))
        for snapshot, names in groups.items()
    ]


def _message(records: Iterable[Record]) -> str:
    told = [f"{one.outcome} {one.stage}" for one in records]
    if len(told) == 1:
        return told[0]
    return "\n".join([f"{len(told)} runs", "", *told])
