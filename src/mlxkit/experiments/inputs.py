"""What runs read must be where they will find it: told before any of them is started."""

import os
from collections.abc import Sequence
from contextlib import suppress

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Out, Stage, entry_items, inside, inside_any
from mlxkit.store.intake import take_file, take_tree
from mlxkit.tools import git

_SUBMODULE = "160000"


def require_inputs(
    session: Session, git_root: str, stages: Sequence[Stage], copies: Sequence[str]
) -> None:
    """Raise MlxError for a file that a stage reads, and that Git and `copies` do not have."""
    wanted = {
        dep.abs: (stage, dep.path)
        for stage in stages
        for dep in stage.deps
        if inside(dep.abs, git_root) and os.path.lexists(dep.abs)
    }
    left = wanted.keys() - git.tracked(git_root, wanted)
    made = {out.abs for one in session.declared.stages for out in one.outs} if left else set()
    taken = [os.path.join(git_root, path) for path in copies]
    missed = (
        path
        for path in sorted(left)
        if not _is_empty(path)
        and not inside_any(path, made)
        and not any(inside(one, path) for one in made)
        and not any(inside(path, one) or inside(one, path) for one in taken)
    )
    path = next(missed, None)
    if path is None:
        return
    stage, shown = wanted[path]
    name, there = stage.address(os.getcwd()), os.path.relpath(path)
    for one in submodules(git_root):
        if inside(path, os.path.join(git_root, one)):
            raise MlxError(
                f"stage '{name}': '{shown}' is in the submodule {one}, which runs do not have",
                hint=f"take it along: --copy-paths {os.path.relpath(os.path.join(git_root, one))}",
                where=os.path.relpath(stage.file),
            )
    raise MlxError(
        f"stage '{name}': '{shown}' is not tracked by Git, and only tracked files are taken along",
        hint=f"run: git add {there}   (or give --copy-paths {there})",
        where=os.path.relpath(stage.file),
    )


def require_data(session: Session, stages: Sequence[Stage]) -> None:
    """Raise MlxError for data of a `.dvc` file that are neither in the cache nor laid out.

    What only the working tree has comes into the cache, where every run finds it.
    """
    for stage in stages:
        if not stage.is_source or stage.delegated:
            continue
        for out in stage.outs:
            recorded = entry_items(stage.recorded, "outs").get(out.path, {})
            md5, size = recorded.get("md5"), recorded.get("size")
            if not out.cache or md5 is None or session.workspace.cached(md5, size):
                continue
            if not os.path.lexists(out.abs):
                raise MlxError(
                    f"'{out.path}' is missing: neither the working tree nor the cache has it",
                    hint=f"fetch it with: mlx pull {stage.address(os.getcwd())}   (or give --pull)",
                    where=os.path.relpath(stage.file),
                )
            _take(session, out)


def submodules(git_root: str) -> list[str]:
    """Return the paths of submodules, from the repository's top."""
    if not os.path.exists(os.path.join(git_root, ".gitmodules")):
        return []
    every = git.list_all(git_root, None)
    return sorted(path for path, (mode, _) in every.items() if mode == _SUBMODULE)


def _take(session: Session, out: Out) -> None:
    store = session.workspace.store
    if os.path.isdir(out.abs):
        take_tree(store, out.abs, session.workspace.ignore, relink=False)
    else:
        take_file(store, out.abs, relink=False)
    session.workspace.forget()


def _is_empty(path: str) -> bool:
    """Tell whether there is nothing in a folder that Git could have."""
    with suppress(OSError):
        return os.path.isdir(path) and not os.listdir(path)
    return False
