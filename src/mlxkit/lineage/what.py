"""What a user means by `WHAT`: a path, `REV:PATH`, a digest, a model's version, a run."""

import os
import re
from collections.abc import Mapping

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.history.versions import refs
from mlxkit.lineage import blobs
from mlxkit.lineage.disk import on_disk
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import folders_with
from mlxkit.lineage.query import Asked
from mlxkit.lineage.recorded import recorded_at, recorded_now
from mlxkit.lineage.schema import OUT
from mlxkit.tools import git

_DIGEST = re.compile(r"[0-9a-f]{4,32}(?:\.dir)?\Z")
_WHOLE = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")
_MODEL = re.compile(r"(?P<name>[^@]+)@(?P<version>v?[0-9]+(?:\.[0-9A-Za-z.+-]+)?|latest)\Z")


def find(index: Index, what: str) -> Asked:
    """Return the artifact that `what` names.

    Raises UsageError for what is nothing, or several things, MlxError where it cannot be read.
    """
    if what.startswith("run:"):
        return _of_run(index, what[4:])
    if os.path.lexists(what):
        return on_disk(index, what)
    model = _MODEL.match(what)
    found = None
    if model is not None:
        found = _of_model(index, model["name"], model["version"])
    if found is None and ":" in what:
        found = _at_revision(index, what)
    if found is None:
        found = recorded_now(index, from_repository(index, what))
    if found is None and _DIGEST.match(what.lower()):
        found = _of_digest(index, what.lower())
    if found is None:
        raise UsageError(
            f"'{what}' is no path, no REV:PATH, no digest, no MODEL@VERSION and no run:ID",
            hint="see: mlx lineage --help",
        )
    return found


def from_repository(index: Index, path: str) -> str:
    """Return a path that was named in the current folder, from the repository's top."""
    real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    return os.path.relpath(real, os.path.realpath(index.git_root))


def _at_revision(index: Index, what: str) -> Asked | None:
    """Try each colon, as a path and the name of a commit may have one, too."""
    for colon in (at for at, letter in enumerate(what) if letter == ":"):
        rev, path = what[:colon], what[colon + 1 :]
        commit = git.commit_id(index.git_root, rev) if rev and path else None
        if commit is None:
            continue
        # As Git does, from the repository's top; else as the user sees it, from here.
        tried = [os.path.normpath(path), from_repository(index, path)]
        for one in dict.fromkeys(tried):
            found = recorded_at(index, commit, one)
            if found is not None:
                return found._replace(commit=commit)
        raise UsageError(
            f"'{path}' is neither tracked at {rev} nor a file of Git's there",
            hint=f"see: git ls-tree -r --name-only {rev}   or: mlx ls -R . --rev {rev}",
        )
    return None


def _of_digest(index: Index, prefix: str) -> Asked | None:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    rows = index.db.execute(
        "SELECT DISTINCT md5 FROM things WHERE md5 >= ? AND md5 < ? ORDER BY md5 LIMIT 20",
        (prefix, end),
    ).fetchall()
    found = [md5 for (md5,) in rows]
    if prefix in found:
        found = [prefix]
    if len(found) > 1:
        raise UsageError(
            f"several digests begin with '{prefix}'",
            hint="give more of one: " + ", ".join(_described(index, md5) for md5 in found[:8]),
        )
    if found:
        return Asked(found[0])
    if not _WHOLE.match(prefix):
        return None
    holder = next(iter(folders_with(index, prefix)), None)
    return Asked(prefix, folder=holder[0] if holder else None, path=holder[1] if holder else "")


def _described(index: Index, md5: str) -> str:
    row = index.db.execute("SELECT path FROM things WHERE md5 = ? ORDER BY path", (md5,)).fetchone()
    return f"{md5[:12]} ({row[0]})"


