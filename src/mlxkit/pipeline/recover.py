"""Mends what a run that was killed left behind; the caller holds `only_run`."""

import os
from contextlib import suppress
from typing import Any

from mlxkit.core.files import TEMPORARY
from mlxkit.pipeline import aside
from mlxkit.pipeline.rundir import RunDir, run_folder
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage, entry_items, inside
from mlxkit.store.checkout import remove
from mlxkit.tools.process import end_leftovers


def recover(session: RunSession, note: dict[str, Any]) -> list[str]:
    """End what still runs, bring earlier outputs back; return what was done, in sentences."""
    told = []
    if note.get("id"):
        killed = end_leftovers(RunDir("", id=note["id"]).mark)
        if killed:
            told.append(f"ended {killed} processes that a killed mlx repro had left running")
    stages = session.graph.stages
    for kept in aside.left_behind(run_folder(session.root)):
        stage = stages.get(kept.key)
        if stage is not None and _committed(session, stage):
            aside.drop(kept)
            continue
        aside.put_back(kept, os.path.join(session.root, ".mlx", "partial"))
        told.append(f"brought back the earlier outputs of '{kept.slug}'")
    _sweep(session)
    session.workspace.forget()
    return told


def _sweep(session: RunSession) -> None:
    """Remove half-written temporary files beside the files that mlx writes."""
    folders = {os.path.dirname(path) for path in session.declared.files}
    cache = session.committer.runcache.scratch
    if inside(cache, session.root):  # else other projects may be writing there just now
        folders |= {cache, session.committer.store.root}
    folders |= {os.path.dirname(out.abs) for one in session.declared.stages for out in one.outs}
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as listing:
            for entry in listing:
                if entry.name.startswith(TEMPORARY[0]) and entry.name.endswith(TEMPORARY[1]):
                    remove(entry.path)


def _committed(session: RunSession, stage: Stage) -> bool:
    """Tell whether the outputs that are there are those of the lock file."""
    recorded = entry_items(session.locks.entry(stage), "outs")
    return all(
        session.workspace.md5(out.abs) == recorded.get(out.path, {}).get("md5")
        for out in stage.outs
    )
