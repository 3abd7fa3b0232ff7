"""Puts a record together from what a stage did and where it ran."""

import datetime
import functools
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit import __version__
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import RAN, Made
from mlxkit.pipeline.spec import Entry, Out, inside
from mlxkit.runs.experiment import experiment_name
from mlxkit.runs.record import Item, Record, canonical, digest, plain
from mlxkit.runs.snapshot import Snapshot
from mlxkit.tools.process import Ended

COMMITTED = "committed"
"""The outcome of data, or a frozen stage, whose changed files were recorded: nothing was run."""
_SHA256_UP_TO = 256 << 20
_WHOLE = 1 << 18
_COST = ("cpu_seconds", "peak_memory", "read_bytes", "written_bytes", "gpu_seconds")
_FOREIGN = ("etag", "checksum", "version_id")
"""How the lock tells the content of what lies elsewhere than on disk."""


class Place(NamedTuple):
    """The project's root, and the top of its Git repository."""

    root: str
    top: str


def compose(
    made: Made, place: Place, snapshot: Snapshot, user: str, environment: str | None
) -> Record:
    """Return the record; reads the outputs that are files for their sha256. Raises OSError."""
    stage, entry = made.stage, made.entry
    outs = {out.path: out for out in stage.outs}
    params = {
        _shown(path, stage.wdir, place.top): plain(values)
        for path, values in (entry.get("params") or {}).items()
    }
    return Record(
        stage=stage.address(place.root),
        project="" if place.root == place.top else _shown(place.root, place.top, place.top),
        outcome=COMMITTED if made.outcome == RAN and made.ended is None else made.outcome,
        cmd=plain(stage.cmd),
        deps=tuple(_item(one, stage.wdir, place.top) for one in entry.get("deps") or ()),
        params=params,
        params_digest=digest(canonical(params)),
        outs=tuple(
            _made_item(one, outs.get(one["path"]), stage.wdir, place.top)
            for one in entry.get("outs") or ()
            if "md5" in one or any(key in one for key in _FOREIGN)
        ),
        reasons=tuple(_reason(one) for one in made.reasons),
        commit=snapshot.commit,
        snapshot=snapshot.id,
        tree=snapshot.tree,
        dirty=snapshot.dirty,
        left_out=snapshot.left_out,
        left_out_more=snapshot.left_out_more,
        env=environment,
        host=_host(),
        user=user,
        mlx=__version__,
        started=_moment(made.began),
        seconds=round(made.seconds, 3),
        exit_code=made.ended.code if made.ended is not None else None,
        cost=_cost(made.ended),
        experiment=experiment_name(os.environ),
    )


def _item(told: Mapping[str, Any], folder: str, top: str) -> Item:
    foreign = {key: plain(told[key]) for key in _FOREIGN if key in told}
    return Item(
        _shown(told["path"], folder, top),
        told.get("md5"),
        told.get("size"),
        told.get("nfiles"),
        extra=foreign,
    )


def _made_item(told: Entry, out: Out | None, folder: str, top: str) -> Item:
    item = _item(told, folder, top)
    if out is None:
        return item
    kind = "metric" if out.metric else "plot" if out.plot else None
    return item._replace(kind=kind, sha256=_sha256(out.abs))


def _sha256(path: str) -> str | None:
    """Return the sha256 of one file that is not too large: trust that md5 cannot give."""
    if not os.path.isfile(path):
        return None
    import hashlib

    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _SHA256_UP_TO:
            return None
        if size <= _WHOLE:
            return hashlib.sha256(file.read()).hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(path: str, folder: str, top: str) -> str:
    """Return a path as from the top of the repository; absolute where it lies outside."""
    if "://" in path:
        return path
    full = os.path.normpath(os.path.join(folder, path))
    return os.path.relpath(full, top).replace(os.sep, "/") if inside(full, top) else full


def _reason(reason: Reason) -> dict[str, str]:
    told = {"kind": reason.kind, "what": reason.what}
    return {**told, "detail": reason.detail} if reason.detail else told


def _cost(ended: Ended | None) -> dict[str, Any]:
    return {name: getattr(ended, name, None) for name in _COST}


@functools.cache
def _host() -> dict[str, Any]:
    system = os.uname()
    kind = f"{system.sysname} {system.release} {system.machine}"
    shell = os.environ.get("SHELL") or "/bin/sh"
    return {"name": system.nodename, "system": kind, "cpus": os.cpu_count(), "shell": shell}


def _moment(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
