"""Compares what was seen of a stage with what it declares; pure."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mlxkit.pipeline.spec import inside
from mlxkit.trace import findings as kinds
from mlxkit.trace.events import Seen
from mlxkit.trace.findings import Finding
from mlxkit.trace.place import Declared, source_of

_LOCAL = ("127.", "0.0.0.0:", "[::1]:", "[::]:", "localhost:", "[::ffff:127.")
MEANWHILE = "meanwhile"
_DONE = {
    "new": "written",
    "changed": "changed",
    "removed": "removed or moved away",
    MEANWHILE: "changed while it ran; only strace tells by whom, so it is left",
}
_OURS = ("MLX_", "DVC_ROOT", "DVC_STAGE")


class Facts(NamedTuple):
    """What the file system and Git say of the paths that were seen; all paths absolute."""

    top: str
    wdir: str
    sources: frozenset[str]
    """All files read, bytecode as its source."""
    inputs: Mapping[str, str]
    """Those that count and are not declared, with the line of code."""
    folders: frozenset[str]
    """Folders listed that count: Git or DVC keeps something in them."""
    outputs: Mapping[str, str]
    """Paths written that count and that Git does not ignore, with what was done."""
    loose: frozenset[str]
    """Those of the inputs that neither Git nor DVC keeps."""
    param_files: frozenset[str]
    owners: Mapping[str, str]
    """Outputs of other stages, and whose they are."""
    metrics: frozenset[str]
    """Outputs of other stages that are metrics."""
    blank: frozenset[str]
    """Deps that are sources without code."""


def inputs_missing(stage: str, seen: Seen, declared: Declared, facts: Facts) -> Iterator[Finding]:
    """Yield what the stage reads and does not declare; of a folder that it lists, the folder."""
    missing = dict(facts.inputs)
    folders = [one for one in facts.folders if _is_input(one, declared, facts)]
    for folder in sorted(folders):
        if any(folder != other and inside(folder, other) for other in folders):
            continue
        count = sum(inside(path, folder) for path in missing)
        missing = {path: one for path, one in missing.items() if not inside(path, folder)}
        read = f", and {count} of its files read" if count else ""
        by = _by(seen.lists[folder])
        yield Finding(kinds.UNDECLARED_INPUT, stage, folder, f"listed{by}{read}", True)
    for path, where in sorted(missing.items()):
        why = f"read{_by(where)}"
        if path in facts.param_files:
            why += "; declare the keys that it uses under `params`"
        elif path in facts.loose:
            why += "; neither Git nor DVC keeps it"
        addable = path not in facts.param_files
        yield Finding(kinds.UNDECLARED_INPUT, stage, path, why, addable)


def _is_input(folder: str, declared: Declared, facts: Facts) -> bool:
    """Tell whether the list of a folder is an input: nothing in it is declared one by one."""
    if inside(facts.wdir, folder) or declared.covers(folder):
        return False
    named = (*declared.deps, *declared.params, *declared.outs)
    return not any(inside(one, folder) for one in named)


def deps_unused(
    stage: str, seen: Seen, declared: Declared, facts: Facts
) -> tuple[list[Finding], list[str]]:
    """Return the deps that nothing was read of, apart from those it only waits for, as sentences.

    A metric of another stage that is never read is a check that must have passed before.
    """
    used = {*facts.sources, *seen.lists}
    missed = [dep for dep in declared.names if not any(inside(path, dep) for path in used)]
    real = {os.path.realpath(path) for path in used} if missed else set()
    found, waits = [], []
    for dep in missed:
        place = os.path.realpath(dep)
        if dep in facts.blank or any(inside(path, place) for path in real):
            continue
        if dep in facts.metrics:
            name = os.path.relpath(dep)
            waits.append(f"'{name}' is never read: the stage waits for {facts.owners[dep]}")
            continue
        why = "declared, and nothing of it was read"
        instead = next((one for one in seen.reads if _same_elsewhere(one, dep, facts)), None)
        if instead is not None:
            why += f"; read was {source_of(instead)}: another copy is installed"
        found.append(Finding(kinds.UNUSED_DEP, stage, dep, why))
    return found, waits


def _same_elsewhere(path: str, dep: str, facts: Facts) -> bool:
    """Tell whether a source read is that of another checkout of the project."""
    if not dep.endswith(".py") or inside(path, facts.top):
        return False
    return source_of(path).endswith(os.sep + os.path.relpath(dep, facts.top))


def split_by_sight(
    unused: Iterable[Finding], seen: Seen, others: Iterable[str]
) -> tuple[list[Finding], list[str]]:
    """Split unused deps, where only Python was watched, into findings and what is not known.

    Compiled code and other programs open files unseen; modules are always opened by Python.
    """
    blind = sorted({*seen.native, *others})
    sure = [one for one in unused if not blind or one.what.endswith(".py")]
    rest = [os.path.relpath(one.what) for one in unused if one not in sure]
    if not rest:
        return sure, []
    shown = ", ".join(blind[:3]) + (", ..." if len(blind) > 3 else "")
    return sure, [f"whether it reads {', '.join(rest)} is not known without strace: {shown} may"]


def outputs_missing(stage: str, seen: Seen, declared: Declared, facts: Facts) -> Iterator[Finding]:
    """Yield what the stage writes and does not declare."""
    for path, how in sorted(facts.outputs.items()):
        if any(inside(path, out) for out in declared.outs):
            continue
        why = _DONE[how]
        why += _by(seen.writes.get(path, ""))
        owner = next((one for out, one in facts.owners.items() if inside(path, out)), None)
        if owner is not None:
            why += f"; it is an output of {owner}"
        yield Finding(kinds.UNDECLARED_OUTPUT, stage, path, why)


def variables(stage: str, seen: Seen, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the variables that code of the repository asks for; their values are not told."""
    for name, where in sorted(seen.variables.items()):
        if not name.startswith(_OURS):
            state = "set" if name in env else "not set"
            why = f"read{_by(where)} ({state} here); nothing declares it"
            yield Finding(kinds.ENV_VARIABLE, stage, name, why)


def network(stage: str, seen: Seen) -> tuple[list[Finding], list[str]]:
    """Return the connections to elsewhere, and the addresses on this machine."""
    found, local = [], []
    for address, where in sorted(seen.connects.items()):
        if address.startswith(_LOCAL):
            local.append(address)
        else:
            why = f"connected{_by(where)}; what it answers is no declared input"
            found.append(Finding(kinds.NETWORK, stage, address, why))
    return found, local


def _by(where: str) -> str:
    if not os.path.isabs(where):
        return f" by {where}" if where else ""
    file, _, line = where.rpartition(":")
    return f" by {os.path.relpath(file)}:{line}"
