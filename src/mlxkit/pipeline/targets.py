"""Finds the stages that a user names, with DVC's rules, and the order to work on them."""

import difflib
import fnmatch
import os
from collections.abc import Sequence

from mlxkit.core.errors import UsageError
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.spec import Stage, inside


def find_stages(
    declared: Declared, targets: Sequence[str], *, recursive: bool = False, glob: bool = False
) -> list[Stage]:
    """Return the stages that `targets` name, seen from the current folder.

    A target is a stage, `file:stage`, a `dvc.yaml` or `.dvc` file, a group of `foreach` or
    `matrix`, a path that a stage writes, or, with `recursive`, a folder; with `glob`, stage names
    may have wildcards. Raises UsageError, naming the nearest, for one that is nothing of these.
    """
    found: dict[str, Stage] = {}
    for target in targets:
        for stage in _find(declared, target, recursive, glob):
            found.setdefault(stage.key, stage)
    return list(found.values())


def order_stages(
    graph: Graph,
    chosen: Sequence[Stage],
    *,
    single: bool = False,
    pipeline: bool = False,
    everything: bool = False,
    downstream: bool = False,
) -> list[Stage]:
    """Return what `dvc repro` would go through, in its order; `graph` is the active one."""
    keys = [stage.key for stage in chosen]
    if everything or (not keys and not single):
        order = graph.post_order()
    elif pipeline:
        order = graph.post_order(graph.pipeline(keys))
    elif single:
        order = keys
    elif downstream:
        order = graph.post_order(graph.downstream(keys))
    else:
        order = graph.post_order(graph.upstream(keys))
    return [graph.stages[key] for key in order]


def addresses(declared: Declared) -> list[str]:
    """Return the names of all stages as seen from the current folder."""
    return [stage.address(os.getcwd()) for stage in declared.stages]


def _find(declared: Declared, target: str, recursive: bool, glob: bool) -> list[Stage]:
    path = os.path.abspath(target)
    if recursive and os.path.isdir(path):
        return [stage for stage in declared.stages if inside(stage.file, path)]
    file, name = _split(target)
    of_file = [stage for stage in declared.stages if stage.file == file]
    if name is None:
        if of_file or file in declared.files:
            return of_file
    else:
        named = _named(declared, of_file, file, name, glob)
        if named:
            return named
    made = [stage for stage in declared.stages if any(inside(path, out.abs) for out in stage.outs)]
    if made:
        return made
    raise _unknown(declared, target)


def _split(target: str) -> tuple[str, str | None]:
    """Split `file:stage`; a bare name is a stage of the `dvc.yaml` here, or a file."""
    head, colon, tail = target.rpartition(":")
    if colon and "/" not in tail:
        return os.path.abspath(head or "dvc.yaml"), tail or None
    if target.endswith(".dvc") or os.path.basename(target) == "dvc.yaml":
        return os.path.abspath(target), None
    return os.path.abspath("dvc.yaml"), target


def _named(
    declared: Declared, of_file: list[Stage], file: str, name: str, glob: bool
) -> list[Stage]:
    if name in declared.groups.get(file, ()):
        return [stage for stage in of_file if (stage.name or "").startswith(f"{name}@")]
    if glob:
        return [stage for stage in of_file if fnmatch.fnmatchcase(stage.name or "", name)]
    return [stage for stage in of_file if stage.name == name]


def _unknown(declared: Declared, target: str) -> UsageError:
    known = addresses(declared)
    groups = [one for names in declared.groups.values() for one in names]
    near = difflib.get_close_matches(target, [*known, *groups], n=1, cutoff=0.5)
    if near:
        hint = f"did you mean '{near[0]}'?"
    elif known:
        hint = "there are: " + ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    else:
        hint = "the project has no stages yet: add one to dvc.yaml"
    return UsageError(f"there is no stage, file or output '{target}'", hint=hint)
