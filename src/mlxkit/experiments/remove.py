"""Removing and renaming experiments, here or of a Git remote."""

from collections.abc import Sequence
from contextlib import suppress

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.experiments.refs import (
    APPLIED,
    Experiment,
    check_name,
    delete_experiments,
    exists,
    incoming,
    list_experiments,
    parse_ref,
    rename_experiment,
)
from mlxkit.tools import git
from mlxkit.tools.git_remote import Remote
from mlxkit.tools.git_remote_refs import fetch_refs, list_refs, push_refs


def everywhere(git_root: str, remote: Remote | None) -> list[Experiment]:
    """Return the experiments of a remote, or without one those of this repository.

    Raises RemoteError.
    """
    if remote is None:
        return list_experiments(git_root)
    found = []
    for ref, commit in sorted(list_refs(git_root, remote, "refs/exps").items()):
        parts = parse_ref(ref)
        if parts is not None:
            found.append(Experiment(*parts, commit))
    return found


def remove(git_root: str, gone: Sequence[Experiment], remote: Remote | None) -> None:
    """Delete experiments, all or none of them; raises RemoteError, MlxError."""
    if remote is not None:
        outcomes = push_refs(git_root, remote, {one.ref: None for one in gone}, force=True)
        refused = {ref: told.why for ref, told in outcomes.items() if told.outcome != "sent"}
        if refused:
            ref, why = next(iter(refused.items()))
            raise RemoteError(
                f"{len(refused)} of {len(gone)} were not removed: {ref}: {why}",
                where=f"remote '{remote.name}'",
            )
        return
    delete_experiments(git_root, gone)
    _forget_applied(git_root, {one.commit for one in gone})


def rename_here(git_root: str, old: Experiment, name: str, *, force: bool) -> Experiment:
    """Give an experiment another name; raises UsageError, Exists."""
    check_name(name)
    new = old._replace(name=name)
    if new != old:
        there = {one.name: one for one in list_experiments(git_root, old.baseline)}
        rename_experiment(git_root, old, new, replaced=there.get(name) if force else None)
    return new


def rename_there(
    git_root: str, remote: Remote, old: Experiment, name: str, *, force: bool
) -> Experiment:
    """Give a remote's experiment another name; raises UsageError, Exists, RemoteError."""
    check_name(name)
    new = old._replace(name=name)
    if new == old:
        return new
    there = list_refs(git_root, remote, "refs/exps")
    if new.ref in there and not force:
        raise exists(new)
    if git.commit_id(git_root, old.commit) is None:
        fetch_refs(git_root, remote, {old.ref: incoming(old.ref)})  # only what is here can be sent
    try:
        sent = push_refs(git_root, remote, {new.ref: old.commit}, force=force)[new.ref]
        if sent.outcome not in ("sent", "same"):
            why = sent.why or f"another experiment '{new.name}' came in between"
            raise RemoteError(why, where=f"remote '{remote.name}'")
    finally:
        git.run(git_root, "update-ref", "-d", incoming(old.ref))
    remove(git_root, [old], remote)
    return new


def _forget_applied(git_root: str, commits: set[str]) -> None:
    """Drop DVC's note of what was applied last, if it is gone."""
    with suppress(MlxError):
        if git.commit_id(git_root, APPLIED) in commits:
            git.run(git_root, "update-ref", "-d", APPLIED)
