"""Are the files what a statement says: by sha256, never by md5 alone."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from mlxkit.attest.content import Contents, dir_hash
from mlxkit.attest.statement import FOLDER, Named, Statement
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked

_STRONG = ("sha256", "dirHash")


class Problem(NamedTuple):
    """What is wrong, as `mlx verify` tells it."""

    kind: str
    stage: str | None
    path: str
    why: str


class Target(NamedTuple):
    """What a user named: an artifact, and its path where it is on disk, inside or outside."""

    asked: Asked
    disk: str = ""


def compare_files(index: Index, contents: Contents, statement: Statement) -> Iterator[Problem]:
    """Compare each subject with the file of its name: in the working tree, else in the cache."""
    for one in statement.subjects:
        if not _is_inside(one.name):
            why = "the statement names no file of a repository"
            yield Problem("subject", None, one.name, why)
        elif not _is_strong(one):
            yield Problem("subject", None, one.name, "the statement has no sha256 of it")
        elif "dirHash" in one.digest:
            yield from _folder(index, contents, one)
        else:
            yield from _file(index, contents, one)


def compare_target(contents: Contents, statement: Statement, target: Target) -> Iterator[Problem]:
    """Compare what was named with the subjects, whatever their names.

    Where the content of a version is not here, nothing is known of its sha256.
    """
    asked = target.asked
    path = asked.path or target.disk or asked.md5
    md5 = asked.md5.removesuffix(".dir")
    said = [one.digest.get("md5") or one.digest.get(FOLDER) for one in statement.subjects]
    if md5 not in said and all(said):
        names = ", ".join(one.name for one in statement.subjects[:3])
        yield Problem(
            "subject", None, path, f"its content is not what the statement is about: {names}"
        )
        return
    actual = _digest_of(contents, target)
    strong = {one.digest.get(kind) for one in statement.subjects for kind in _STRONG}
    if actual is None:
        why = "its content is not here, so its sha256 is unknown; to get it: mlx fetch"
        yield Problem("missing", None, path, why)
    elif actual not in strong:
        why = f"its sha256 is {actual[:16]}..., which the statement does not name"
        yield Problem("subject", None, path, why)


def _digest_of(contents: Contents, target: Target) -> str | None:
    asked = target.asked
    is_folder = asked.md5.endswith(".dir")
    if target.disk and is_folder:
        return dir_hash(contents.folder_on_disk(target.disk, asked.md5)[1])
    if target.disk:
        found = contents.on_disk(target.disk)
        return found.sha256 if found else None
    if not is_folder:
        return contents.sha256(asked.md5, asked.path, asked.commit)
    listed = contents.folder(asked.md5, asked.path)
    return dir_hash(listed) if listed is not None else None


def _file(index: Index, contents: Contents, one: Named) -> Iterator[Problem]:
    path = os.path.join(index.git_root, one.name)
    md5 = one.digest.get("md5", "")
    found = contents.on_disk(path)
    sha256 = found.sha256 if found else (contents.sha256(md5, one.name) if md5 else None)
    if sha256 is None:
        yield Problem("missing", None, one.name, "it is neither here nor in the cache")
    elif sha256 != one.digest["sha256"] or (found and md5 not in ("", found.md5)):
        why = f"its content is another: sha256 {sha256[:16]}..., not {one.digest['sha256'][:16]}..."
        yield Problem("subject", None, one.name, why)


def _folder(index: Index, contents: Contents, one: Named) -> Iterator[Problem]:
    path = os.path.join(index.git_root, one.name)
    md5 = f"{one.digest.get(FOLDER, '')}.dir"
    if os.path.isdir(path):
        found, files = contents.folder_on_disk(path, md5 if md5 != ".dir" else "")
        if dir_hash(files) != one.digest["dirHash"] or md5 not in (".dir", found):
            yield Problem("subject", None, one.name, "the folder's files are others")
        return
    listed = contents.folder(md5, one.name) if md5 != ".dir" else None
    if listed is None:
        yield Problem("missing", None, one.name, "it is neither here nor in the cache")
    elif dir_hash(listed) != one.digest["dirHash"]:
        yield Problem("subject", None, one.name, "the folder's files are others")


def _is_strong(one: Named) -> bool:
    return any(kind in one.digest for kind in _STRONG)


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return bool(name) and "\0" not in name and not {"", "..", "."}.intersection(parts)