def _of_run(index: Index, prefix: str) -> Asked:
    wanted = prefix.lower()
    if not re.fullmatch(r"[0-9a-f]{4,64}", wanted):
        raise UsageError(
            f"'run:{prefix}' is not the id of a run", hint="give 4 or more of its first digits"
        )
    rows = index.db.execute(
        "SELECT id, recipe FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT 10",
        (wanted, wanted[:-1] + chr(ord(wanted[-1]) + 1)),
    ).fetchall()
    if not rows:
        raise UsageError(
            f"no run on record begins with '{prefix}'",
            hint="was it made in another clone? fetch records with: mlx fetch",
        )
    if len(rows) > 1:
        some = ", ".join(name[:12] for name, _ in rows)
        raise UsageError(f"several runs begin with '{prefix}'", hint=f"give more of one: {some}")
    name, recipe = rows[0]
    outs = index.db.execute(
        "SELECT md5, path, size FROM uses JOIN things ON thing = things.id"
        " WHERE recipe = ? AND role = ? AND md5 != '' ORDER BY place",
        (recipe, OUT),
    ).fetchall()
    if not outs:
        raise UsageError(f"run {name[:12]} made nothing", hint=f"see: mlx env show {name[:12]}")
    notes: tuple[str, ...] = ()
    if len(outs) > 1:
        others = ", ".join(path for _, path, _ in outs[1:6])
        notes = (f"run {name[:12]} made more: {others}{', ...' if len(outs) > 6 else ''}",)
    return Asked(outs[0][0], outs[0][1], outs[0][2], notes=notes)


def _of_model(index: Index, name: str, version: str) -> Asked | None:
    """Follow a tag `NAME@VERSION` (in Git's tags a folder is divided by `=`, for people by `:`)."""
    folder, _, base = name.rpartition(":")
    begin = f"refs/tags/{folder.removesuffix('/dvc.yaml') + '=' if folder else ''}{base}@"
    known = {
        ref[len(begin) :]: oid
        for ref, oid in refs(index.git_root, "refs/tags").items()
        if ref.startswith(begin)
    }
    versions = {tag: oid for tag, oid in known.items() if tag and tag[-1] != "!"}
    if version == "latest" and versions:
        version = max(versions, key=_rank)
    tag = next((one for one in (version, f"v{version}") if one in versions), None)
    if tag is None:
        return None
    commit = git.commit_id(index.git_root, f"{begin}{tag}")
    if commit is None:
        raise UsageError(f"the tag '{name}@{tag}' leads to no commit", hint="see: git show-ref")
    path = _artifact_path(index, commit, folder.removesuffix("/dvc.yaml"), base)
    found = recorded_at(index, commit, path) if path else None
    if found is None:
        where = f"'{path}' is not recorded" if path else f"no artifact '{base}' is declared"
        raise UsageError(f"{name}@{tag}: {where} at that commit", hint="see: artifacts in dvc.yaml")
    return found._replace(commit=commit)


def _rank(tag: str) -> list[tuple[int, int, str]]:
    """Order versions: numbers as numbers, a release after its candidates."""
    release, dash, candidate = tag.removeprefix("v").partition("-")
    numbers = [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in
               release.split(".")]  # fmt: skip
    ends = [(0, int(part), "") if part.isdecimal() else (0, 1 << 40, part) for part in
            candidate.split(".")]  # fmt: skip
    return [*numbers, *(ends if dash else [(1, -1, "~")])]


def _artifact_path(index: Index, commit: str, folder: str, name: str) -> str | None:
    file = f"{folder}/dvc.yaml" if folder else "dvc.yaml"
    places = [file]
    if not folder:  # a project below the repository's top
        prefix = os.path.relpath(index.root, index.git_root)
        places += [f"{prefix}/dvc.yaml"] if prefix != "." else []
    for place in places:
        ids = blobs.lookup(index.git_root, [f"{commit}:{place}"])
        for data in blobs.blobs(index.git_root, ids.values()).values():
            path = _declared(data, name)
            if path is not None:
                return os.path.normpath(os.path.join(os.path.dirname(place), path))
    return None


def _declared(data: bytes, name: str) -> str | None:
    try:
        document = yaml.load(data)
    except MlxError:
        return None
    artifacts = document.get("artifacts") if isinstance(document, Mapping) else None
    one = artifacts.get(name) if isinstance(artifacts, Mapping) else None
    path = one.get("path") if isinstance(one, Mapping) else None
    return path if isinstance(path, str) else None
