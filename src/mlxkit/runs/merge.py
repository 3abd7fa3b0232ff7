"""Joins the chain of records that another clone made to ours: what either has, both have."""

from collections.abc import Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.runs.ledger import START, commit_lines, contents, fast_import, listed, name_of
from mlxkit.runs.record import LARGEST, InvalidRecord, decode, digest
from mlxkit.runs.repository import REF, Who, ask, commits

_ATTEMPTS = 10
_NOBODY = "0" * 40


class Merged(NamedTuple):
    """How many records came in, and how many files were refused: not what their names say."""

    added: int
    refused: int


def merge(root: str, theirs: str, who: Who) -> Merged:
    """Add to our chain what the chain at the ref `theirs` has; raises MlxError.

    What came from elsewhere is read and checked first: only records and environments whose names
    are the digests of their contents come in, and nothing that we have can get lost.
    """
    for attempt in range(_ATTEMPTS):
        known = commits(root, [REF, theirs])
        ours, other = known.get(REF), known.get(theirs)
        if other is None or ours == other or (ours and _reaches(root, other, ours)):
            return Merged(0, 0)
        offered = listed(root, ours, other)
        good = _checked(root, offered)
        result = Merged(sum(path.startswith("runs/") for path in good), len(offered) - len(good))
        try:
            if not result.refused and adds_only(root, ours, other, len(offered)):
                ask(root, "update-ref", REF, other, ours or _NOBODY)
            else:
                fast_import(root, _stream(good, ours, other, who))
        except MlxError:
            if attempt == _ATTEMPTS - 1 or commits(root, [REF]).get(REF) == ours:
                raise
        else:
            return result
    raise AssertionError("unreachable")


def _checked(root: str, offered: Mapping[str, str]) -> dict[str, str]:
    """Return those of the files that are what their names say."""
    named = {path: blob for path, blob in offered.items() if name_of(path)}
    asked = "".join(f"{blob}\n" for blob in named.values()).encode()
    sizes = ask(root, "cat-file", "--batch-check", stdin=asked).decode().splitlines()
    small = {
        path: blob
        for (path, blob), about in zip(named.items(), sizes, strict=True)
        if about.split()[-1].isdigit() and int(about.split()[-1]) <= LARGEST
    }
    paths: dict[str, list[str]] = {}
    for path, blob in small.items():
        paths.setdefault(blob, []).append(path)
    return {
        path: blob
        for blob, data in contents(root, paths)
        for path in paths[blob]
        if _is_right(path, data)
    }


def _is_right(path: str, data: bytes) -> bool:
    named = name_of(path)
    if named is None or digest(data) != named[1]:
        return False
    if named[0] == "runs":
        try:
            decode(data, named[1])
        except InvalidRecord:
            return False
    return True


def adds_only(root: str, ours: str | None, other: str, offered: int) -> bool:
    """Tell whether their chain is ours and just so many files more: it may take the place of ours.

    Links, programs and submodules are no files that are offered.
    """
    if ours is None:
        told = ask(root, "ls-tree", "-r", "-z", "--full-tree", "--name-only", other)
    elif _reaches(root, ours, other):
        told = ask(root, "diff-tree", "-r", "-z", "--no-renames", "--name-only", ours, other)
    else:
        return False
    return told.count(b"\0") == offered


def _reaches(root: str, old: str, new: str) -> bool:
    """Tell whether the commit `old` is `new`, or one before it."""
    # Prints nothing where there is no commit that only `old` has.
    return not ask(root, "rev-list", "--max-count=1", old, f"^{new}")


def _stream(good: Mapping[str, str], ours: str | None, other: str, who: Who) -> bytes:
    begin = b"" if ours else START
    files = "".join(f"M 100644 {blob} {path}\n" for path, blob in good.items())
    return begin + commit_lines(who, "merge run records", ours, [other]) + files.encode()
