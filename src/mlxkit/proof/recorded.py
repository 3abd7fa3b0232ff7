"""What run records say of lock entries: the same stage, command and inputs, other outputs."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.core.memory import cache_path, recall, remember
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.proof.view import Problem
from mlxkit.runs import ledger
from mlxkit.runs.choose import project_of
from mlxkit.runs.record import SHOWN, Record, canonical, digest, plain

FORMAT = 1
_MADE = ("ran", "restored", "committed")

Known = dict[str, dict[str, str]]
"""By inputs: the digest of the outputs, and the run that made them."""


def contradicted(
    session: Session, stages: Iterable[Stage], entry: Callable[[Stage], Entry | None]
) -> list[Problem]:
    """Return a problem for each entry whose inputs are on record, but with other outputs only."""
    assert session.git_root is not None
    known = _known(session.root, session.git_root)
    if not known:
        return []
    found = []
    project = project_of(session.root, session.git_root)
    for stage in stages:
        recorded = entry(stage) if stage.name is not None else None
        if recorded is None or any(out.persist for out in stage.outs):
            continue  # what goes on from its own output makes another each time
        made = known.get(entry_key(project, session.root, session.git_root, stage, recorded))
        outs = _outs_digest(entry_outs(stage, recorded, session.git_root))
        if made and outs not in made:
            run = list(made.values())[-1][:SHOWN]
            why = f"run {run} made other outputs of the same inputs, and no run made these"
            found.append(Problem("record", stage.address(os.getcwd()), stage.lock_path, why))
    return found


def entry_key(project: str, root: str, top: str, stage: Stage, entry: Entry) -> str:
    """Return a digest of what a lock entry was made of, equal to that of its run's record."""
    deps = _in_order([_from(top, stage.wdir, path), md5] for path, md5 in _items(entry, "deps"))
    given = entry.get("params") or {}
    params = {_from(top, stage.wdir, path): one for path, one in given.items()}
    told = [project, stage.address(root), entry.get("cmd"), deps, params]
    return digest(canonical(plain(told)))


def entry_outs(stage: Stage, entry: Entry, top: str) -> list[list[Any]]:
    """Return path (from the repository's top) and digest of what a lock entry's run made."""
    return _in_order([_from(top, stage.wdir, path), md5] for path, md5 in _items(entry, "outs"))


def record_key(record: Record) -> str:
    """Return a digest of what a run was made of."""
    deps = _in_order([one.path, one.md5] for one in record.deps)
    params = {path: dict(values) for path, values in record.params.items()}
    return digest(canonical(plain([record.project, record.stage, record.cmd, deps, params])))


def record_outs(record: Record) -> list[list[Any]]:
    """Return path and digest of what a run made."""
    return _in_order([one.path, one.md5] for one in record.outs)


def _known(root: str, git_root: str) -> Known:
    """Return what the records say, as remembered up to the newest of them."""
    tip = ledger.tip(git_root)
    if tip is None:
        return {}
    path = cache_path(root, "recorded.json")
    memory = recall(path)
    if memory.get("format") != FORMAT:
        memory = {}
    known: Known = memory.get("known", {})
    if memory.get("tip") == tip:
        return known
    try:
        news = ledger.read_new(git_root, memory.get("tip"))
    except MlxError:
        return {}  # damaged records contradict nothing
    ordered = sorted(news.records.items(), key=lambda item: (item[1].started, item[0]))
    for name, record in ordered:
        if record.outcome in _MADE and record.outs:
            made = known.setdefault(record_key(record), {})
            made[_outs_digest(record_outs(record))] = name
    remember(path, {"format": FORMAT, "tip": news.tip, "known": known})
    return known


def _outs_digest(outs: list[list[Any]]) -> str:
    return digest(canonical(outs))


def _in_order(items: Iterable[list[Any]]) -> list[list[Any]]:
    """Sort by path; what lies elsewhere has no digest."""
    return sorted(items, key=lambda item: (item[0], item[1] or ""))


def _items(entry: Mapping[str, Any], kind: str) -> list[list[Any]]:
    return [[one["path"], one.get("md5")] for one in entry.get(kind) or ()]


def _from(top: str, wdir: str, path: str) -> str:
    if "://" in path:
        return path
    full = os.path.normpath(os.path.join(wdir, path))
    inside = full.startswith(top.rstrip(os.sep) + os.sep)
    return os.path.relpath(full, top).replace(os.sep, "/") if inside else full
