"""One file merged for Git: reads the three versions, writes the merge, says what is left to do."""

import os
import shlex
from typing import NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_sides import Marks
from mlxkit.tools import git_merge


class Outcome(NamedTuple):
    """What is in conflict (stages; of a `.dvc` file its data), and sentences for people."""

    conflicts: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    by_lines: bool = False


def merge(base: str, ours: str, theirs: str, path: str, marks: Marks) -> Outcome:
    """Merge three files into `ours`; `path` is the name that the file has for its users.

    Raises OSError, and MlxError where Git could not merge them either.
    """
    versions = _content(base), _content(ours), _content(theirs)
    by_lines = None
    try:
        if path.endswith(".dvc"):
            from mlxkit.core import yaml
            from mlxkit.pipeline.dvcfile_merge import ByLines, merge_dvcfiles

            raw, clean = git_merge.merge_file(base, ours, theirs, marks[:2], marks.size)
            by_lines = raw, clean
            merged = merge_dvcfiles(*versions, ByLines(yaml.decode(raw), clean), marks)
            told = _told_of_data(path, versions, merged.conflicts, marks)
        else:
            from mlxkit.pipeline.lock_merge import merge_locks

            merged = merge_locks(*versions, marks)
            told = _told_of_stages(path, merged.conflicts)
    except ProjectError as error:
        raw, clean = by_lines or git_merge.merge_file(base, ours, theirs, marks[:2], marks.size)
        _write(ours, raw)
        said = f"{path}: merged by lines, as Git does: {error}"
        return Outcome(() if clean else (path,), (said,), True)
    _write(ours, merged.text.encode())
    return Outcome(merged.conflicts, told)


def _told_of_stages(path: str, conflicts: tuple[str, ...]) -> tuple[str, ...]:
    if not conflicts:
        return ()
    names = " ".join(shlex.quote(name) for name in conflicts)
    noun = "stage" if len(conflicts) == 1 else "stages"
    return (
        f"{path}: both sides changed {noun} {', '.join(conflicts)}",
        f"hint: when dvc.yaml and the inputs are as you want them: {_mlx(path)} repro {names}",
    )


def _told_of_data(
    path: str, versions: tuple[bytes, bytes, bytes], conflicts: tuple[str, ...], marks: Marks
) -> tuple[str, ...]:
    if not conflicts:
        return ()
    if conflicts == ("notes",):
        return (f"{path}: both sides changed its description or meta", f"hint: edit {path}")
    from mlxkit.pipeline.dvcfile_merge import digests

    mine, other = (", ".join(digests(raw)) for raw in versions[1:])
    name, file = shlex.quote(path), shlex.quote(os.path.basename(path))
    return (
        f"{path}: both sides changed the data: {marks.ours} to {mine}, {marks.theirs} to {other}",
        f"hint: choose one: git checkout --ours {name} (or --theirs), then: "
        f"{_mlx(path)} checkout {file}",
    )


def _mlx(path: str) -> str:
    """Return how to call mlx for a file from the repository's top: a project may lie below it."""
    folder = os.path.dirname(path)
    return f"mlx -C {shlex.quote(folder)}" if folder else "mlx"


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
