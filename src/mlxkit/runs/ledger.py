"""`refs/mlx/runs`: the records of all runs in a chain of Git commits. Append, read, find.

Its tree holds `runs/ab/cdef....json` and `env/ab/cdef....json`, each named by its own digest.
"""

import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.files import discard
from mlxkit.runs.record import SHOWN, InvalidRecord, Record, decode, digest
from mlxkit.runs.repository import REF, Who, ask, commits
from mlxkit.tools import git

SHORTEST = 4
"""Digits that a prefix of an id needs at least."""
_ATTEMPTS = 30
_AT_ONCE = 2000
_PATH = re.compile(r"(runs|env)/([0-9a-f]{2})/([0-9a-f]{62})\.json\Z")
_CRASH = re.compile(r"dumping crash report to (.+)")
START = (f"commit {REF}\ncommitter mlx <mlx@localhost> 0 +0000\ndata 12\nrun records\n\n").encode()
"""The first commit is the same everywhere, so that all chains are related."""


class Batch(NamedTuple):
    """Records, by id, of stages that read the same snapshot of the working tree."""

    snapshot: str | None
    records: Mapping[str, bytes]
    message: str = ""


class News(NamedTuple):
    """What the chain holds at `tip`, or what was added; `invalid` ids are no records of ours."""

    tip: str | None
    records: dict[str, Record]
    invalid: list[str]


def tip(root: str) -> str | None:
    """Return the newest commit of the chain, None where nothing was recorded yet."""
    return commits(root, [REF]).get(REF)


def append(
    root: str, batches: Sequence[Batch], environments: Mapping[str, bytes], who: Who
) -> None:
    """Add records and environments; nothing is lost when other processes append, too.

    Raises MlxError where Git cannot.
    """
    for attempt in range(_ATTEMPTS):
        wanted = [batch.snapshot for batch in batches if batch.snapshot]
        known = commits(root, [REF, *wanted])
        stream = _stream(batches, environments, who, known)
        try:
            fast_import(root, stream)
        except MlxError:
            if attempt == _ATTEMPTS - 1 or not _moved(root, known.get(REF)):
                raise
            time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
        else:
            return


def fast_import(root: str, stream: bytes) -> None:
    """Write commits in one process; raises MlxError, also where the ref has moved meanwhile."""
    try:
        ask(root, "fast-import", "--quiet", "--done", stdin=stream + b"done\n")
    except git.GitError as error:
        report = _CRASH.search(error.said)
        if report:
            folder = ask(root, "rev-parse", "--absolute-git-dir").decode().strip()
            discard(f"{folder}/{report[1].rpartition('/')[2]}")
        raise


def commit_lines(who: Who, message: str, before: str | None, others: Iterable[str] = ()) -> bytes:
    """Return how a stream begins one more commit of the chain; its files follow.

    `before` is needed for the first of a stream only; `others` are further parents.
    """
    text = message.encode()
    head = f"commit {REF}\ncommitter {who.line}\ndata {len(text)}\n".encode()
    parents = "".join(f"merge {one}\n" for one in others)
    return head + text + (f"\nfrom {before}\n" if before else "\n").encode() + parents.encode()


def name_of(path: str) -> tuple[str, str] | None:
    """Return the kind (`runs`, `env`) and the digest that a path of the tree stands for."""
    found = _PATH.match(path)
    return (found[1], found[2] + found[3]) if found else None


def path_of(kind: str, name: str) -> str:
    """Return where the tree keeps what is named so."""
    return f"{kind}/{name[:2]}/{name[2:]}.json"


def read_all(root: str) -> News:
    """Return every record; raises MlxError where Git cannot tell."""
    return read_new(root, None)


def read_new(root: str, since: str | None) -> News:
    """Return the records that were added after the chain's commit `since`.

    All of them where that is None or not known any more.
    """
    now = tip(root)
    if now is None or now == since:
        return News(now, {}, [])
    found = listed(root, since, now, "runs")
    names = {blob: named[1] for path, blob in found.items() if (named := name_of(path))}
    records: dict[str, Record] = {}
    invalid = []
    for blob, data in contents(root, names):
        try:
            records[names[blob]] = decode(data, names[blob])
        except InvalidRecord:
            invalid.append(names[blob])
    return News(now, records, invalid)


