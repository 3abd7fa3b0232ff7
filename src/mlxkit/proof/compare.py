"""Compares what a rebuild made with what is recorded, and says why it differs (pure)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.pipeline.spec import Entry, Stage, entry_items
from mlxkit.proof.makers import is_legacy

IDENTICAL, WITHIN, DIFFERENT, FAILED = "identical", "within tolerance", "different", "failed"
_SHOWN = 3


class Output(NamedTuple):
    """One output of a stage: its digests and what comparing them said; `path` from the project."""

    stage: str
    path: str
    recorded: str | None
    rebuilt: str | None
    verdict: str


class Cause(NamedTuple):
    """Why a stage made something else: `kind` names the sort of it.

    One of not-locked, cmd, deps, params, env, shell, machine, persist, not-deterministic.
    """

    kind: str
    what: str


class Made(NamedTuple):
    """Where a stage ran: its environment's digest, its shell, its machine; None: not known."""

    env: str | None = None
    shell: str | None = None
    machine: str | None = None


def same_numbers(recorded: Any, rebuilt: Any, tolerance: float) -> bool:
    """Tell whether two metrics have the same keys, and values that differ by that much at most.

    The tolerance is absolute for numbers up to 1, relative to larger ones.
    """
    if isinstance(recorded, Mapping) and isinstance(rebuilt, Mapping):
        return recorded.keys() == rebuilt.keys() and all(
            same_numbers(recorded[key], rebuilt[key], tolerance) for key in recorded
        )
    if isinstance(recorded, list) and isinstance(rebuilt, list):
        return len(recorded) == len(rebuilt) and all(
            same_numbers(one, other, tolerance)
            for one, other in zip(recorded, rebuilt, strict=True)
        )
    if _is_number(recorded) and _is_number(rebuilt):
        if math.isnan(recorded) or math.isnan(rebuilt):
            return math.isnan(recorded) and math.isnan(rebuilt)
        return math.isclose(recorded, rebuilt, rel_tol=tolerance, abs_tol=tolerance)
    return bool(type(recorded) is type(rebuilt) and recorded == rebuilt)


def causes(
    stage: Stage,
    recorded: Entry | None,
    rebuilt: Entry,
    before: Made | None,
    now: Made,
    env_differences: Sequence[str],
) -> list[Cause]:
    """Say what else was not the same when a stage made something else, the likeliest first.

    `before` is None where no record tells of the run.
    """
    if recorded is None:
        return [Cause("not-locked", "the lock has nothing of it to compare with")]
    found = []
    if recorded.get("cmd") != rebuilt.get("cmd"):
        found.append(Cause("cmd", f"the recorded command is another: {_text(recorded.get('cmd'))}"))
    found += [Cause("deps", path) for path in _changed_deps(recorded, rebuilt)]
    found += [Cause("params", text) for text in _changed_params(recorded, rebuilt)]
    if env_differences:
        more = f" and {len(env_differences) - _SHOWN} more" if len(env_differences) > _SHOWN else ""
        found.append(Cause("env", ", ".join(env_differences[:_SHOWN]) + more))
    if before is not None:
        if before.shell and before.shell != now.shell:
            found.append(Cause("shell", f"$SHELL {before.shell} -> {now.shell}"))
        if before.machine and before.machine != now.machine:
            found.append(Cause("machine", f"{before.machine} -> {now.machine}"))
    if any(out.persist for out in stage.outs):
        found.append(Cause("persist", "it goes on from its own earlier output (persist: true)"))
    return found or [_chance(before)]


def _chance(before: Made | None) -> Cause:
    same = "the command, inputs and parameters are the same"
    if before is None:
        return Cause("not-deterministic", f"{same}; of the environment then there is no record")
    return Cause("not-deterministic", f"{same}, and so are environment and shell")


def _changed_deps(recorded: Entry, rebuilt: Entry) -> list[str]:
    before = entry_items(recorded, "deps")
    found = []
    for path, item in entry_items(rebuilt, "deps").items():
        was = before.get(path, {})
        if is_legacy(was) or was.get("md5") == item.get("md5"):
            continue
        # It held files that no commit has, such as bytecode: no sign of a change.
        if (was.get("nfiles") or 0) <= (item.get("nfiles") or 0):
            found.append(path)
    return found


def _changed_params(recorded: Entry, rebuilt: Entry) -> list[str]:
    before = recorded.get("params") or {}
    found = []
    for path, values in (rebuilt.get("params") or {}).items():
        was = before.get(path) or {}
        for key, value in values.items():
            if was.get(key) != value:
                found.append(f"{path}: {key}: {was.get(key)} -> {value}")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(cmd: Any) -> str:
    return " && ".join(cmd) if isinstance(cmd, list) else str(cmd)
