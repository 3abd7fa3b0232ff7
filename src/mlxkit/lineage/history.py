"""What commits changed in lock and `.dvc` files, read straight from Git."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.data.history.versions import NAMING
from mlxkit.lineage.blobs import PLAIN, ask, existing, git_folder, lines_of
from mlxkit.tools import git

RUNS_REF: Final = "refs/mlx/runs"
_OURS: Final = "refs/mlx/"
# dvc.yaml, too: it says in which folder a stage runs, and so what its paths mean.
_PATTERNS: Final = (*NAMING, "*dvc.yaml")
_FORMAT: Final = "%x01%H%x02%P%x02%ct%x02%cI%x02%aN%x02%s"
_SUBMODULE: Final = b"160000"
_LONGEST_TIME: Final = 19


class Change(NamedTuple):
    """One file that a commit changed: its blob now, and in each parent that had it."""

    path: str
    new: str | None
    old: tuple[str, ...]


class Commit(NamedTuple):
    """A commit, and what it changed in files of DVC's (a merge: against all of its parents)."""

    oid: str
    parents: tuple[str, ...]
    time: int
    date: str
    author: str
    subject: str
    changes: tuple[Change, ...]


class Tips(NamedTuple):
    """Where history is looked at from: ids of commits by what leads to them, and its border."""

    refs: Mapping[str, str]
    border: frozenset[str]
    runs: str | None

    @property
    def ids(self) -> frozenset[str]:
        """The commits that everything is reached from."""
        return frozenset(self.refs.values())


def tips(root: str) -> Tips:
    """Return all that leads to commits: HEAD, branches, tags, remotes, experiments, every stash.

    One process, where there is no stash. Raises MlxError for a ref that leads nowhere.
    """
    refs: dict[str, str] = {}
    runs = None
    try:
        listed = git.run(root, *PLAIN, "show-ref", "--head", "--dereference", ok=(0, 1))
    except git.GitError as error:
        hint = "see: git fsck; then fetch what is missing, or delete the ref: git update-ref -d REF"
        raise MlxError(error.message, hint=hint) from None
    for line in listed.decode(errors="surrogateescape").split("\n")[:-1]:
        oid, _, name = line.partition(" ")
        if name == RUNS_REF:
            runs = oid
        if not name.startswith(_OURS):
            refs[name.removesuffix("^{}")] = oid  # a tag's own line comes first
    folder = git_folder(root)
    if "refs/stash" in refs:
        for number, line in enumerate(lines_of(os.path.join(folder, "logs", "refs", "stash"))):
            refs[f"stash {number}"] = line.split(" ")[1]
    return Tips(refs, frozenset(lines_of(os.path.join(folder, "shallow"))), runs)


def commits(root: str, tips: Iterable[str], known: Iterable[str]) -> Iterator[Commit]:
    """Yield commits that `tips` reach and `known` do not, parents first, that changed DVC's files.

    Tips that are no commits are passed over. Raises MlxError where Git cannot read them.
    """
    wanted = existing(root, tips)
    if not wanted:
        return
    given = [*sorted(wanted), *(f"^{one}" for one in sorted(existing(root, known)))]
    listed = ask(
        root,
        *("log", "--full-history", "-c", "--root", "--raw", "-z", "--no-abbrev", "--no-renames"),
        *("--no-color", "--reverse", "--date-order", f"--format={_FORMAT}", "--stdin"),
        *("--", *_PATTERNS),
        stdin="".join(f"{one}\n" for one in given).encode(),
    )
    yield from _parsed(listed)


def reachable(root: str, tips: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """Return the ids of all commits that `tips` reach and `without` do not; raises MlxError."""
    given = [*existing(root, tips), *(f"^{one}" for one in existing(root, without))]
    listed = ask(root, "rev-list", "--stdin", stdin="".join(f"{one}\n" for one in given).encode())
    return set(listed.decode().split())


def _parsed(listed: bytes) -> Iterator[Commit]:
    head: list[bytes] = []
    changes: list[Change] = []
    parts = iter(listed.split(b"\0"))
    for part in parts:
        if part.startswith(b"\x01"):
            if head:
                yield _commit(head, changes)
            head, changes = part[1:].split(b"\x02", 5), []
        elif part.lstrip(b"\n").startswith(b":"):
            change = _change(part.lstrip(b"\n"), os.fsdecode(next(parts)))
            if change is not None:
                changes.append(change)
    if head:
        yield _commit(head, changes)


def _commit(head: list[bytes], changes: list[Change]) -> Commit:
    oid, parents, time, date, author, subject = (one.decode(errors="replace") for one in head)
    known = time.isdecimal() and len(time) < _LONGEST_TIME and date[:1].isdigit()
    when = (int(time), date) if known else (0, "")  # of a broken commit Git cannot tell
    return Commit(oid, tuple(parents.split()), *when, author, subject, tuple(changes))


def _change(line: bytes, path: str) -> Change | None:
    """Read `:mode mode id id X`, of a merge with one more colon, mode and id a parent."""
    parents = len(line) - len(line.lstrip(b":"))
    if not is_naming(path) and os.path.basename(path) != "dvc.yaml":
        return None
    words = line.lstrip(b":").split()
    modes, ids = words[: parents + 1], words[parents + 1 : 2 * parents + 2]
    there = [
        one.decode() if one.strip(b"0") and mode != _SUBMODULE else None
        for mode, one in zip(modes, ids, strict=True)
    ]
    return Change(path, there[-1], tuple(one for one in there[:-1] if one is not None))


def is_naming(path: str) -> bool:
    """Tell whether a path, relative to the repository, is that of a lock or `.dvc` file."""
    folder, name = os.path.split(path)
    known = name in {"dvc.lock", "Dvcfile"} or (name.endswith(".dvc") and name != ".dvc")
    if not known:
        return False
    return not {".dvc", ".mlx"}.intersection(folder.split("/"))
