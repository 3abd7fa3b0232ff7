"""Bringing the working tree to what the project's files record."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.progress import SILENT, Progress
from mlxkit.data import dvcfile, laid
from mlxkit.data.tracked import Tracked, tracked
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import inside, upwards
from mlxkit.store.checkout import lay_out, sweep, take_away
from mlxkit.store.compare import Plan, Wish, compare
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.tree import Content

_SHOWN = 10


class Changes(NamedTuple):
    """What became of the working tree; paths from the current folder, of folders with `/`."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class WouldLose(MlxError):
    """Files that the user changed, and that no object keeps, are in the way."""

    code = "would-lose"


def check_out(
    session: RunSession,
    wanted: Sequence[Tracked],
    *,
    everything: bool = False,
    force: bool = False,
    relink: bool = False,
    progress: Progress = SILENT,
) -> Changes:
    """Make every wanted output hold what is recorded of it.

    Everything is compared before anything is touched. What cannot be made, because its object is
    missing or damaged, is in `failed`; the rest goes on. With `everything`, data that an earlier
    checkout laid out and nothing tracks any more is removed. Raises WouldLose without `force`.
    """
    legacy = [one for one in wanted if one.legacy]
    wanted = [one for one in wanted if not one.legacy and one.md5 is not None]
    failed: list[Tracked] = []
    plans = _compare(session, wanted, failed, relink, progress)
    stale = _stale(session) if everything else {}
    if not force:
        _refuse_losses([path for _, plan in plans for path in plan.lost])
    done = _lay_out(session, plans, failed, progress)
    for path, content in stale.items():
        take_away(path, content)
    lacking = {(one.path, one.within) for one in failed}
    whole = [one for one in wanted if one.within is None and (one.path, None) not in lacking]
    laid.note(session.root, {one.path: one.md5 for one in whole if one.md5 is not None}, stale)
    changes = Changes(
        tuple(_shown(one.path) for one, plan in done if plan.is_new),
        tuple(_shown(one.path) for one, plan in done if not plan.is_new),
        tuple(os.path.relpath(path) for path in stale),
        tuple(_shown(one.path, one.md5) for one in failed),
    )
    return _merged(changes, _by_dvc(session, legacy, force, relink)) if legacy else changes


def _compare(
    session: RunSession,
    wanted: Sequence[Tracked],
    failed: list[Tracked],
    relink: bool,
    progress: Progress,
) -> list[tuple[Tracked, Plan]]:
    plans = []
    progress.begin("comparing", len(wanted))
    for one in wanted:
        assert one.md5 is not None
        _refuse_outside(session, one)
        try:
            plan = compare(
                Wish(one.md5, one.path, one.isexec, one.within, relink),
                session.workspace.store,
                session.workspace.ignore,
            )
        except (MissingObject, BadObject):
            failed.append(one)
            continue
        progress.advance()
        if plan is None:
            sweep(one.path)
        else:
            plans.append((one, plan))
    return plans


def _by_dvc(session: RunSession, legacy: Sequence[Tracked], force: bool, relink: bool) -> Changes:
    """Let DVC lay out what is recorded in a form that only it can read."""
    places = [
        os.path.join(one.path, one.within) if one.within is not None else one.path for one in legacy
    ]
    told = session.delegate.checkout(
        [os.path.relpath(place) for place in places], force=force, relink=relink
    )
    session.workspace.forget()
    return Changes(*(tuple(told[name]) for name in Changes._fields))


def _merged(one: Changes, other: Changes) -> Changes:
    return Changes(*(mine + theirs for mine, theirs in zip(one, other, strict=True)))


def _lay_out(
    session: RunSession,
    plans: Sequence[tuple[Tracked, Plan]],
    failed: list[Tracked],
    progress: Progress,
) -> list[tuple[Tracked, Plan]]:
    done = []
    progress.begin("laying out", sum(len(plan.make) for _, plan in plans))
    for one, plan in plans:
        try:
            lay_out(plan, session.workspace.store, progress=progress)
        except (MissingObject, BadObject):
            failed.append(one)
            continue
        done.append((one, plan))
    session.workspace.forget()
    progress.end()
    return done


def _refuse_outside(session: RunSession, one: Tracked) -> None:
    """Refuse to write where a `.dvc` file, which may come from anyone, has no business."""
    folder = os.path.realpath(os.path.dirname(one.path))
    root = os.path.realpath(session.root)
    where = one.stage.address(os.getcwd())
    if not inside(folder, root) or not inside(one.path, session.root):
        raise MlxError(
            f"'{one.out.path}' lies outside of the project: nothing is written there",
            where=where,
            hint=f"correct the path in {where}",
        )
    for private in (".git", ".dvc", ".mlx"):
        if inside(os.path.join(folder, os.path.basename(one.path)), os.path.join(root, private)):
            raise MlxError(
                f"'{one.out.path}' belongs to {private}: nothing is written there",
                where=where,
                hint=f"correct the path in {where}",
            )


def _refuse_losses(lost: Sequence[str]) -> None:
    if not lost:
        return
    shown = [os.path.relpath(path) for path in lost[:_SHOWN]]
    more = f", and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else ""
    raise WouldLose(
        f"this would destroy changes that are recorded nowhere: {', '.join(shown)}{more}",
        hint="record them (mlx add, mlx commit), move them away, or give --force",
    )


def _stale(session: RunSession) -> dict[str, Content]:
    """Return what was laid out for another commit, is tracked no more, and is as it was."""
    known = laid.read(session.root)
    if not known:
        return {}
    now = {out.abs for stage in session.declared.stages for out in stage.outs}
    around = {folder for path in now for folder in upwards(path)}
    found = {}
    for name, md5 in known.items():
        path = os.path.join(session.root, name)
        if path in around or any(folder in now for folder in upwards(path)):
            continue
        if os.path.lexists(dvcfile.place(path)):
            continue  # it says nothing of its data, cut short perhaps; it is still tracked
        content = _kept_content(session, path, md5) if os.path.lexists(path) else None
        if content is not None:
            found[path] = content
    return found


def _kept_content(session: RunSession, path: str, md5: str) -> Content | None:
    """Return what is at a path, if that is as it was and the cache can give it back."""
    try:
        content = session.workspace.content(path)
    except MlxError:
        return None
    if content is None or content.md5 != md5 or not session.workspace.store.has(md5):
        return None
    return content


def _shown(path: str, md5: str | None = None) -> str:
    folder = os.path.isdir(path) if md5 is None else md5.endswith(".dir")
    return os.path.relpath(path) + (os.sep if folder else "")


def note_outputs(session: RunSession) -> None:
    """Remember as laid out what a run has made."""
    known = {one.path: one.md5 for one in tracked(session) if one.md5 is not None}
    laid.note(session.root, {path: md5 for path, md5 in known.items() if os.path.lexists(path)})
