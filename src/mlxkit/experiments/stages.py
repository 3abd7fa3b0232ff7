"""Which stages an experiment is made of, and what of their data the working tree has changed."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.yaml import load
from mlxkit.data import dvcfile
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Out, Stage, entry_items
from mlxkit.pipeline.targets import find_stages, order_stages
from mlxkit.store.intake import take_file, take_tree
from mlxkit.tools import git


def choose_stages(session: Session, targets: Sequence[str], how: Mapping[str, Any]) -> list[Stage]:
    """Return the stages that are meant, seen from the current folder, in DVC's order.

    `how` has DVC's flags. Raises UsageError for a target that is not there, ProjectError.
    """
    everything = bool(how.get("all_pipelines"))
    if not targets and not everything:
        if os.path.abspath("dvc.yaml") not in session.declared.files:
            raise ProjectError(
                "there is no dvc.yaml in this folder",
                hint="name a stage or file, or take the whole project: mlx exp run -P",
            )
        targets = ["dvc.yaml"]
    named = [] if everything else targets
    chosen = find_stages(session.declared, named, recursive=bool(how.get("recursive")))
    pipeline = bool(how.get("pipeline"))
    return order_stages(
        session.graph.active(),
        chosen,
        single=bool(how.get("single_item")) and not (pipeline or everything),
        pipeline=pipeline,
        everything=everything,
        downstream=bool(how.get("downstream")),
    )


def require_tracked(git_root: str, stages: Sequence[Stage], copies: Sequence[str]) -> None:
    """Raise ProjectError where Git does not have what declares a stage: no other place has it."""
    files = {one.file for one in stages}
    untracked = sorted(files - git.tracked(git_root, files))
    taken = {os.path.join(git_root, path) for path in copies}
    for file in untracked:
        if file not in taken:
            shown = os.path.relpath(file)
            raise ProjectError(
                f"{shown} is not tracked by Git, and only tracked files are taken along",
                hint=f"run: git add {shown}",
            )


def changed_data(session: Session, git_root: str, stages: Sequence[Stage]) -> dict[str, bytes]:
    """Return the `.dvc` files, by path from the top, of data that differ from what they record.

    The data come into the cache, for the runs shall have them; the `.dvc` files stay as they are.
    Raises MlxError where that cannot be said in a `.dvc` file of the usual form.
    """
    found = {}
    for stage in stages:
        if not stage.is_source or stage.delegated or stage.frozen:
            continue
        for out in stage.outs:
            recorded = entry_items(stage.recorded, "outs").get(out.path, {})
            now = session.workspace.md5(out.abs)
            if now is not None and now != recorded.get("md5") and out.cache:
                found[os.path.relpath(stage.file, git_root)] = _recorded_anew(session, stage, out)
    return found


def _recorded_anew(session: Session, stage: Stage, out: Out) -> bytes:
    with open(stage.file, encoding="utf-8") as file:
        text = file.read()
    if not dvcfile.is_plain(load(text) or {}):
        address = stage.address(os.getcwd())
        raise MlxError(
            f"'{os.path.relpath(out.abs)}' has changed", hint=f"record it: mlx commit {address}"
        )
    store, ignore = session.workspace.store, session.workspace.ignore
    if os.path.isdir(out.abs):
        content = take_tree(store, out.abs, ignore, relink=False)
    else:
        content = take_file(store, out.abs, relink=False)
    return dvcfile.updated_text(text, content).encode()