def records_data(root: str) -> Iterator[tuple[str, bytes]]:
    """Return id and bytes of every record, unread: for those who only search them."""
    now = tip(root)
    found = listed(root, None, now, "runs") if now else {}
    names = {blob: named[1] for path, blob in found.items() if (named := name_of(path))}
    for blob, data in contents(root, names):
        yield names[blob], data


def listed(root: str, since: str | None, until: str, folder: str = "") -> dict[str, str]:
    """Return path and blob of the files that `until` has and `since` (if it is there) has not."""
    where = ("--", folder) if folder else ()
    if since is not None and commits(root, [since]):
        told = ask(
            root, *("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"), since, until,
            *where,
        )  # fmt: skip
        parts = iter(told.split(b"\0"))
        pairs = ((head[1:].split(b" "), path) for head, path in zip(parts, parts, strict=False))
        return {
            path.decode(errors="replace"): about[3].decode()
            for about, path in pairs
            if about[1] == b"100644" and about[4] == b"A"
        }
    told = ask(root, "ls-tree", "-r", "-z", "--full-tree", until, *where)
    found = {}
    for line in told.split(b"\0"):
        about, _, path = line.partition(b"\t")
        if about[:6] == b"100644":
            found[path.decode(errors="replace")] = about.split()[2].decode()
    return found


def contents(root: str, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Return the content of blobs, some at a time; raises MlxError for one that is not there."""
    wanted = list(blobs)
    for start in range(0, len(wanted), _AT_ONCE):
        yield from git.read_objects(root, wanted[start : start + _AT_ONCE]).items()


def find(root: str, prefix: str) -> tuple[str, Record]:
    """Return the record whose id begins with `prefix`, and its id.

    Raises UsageError where there is none, or several; InvalidRecord.
    """
    wanted = prefix.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", wanted):
        raise UsageError(
            f"'{prefix}' is not the id of a run",
            hint=f"give {SHORTEST} or more of its first digits, 0-9 and a-f",
        )
    now = tip(root)
    files = listed(root, None, now, f"runs/{wanted[:2]}") if now else {}
    found = {
        named[1]: blob
        for path, blob in files.items()
        if (named := name_of(path)) and named[1].startswith(wanted)
    }
    if not found:
        raise UsageError(
            f"there is no run '{prefix}' on record",
            hint="was it made in another clone? fetch records with: mlx fetch",
        )
    if len(found) > 1:
        some = ", ".join(name[:SHOWN] for name in sorted(found)[:5])
        raise UsageError(
            f"'{prefix}' is the beginning of {len(found)} runs", hint=f"say more of it: {some}"
        )
    ((name, blob),) = found.items()
    return name, decode(git.read_objects(root, [blob])[blob], name)


def environment(root: str, name: str) -> bytes | None:
    """Return the environment of this digest, None where it is not on record or damaged."""
    if re.fullmatch(r"[0-9a-f]{64}", name) and (now := tip(root)):
        try:
            data = ask(root, "cat-file", "blob", f"{now}:{path_of('env', name)}")
        except MlxError:
            return None
        return data if digest(data) == name else None
    return None


def _stream(
    batches: Sequence[Batch],
    environments: Mapping[str, bytes],
    who: Who,
    known: Mapping[str, str],
) -> bytes:
    before = known.get(REF)
    parts = [] if before else [START]
    for number, batch in enumerate(batches):
        snapshot = [batch.snapshot] if batch.snapshot and batch.snapshot in known else []
        parts.append(commit_lines(who, batch.message, None if number else before, snapshot))
        parts += [_file(path_of("runs", name), data) for name, data in batch.records.items()]
        if number == 0:
            parts += [_file(path_of("env", name), data) for name, data in environments.items()]
    return b"".join(parts)


def _file(path: str, data: bytes) -> bytes:
    return f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


def _moved(root: str, before: str | None) -> bool:
    """Tell whether another process has appended, or is just doing so."""
    if tip(root) != before:
        return True
    time.sleep(0.05)
    return tip(root) != before
