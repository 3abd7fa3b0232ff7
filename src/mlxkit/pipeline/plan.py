"""Decides which stages must run, and why. Pure: the workspace is seen through a `Look`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from mlxkit.pipeline.spec import Entry, Out, Params, Stage, entry_items

_TOLD_KEYS = 3


class Reason(NamedTuple):
    """Why a stage runs: `kind` as in the command line's contract, `what` the path or key."""

    kind: str
    what: str
    detail: str = ""


class Look(Protocol):
    """What a decision may know of the workspace."""

    def md5(self, path: str) -> str | None:
        """Return the digest of a file or folder, None where there is none."""
        ...

    def values(self, params: Params) -> Mapping[str, Any] | None:
        """Return the parameters that are there, None where there is no file."""
        ...

    def cached(self, md5: str, size: int | None) -> bool:
        """Tell whether the cache holds the object."""
        ...


def why(
    stage: Stage,
    entry: Entry | None,
    look: Look,
    *,
    allow_missing: bool = False,
    upstream_outs: Mapping[str, str | None] | None = None,
    env_changes: Iterable[tuple[str, str]] = (),
) -> list[Reason]:
    """List the reasons why `stage` is not up to date with its lock entry; none means it is.

    With `allow_missing`, data that is only absent is no reason, unless the stage upstream now
    makes something else (`upstream_outs`: path to digest). `env_changes` are names and
    differences of what changed in the environment that the stage is run in.
    """
    found: list[Reason] = []
    if stage.cmd is not None and entry and entry.get("cmd") != stage.cmd:
        found.append(Reason("cmd-changed", "cmd"))
    if not stage.frozen:
        if stage.is_callback or stage.always:
            what = "always_changed" if stage.always else "no dependencies and no outputs"
            found.append(Reason("always", what))
        else:
            found += _deps(stage, entry, look, allow_missing, upstream_outs or {})
            for params in stage.params:
                found += _params(params, entry, look, allow_missing)
            found += [Reason("env-changed", what, detail) for what, detail in env_changes]
    for out in stage.outs:
        found += _out(out, entry, look, allow_missing)
    if found and not entry and stage.cmd is not None and found[0].kind != "always":
        return [Reason("new", stage.name or stage.file)]
    return found


def _deps(
    stage: Stage,
    entry: Entry | None,
    look: Look,
    allow_missing: bool,
    upstream_outs: Mapping[str, str | None],
) -> Iterator[Reason]:
    recorded = entry_items(entry, "deps")
    for dep in stage.deps:
        before = recorded.get(dep.path, {}).get("md5")
        now = look.md5(dep.abs)
        if now == before and now is not None:
            continue
        if now is None:
            made = upstream_outs.get(dep.abs, before)
            if allow_missing and made == before:
                continue
            yield Reason("dep-changed", dep.path, "missing")
        elif before is None:
            yield Reason("dep-changed", dep.path, "new" if entry else "")
        else:
            yield Reason("dep-changed", dep.path)


def _params(
    params: Params, entry: Entry | None, look: Look, allow_missing: bool
) -> Iterator[Reason]:
    now = look.values(params)
    if now is None:
        if not allow_missing:
            yield Reason("param-changed", params.path, "missing")
        return
    before = ((entry or {}).get("params") or {}).get(params.path)
    if before is None:
        yield Reason("param-changed", params.path, "new")
        return
    keys = params.keys or tuple(dict.fromkeys([*now, *before]))
    for key in keys:
        what = key if params.path == "params.yaml" else f"{params.path}:{key}"
        if key not in now:
            yield Reason("param-changed", what, "missing")
        elif key not in before:
            yield Reason("param-changed", what, "new")
        elif not same_value(now[key], before[key]):
            yield Reason("param-changed", what, _difference(before[key], now[key]))


def _difference(before: Any, now: Any) -> str:
    """Say how a value changed: of a mapping, only the keys that did."""
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return f"{before} -> {now}"
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    told = [f"{key}: {_difference(before.get(key), now.get(key))}" for key in keys[:_TOLD_KEYS]]
    return ", ".join(told) + (", ..." if len(keys) > _TOLD_KEYS else "")


def same_value(now: Any, recorded: Any) -> bool:
    """Compare; a tuple (from a Python file) equals the list that YAML keeps.

    DVC says so of the outermost tuple only: one inside another keeps its stage stale for ever.
    """
    return bool(now == recorded or _with_lists(now) == recorded)


def _with_lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def _out(out: Out, entry: Entry | None, look: Look, allow_missing: bool) -> Iterator[Reason]:
    recorded = entry_items(entry, "outs").get(out.path, {})
    before = recorded.get("md5")
    if before and out.cache and not look.cached(before, recorded.get("size")):
        if not allow_missing:
            there = look.md5(out.abs) is not None
            yield Reason("out-missing", out.path, "not in the cache" if there else "")
        return
    now = look.md5(out.abs)
    if now is None:
        if not allow_missing:
            yield Reason("out-missing", out.path)
    elif now != before:
        yield Reason("out-changed", out.path)
