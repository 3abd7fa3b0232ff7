"""From what a user names to what can be stated of it."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mlxkit.attest.content import Contents, dir_hash
from mlxkit.attest.made import Made, made_at, made_of, recorded_sha256
from mlxkit.attest.statement import FOLDER, Claim, Named
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import files_of
from mlxkit.lineage.productions import folder_of
from mlxkit.lineage.query import Asked
from mlxkit.lineage.recipe import Used
from mlxkit.lineage.what import find
from mlxkit.runs.record import plain
from mlxkit.tools import git, git_remote

MOST_FILES = 1000
"""A folder with more files is stated as a whole: one digest of all."""
_SCP = re.compile(r"(?:[^/@:]+@)?([^/:@]{2,}):(?!//)(.+)")


def gather(index: Index, what: str) -> list[Claim]:
    """Return a claim for each stage that made what is named; "" is all outputs of `HEAD`.

    Raises UsageError for what is nothing, MlxError for what nobody is known to have made, or
    whose content is not here.
    """
    root = index.git_root
    head = git.commit_id(root, "HEAD")
    asked = _asked(index, what) if what else None
    if asked is None:
        commit = git.commit_id(root, what or "HEAD")
        if commit is None:
            raise UsageError("nothing is committed yet", hint="run: git commit")
        made = made_at(index, commit)
        if not made:
            raise MlxError(
                f"no stage's outputs are recorded at {what or 'HEAD'}",
                hint="run: mlx repro   and commit dvc.lock",
            )
        return [_claim(index, one, [out for out in one.outs if out.md5]) for one in made]
    known = made_of(index, asked, head)
    if not known:
        raise MlxError(f"nobody is known to have made '{what}'", hint=f"see: mlx lineage {what}")
    return [_claim(index, known[-1], [_wanted(index, asked, known[-1])])]


def _asked(index: Index, what: str) -> Asked | None:
    """Return the artifact that is named, None for a revision."""
    try:
        return find(index, what)
    except UsageError:
        if git.commit_id(index.git_root, what) is None:
            raise
        return None


def _wanted(index: Index, asked: Asked, made: Made) -> Used:
    """Return the artifact under the name that its stage gave it: a user may hold a copy of it."""
    if asked.folder is None:
        paths = [one.path for one in made.outs if one.md5 == asked.md5]
    else:
        folder = asked.folder.path
        listed = files_of(index, asked.folder.md5)
        paths = [f"{folder}/{name}" for name, md5 in listed.items() if md5 == asked.md5]
    path = asked.path if asked.path in paths or not paths else paths[0]
    return Used(path, asked.md5, asked.size)


def _claim(index: Index, made: Made, outs: Iterable[Used]) -> Claim:
    run = made.run or {}
    source = run.get("snapshot") or run.get("commit") or made.version
    if source is None:
        raise MlxError(
            f"what '{made.stage}' made is in no commit, and no run of it is on record",
            hint="commit its lock or .dvc file",
        )
    started, finished = _times(run)
    contents = Contents(index)
    known = recorded_sha256(index, [one.md5 for one in (*made.deps, *made.outs)])
    subjects = [one for out in outs for one in _subjects(contents, out, made, known)]
    return Claim(
        subjects=tuple(subjects),
        stage=made.stage,
        cmd=made.cmd,
        params={file: plain(values) for file, values in made.params.items()},
        materials=tuple(_materials(made, known)),
        project=folder_of(index),
        version=made.version,
        source=source,
        origin=_origin(index.git_root),
        env=run.get("env"),
        run=run.get("id"),
        started=started,
        finished=finished,
        outcome=run.get("outcome") or "",
        mlx=run.get("mlx") or "",
    )


def _subjects(contents: Contents, out: Used, made: Made, known: Mapping[str, str]) -> list[Named]:
    if not out.md5.endswith(".dir"):
        sha256 = contents.sha256(out.md5, out.path, made.version)
        told = known.get(out.md5)
        if sha256 and told and sha256 != told:
            raise MlxError(
                f"the run on record made another '{out.path}': same md5, other sha256",
                hint="one of the two was made to look like the other; see: mlx lineage",
            )
        return [_file(out.path, out.md5, sha256 or told)]
    files = contents.folder(out.md5, out.path)
    if files is None:
        raise _absent(out.path)
    whole = {"dirHash": dir_hash(files), FOLDER: out.md5.removesuffix(".dir")}
    some = files if len(files) <= MOST_FILES else {}
    inside = [_file(f"{out.path}/{name}", *both) for name, both in some.items()]
    return [Named(out.path, whole), *inside]


def _file(path: str, md5: str, sha256: str | None) -> Named:
    if sha256 is None:
        raise _absent(path)
    return Named(path, {"sha256": sha256, "md5": md5})


def _absent(path: str) -> MlxError:
    return MlxError(
        f"the content of '{path}' is not here, so nothing can be said of its sha256",
        hint="bring it: mlx fetch   or, of versions before: mlx fetch --all-commits",
    )


def _materials(made: Made, known: Mapping[str, str]) -> Iterable[Named]:
    for one in made.deps:
        if one.md5.endswith(".dir"):
            yield Named(one.path, {FOLDER: one.md5.removesuffix(".dir")})
        elif one.md5:
            sha256 = {"sha256": known[one.md5]} if one.md5 in known else {}
            yield Named(one.path, {"md5": one.md5, **sha256})
        elif "://" in one.path:
            yield Named(one.path, {}, uri=one.path)


def _times(run: Mapping[str, Any]) -> tuple[str, str]:
    """Return when the run began and ended, as the format has it."""
    try:
        began = datetime.fromisoformat(run["started"])
        ended = began + timedelta(seconds=float(run.get("seconds") or 0))
    except (KeyError, TypeError, ValueError, OverflowError):
        return "", ""
    return _timestamp(began), _timestamp(ended)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _origin(git_root: str) -> str:
    """Return the Git remote as the format names repositories; without a user or password."""
    remote = git_remote.choose_remote(git_root)
    if remote is None:
        return ""
    said = git.run(git_root, "config", "--get", f"remote.{remote.name}.url", ok=(0, 1))
    url = said.decode("utf-8", "replace").strip()
    scp = _SCP.fullmatch(url)
    if scp is not None:
        return f"git+ssh://{scp[1]}/{scp[2]}"
    scheme, mark, rest = url.partition("://")
    if not mark or scheme == "file":
        return ""
    host, slash, path = rest.partition("/")
    return f"git+{scheme}://{host.rpartition('@')[2]}{slash}{path}"
