"""What the files of the working tree say should be there: outputs with their recorded digests."""

import fnmatch
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Out, Stage, entry_items, inside
from mlxkit.pipeline.targets import find_stages, order_stages


class Tracked(NamedTuple):
    """One output of a stage or a `.dvc` file, and what is recorded of it.

    `md5` is None where nothing is recorded yet (a stage that never ran). `within` is a path
    inside a directory, in its own spelling ("a/b.txt"), when only that part is wanted.
    """

    stage: Stage
    out: Out
    md5: str | None
    size: int | None = None
    nfiles: int | None = None
    isexec: bool = False
    remote: str | None = None
    within: str | None = None
    legacy: bool = False
    """Whether its digest is in a form that only DVC can check out (DVC 2, cloud versions)."""

    @property
    def path(self) -> str:
        """Where it belongs, absolute; with `within`, the whole directory's place."""
        return self.out.abs


def tracked(
    session: Session,
    targets: Sequence[str] = (),
    *,
    with_deps: bool = False,
    recursive: bool = False,
    glob: bool = False,
) -> list[Tracked]:
    """Return what `targets` name, everything without any; in the order of the project's files.

    A target is a stage, a `dvc.yaml` or `.dvc` file, an output, a path inside an output that is a
    directory, with `recursive` a folder, with `glob` a pattern of any of these. Only outputs in
    the cache count. Raises UsageError for what is nothing of these.
    """
    if not targets:
        return list(_all(session, session.declared.stages))
    everything = {one.path: one for one in _all(session, session.declared.stages)}
    found: dict[tuple[str, str, str | None], Tracked] = {}
    for target in _expanded(session, targets) if glob else targets:
        for one in _named(session, everything, target, with_deps, recursive):
            found.setdefault((one.stage.key, one.out.abs, one.within), one)
    return [one for one in found.values() if not _is_covered(one, found)]


def _all(session: Session, stages: Sequence[Stage]) -> Iterator[Tracked]:
    for stage in stages:
        recorded = recorded_outs(session, stage)
        for out in stage.outs:
            if out.cache:
                yield _tracked(stage, out, recorded.get(out.path, {}))


def recorded_outs(session: Session, stage: Stage) -> dict[str, dict[str, Any]]:
    """Return what the `.dvc` file, or the lock, says of a stage's outputs, by path."""
    entry = stage.recorded if stage.recorded is not None else session.locks.entry(stage)
    return entry_items(entry, "outs")


def _tracked(stage: Stage, out: Out, recorded: dict[str, Any]) -> Tracked:
    return Tracked(
        stage,
        out,
        md5=recorded.get("md5"),
        size=recorded.get("size"),
        nfiles=recorded.get("nfiles"),
        isexec=bool(recorded.get("isexec")),
        remote=out.remote,
        legacy=bool(recorded) and (recorded.get("hash") != "md5" or "cloud" in recorded),
    )


def _named(
    session: Session,
    everything: Mapping[str, Tracked],
    target: str,
    with_deps: bool,
    recursive: bool,
) -> list[Tracked]:
    path = os.path.abspath(target)
    holder = _holder(everything, path)
    if holder is not None:
        part = None if path == holder.path else os.path.relpath(path, holder.path)
        found = [holder._replace(within=part)]
    else:
        if recursive and os.path.isdir(path):
            return [one for one in everything.values() if inside(one.path, path)]
        stages = find_stages(session.declared, [target])
        found = list(_all(session, stages))
    if with_deps:
        order = order_stages(session.graph, [one.stage for one in found])
        named = {one.stage.key for one in found}
        found += _all(session, [stage for stage in order if stage.key not in named])
    return found


def _holder(everything: Mapping[str, Tracked], path: str) -> Tracked | None:
    """Return the output at a path, or the directory that holds it."""
    if path in everything:
        return everything[path]
    while (parent := os.path.dirname(path)) != path:
        if parent in everything and (everything[parent].md5 or "").endswith(".dir"):
            return everything[parent]
        path = parent
    return None


def _expanded(session: Session, targets: Sequence[str]) -> list[str]:
    known = [os.path.relpath(one.path) for one in _all(session, session.declared.stages)]
    known += [stage.address(os.getcwd()) for stage in session.declared.stages]
    found = []
    for target in targets:
        near = [name for name in known if fnmatch.fnmatchcase(name, target)]
        if not near:
            raise UsageError(f"nothing that is tracked matches '{target}'", hint="see: mlx ls -R .")
        found += near
    return found


def _is_covered(one: Tracked, found: dict[tuple[str, str, str | None], Tracked]) -> bool:
    """Tell whether a part is wanted of a directory that is wanted as a whole, too."""
    return one.within is not None and (one.stage.key, one.out.abs, None) in found
