"""Compares the outputs that a rebuild has made, in its place, with what is recorded of them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.pipeline.params import read_file
from mlxkit.pipeline.session import RunSession, Session
from mlxkit.pipeline.spec import Entry, Out, Stage, entry_items
from mlxkit.proof.compare import DIFFERENT, IDENTICAL, WITHIN, Output, same_numbers
from mlxkit.proof.makers import is_legacy
from mlxkit.proof.place import Place
from mlxkit.proof.tolerance import Tolerances
from mlxkit.proof.views import content_digests
from mlxkit.tools import git


class Where(NamedTuple):
    """The user's project, and the one that was built from a commit in `place`."""

    session: Session
    built: RunSession
    place: Place
    commit: str


def compared(
    where: Where, stage: Stage, recorded: Entry | None, tolerances: Tolerances
) -> Iterator[Output]:
    """Yield a verdict for each output of a stage that ran."""
    built = where.built
    old = entry_items(recorded, "outs")
    new = entry_items(built.locks.entry(stage), "outs")
    for out in stage.outs:
        was, now = old.get(out.path, {}), new.get(out.path, {})
        path = os.path.relpath(out.abs, built.root)
        verdict = _verdict(where, out, was, now, tolerances.of(path) if out.metric else None)
        yield Output(stage.address(built.root), path, was.get("md5"), now.get("md5"), verdict)


def _verdict(
    where: Where,
    out: Out,
    was: Mapping[str, Any],
    now: Mapping[str, Any],
    tolerance: float | None,
) -> str:
    if was.get("md5") is not None and was["md5"] == now.get("md5"):
        return IDENTICAL
    if is_legacy(was) and os.path.isfile(out.abs):
        with open(out.abs, "rb") as file:
            if was["md5"] in content_digests(file.read(), legacy=True):
                return IDENTICAL
    if tolerance is not None and "md5" in was:
        recorded = _recorded_metric(where, out, was["md5"])
        if recorded is not None and same_numbers(recorded, _parsed(out.abs), tolerance):
            return WITHIN
    return DIFFERENT


def _recorded_metric(where: Where, out: Out, md5: str) -> Any:
    """Return the numbers that are recorded of a metrics file, None where nobody has them."""
    name = os.path.relpath(out.abs, where.place.tree)
    try:
        data = git.run(where.place.tree, "cat-file", "blob", f"{where.commit}:{name}")
    except MlxError:
        data = b""
    if md5 not in content_digests(data, legacy=True):
        try:
            with open(where.session.workspace.store.path(md5), "rb") as file:
                data = file.read()
        except OSError:
            return None
    copy = os.path.join(where.place.folder, os.path.basename(out.abs))
    write_atomic(copy, data, sync=False)
    return _parsed(copy)


def _parsed(path: str) -> Any:
    try:
        return read_file(path)
    except MlxError:
        return None
