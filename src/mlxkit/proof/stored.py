"""Asks remotes whether they have every object that is recorded."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from mlxkit.core.progress import Progress
from mlxkit.data.transfer.items import Remote
from mlxkit.data.transfer.remote import core_remote, open_remote, section_of
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Out, Stage, entry_items, inside
from mlxkit.proof.view import UNCHECKED, Problem, View
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.tree import Entries, parse_tree

_LONGEST = 4 << 30


class _Object(NamedTuple):
    stage: Stage
    out: Out
    md5: str


def unstored(
    session: Session, stages: Iterable[Stage], view: View, chosen: str, progress: Progress
) -> list[Problem]:
    """Return a problem for each output that is not whole in its remote; `chosen` may be empty.

    Raises ProjectError without a remote, UsageError for one that is none, RemoteError.
    """
    groups: dict[str | None, list[_Object]] = {}
    found = []
    for stage in stages:
        for out, item in _kept(session, stage, view):
            name = out.remote or chosen or core_remote(session)
            why = _why_unchecked(session, stage, item, name)
            if why is not None:
                found.append(_problem(UNCHECKED, stage, out, why))
            elif "md5" in item and not (chosen and out.remote and out.remote != chosen):
                groups.setdefault(name, []).append(_Object(stage, out, item["md5"]))
    if not groups:
        open_remote(session, chosen or core_remote(session), None)  # a wrong name is an error
    for name, group in groups.items():
        remote = open_remote(session, name, None)
        found += _lacking(session, remote, group, progress)
    return found


def _kept(session: Session, stage: Stage, view: View) -> Iterator[tuple[Out, dict[str, Any]]]:
    recorded = stage.recorded if stage.recorded is not None else view.entry(stage)
    items = entry_items(recorded, "outs")
    for out in stage.outs:
        if out.cache and out.push and inside(out.abs, session.root):
            yield out, items.get(out.path, {})


def _why_unchecked(
    session: Session, stage: Stage, item: dict[str, Any], name: str | None
) -> str | None:
    if stage.delegated == "an import":
        return "an import may be fetched from where it comes from"
    if "files" in item or "cloud" in item or ("md5" in item and "hash" not in item):
        return "only DVC knows where a remote keeps it"
    section = section_of(session, name)
    if section.get("version_aware") or section.get("worktree"):
        return f"only DVC can look into '{name}', which keeps versions"
    return None


def _lacking(
    session: Session, remote: Remote, group: Sequence[_Object], progress: Progress
) -> Iterator[Problem]:
    there = remote.present({one.md5 for one in group}, progress)
    folders: dict[str, Entries] = {}
    for one in group:
        if one.md5 not in there:
            yield _problem("missing", one.stage, one.out, f"'{remote.name}' does not have it")
        elif one.md5.endswith(".dir") and one.md5 not in folders:
            try:
                folders[one.md5] = _listed(session, remote, one.md5)
            except BadObject as error:
                why = f"its list in '{remote.name}' is damaged: {error.message}"
                yield _problem("missing", one.stage, one.out, why)
    files = {md5 for entries in folders.values() for _, md5 in entries}
    there |= remote.present(files - there, progress)
    for one in group:
        absent = [path for path, md5 in folders.get(one.md5, ()) if md5 not in there]
        if absent:
            more = f" and {len(absent) - 1} more of its files" if len(absent) > 1 else ""
            why = f"'{remote.name}' does not have {absent[0]}{more}"
            yield _problem("missing", one.stage, one.out, why)


def _listed(session: Session, remote: Remote, md5: str) -> Entries:
    try:
        return session.workspace.store.verified_tree(md5)
    except (MissingObject, BadObject):
        return parse_tree(remote.read(md5, _LONGEST))


def _problem(kind: str, stage: Stage, out: Out, why: str) -> Problem:
    return Problem(kind, stage.address(os.getcwd()), out.abs, why)
