"""Turns a stage as DVC resolved it (plain data) into our `Stage`."""

import os
import re
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line
from mlxkit.pipeline.spec import DEFAULT_PARAMS, Dep, Needs, Out, Params, Stage, inside

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def pipeline_stages(root: str, file: str, resolved: dict[str, Any]) -> list[Stage]:
    """Return the stages of one `dvc.yaml`, in its order."""
    return [
        _pipeline_stage(root, file, name, _checked(file, name, data))
        for name, data in resolved.items()
    ]


def _checked(file: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Refuse what only templates can make of a stage: the schema saw it before they were filled."""
    cmd = data["cmd"]
    lines = cmd if isinstance(cmd, list) else [cmd]
    texts = {
        "cmd": lines,
        "deps": data.get("deps") or (),
        "wdir": [data.get("wdir") or "."],
    }
    for key, values in texts.items():
        for value in values:
            if not isinstance(value, str) or "\0" in value or not value.strip():
                raise ProjectError(
                    f"stage '{name}': `{key}` is no text: {value!r}",
                    where=os.path.relpath(file),
                    hint="check what its template stands for",
                )
    return data


def data_stage(root: str, file: str, data: dict[str, Any]) -> Stage:
    """Return the stage that a `.dvc` file stands for."""
    wdir = _resolve(os.path.dirname(file), data.get("wdir") or ".")
    recorded_outs = data.get("outs") or []
    outs = tuple(
        Out(
            path=_within(root, wdir, one["path"]),
            abs=_resolve(wdir, one["path"]),
            cache=one.get("cache", True),
            metric=bool(one.get("metric", False)),
            plot=bool(one.get("plot", False)),
            persist=one.get("persist", False),
            push=one.get("push", True),
            remote=one.get("remote"),
        )
        for one in recorded_outs
    )
    recorded = {
        "outs": [{**one, "path": _within(root, wdir, one["path"])} for one in recorded_outs]
    }
    return Stage(
        file=file,
        name=None,
        wdir=wdir,
        cmd=data.get("cmd"),
        outs=outs,
        frozen=data.get("frozen", False) or data.get("locked", False),
        always=data.get("always_changed", False),
        desc=data.get("desc"),
        recorded=recorded,
        delegated=_why_delegate_data(data),
    )


def _pipeline_stage(root: str, file: str, name: str, data: dict[str, Any]) -> Stage:
    wdir = _resolve(os.path.dirname(file), data.get("wdir") or ".")
    deps = tuple(
        Dep(_within(root, wdir, path), _resolve(wdir, path)) for path in data.get("deps") or ()
    )
    outs = tuple(
        _out(root, wdir, path, flags, kind)
        for kind in ("outs", "metrics", "plots")
        for path, flags in _merged(data.get(kind) or ()).items()
    )
    paths = [dep.path for dep in deps] + [out.path for out in outs]
    remote = [path for path in paths if _URL.match(path)]
    return Stage(
        file=file,
        name=name,
        wdir=wdir,
        cmd=data["cmd"],
        deps=deps,
        params=_params(wdir, data.get("params") or ()),
        outs=outs,
        frozen=data.get("frozen", False),
        always=data.get("always_changed", False),
        desc=data.get("desc"),
        needs=_stage_needs(file, name, data.get("meta")),
        env=_env(data.get("meta")),
        delegated=f"'{remote[0]}' is remote" if remote else None,
    )


def _out(root: str, wdir: str, path: str, flags: dict[str, Any], kind: str) -> Out:
    return Out(
        path=_within(root, wdir, path),
        abs=_resolve(wdir, path),
        cache=flags.get("cache", True),
        metric=kind == "metrics",
        plot=kind == "plots",
        persist=flags.get("persist", False),
        push=flags.get("push", True),
        remote=flags.get("remote"),
    )


def _merged(items: Any) -> dict[str, dict[str, Any]]:
    """Collect `- path` and `- path: {flag: value}`; the flags of a path named twice add up."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        for path, flags in ({item: {}} if isinstance(item, str) else item).items():
            found.setdefault(path, {}).update(flags)
    return found


def _params(wdir: str, items: Any) -> tuple[Params, ...]:
    """Collect parameter keys by file, as DVC does: naming a whole file wins over its keys."""
    whole = {
        file for item in items if isinstance(item, dict) for file, keys in item.items() if not keys
    }
    found: dict[str, list[str]] = {}
    for item in items:
        if isinstance(item, str):
            if DEFAULT_PARAMS not in whole:
                found.setdefault(DEFAULT_PARAMS, []).append(item)
            continue
        for file, keys in item.items():
            found.setdefault(file, []).extend(() if file in whole else keys)
    return tuple(Params(file, _resolve(wdir, file), tuple(keys)) for file, keys in found.items())


def _resolve(wdir: str, path: str) -> str:
    return path if _URL.match(path) else os.path.normpath(os.path.join(wdir, path))


def _within(root: str, wdir: str, path: str) -> str:
    """Return the path as lock files name it: an absolute one inside the project is relative."""
    if os.path.isabs(path) and inside(os.path.normpath(path), root):
        return os.path.relpath(path, wdir)
    return path


def _why_delegate_data(data: dict[str, Any]) -> str | None:
    """Tell which of a `.dvc` file's features only DVC can judge."""
    if data.get("cmd"):
        return "a pipeline stage in the format of DVC 1"
    if data.get("deps"):
        return "an import"
    for out in data.get("outs") or ():
        if out.get("hash") != "md5":
            return "data in the format of DVC 2"
        if out.get("files") or out.get("cloud") or _URL.match(out["path"]):
            return "data versioned by a cloud"
    return None


def _stage_needs(file: str, name: str, meta: Any) -> Needs:
    try:
        return _needs(meta, "")
    except ProjectError as error:
        try:
            with open(file, encoding="utf-8") as source:
                text = source.read()
        except OSError:
            text = ""
        group = name.partition("@")[0]
        line = key_line(text, ("stages", name)) or key_line(text, ("stages", group))
        shown = os.path.relpath(file)
        where = f"{shown}:{line}" if line else shown
        hint = f"correct {where}" if error.where == "" else error.hint
        known = (
            error.hint if error.hint and not error.hint.startswith(("see:", "correct")) else hint
        )
        raise ProjectError(f"stage '{name}': {error.message}", where=where, hint=known) from None


def _needs(meta: Any, where: str) -> Needs:
    """Read `meta: {mlx: {cpus, memory, gpus, exclusive}}`; raises ProjectError for nonsense."""
    ours = meta.get("mlx") if isinstance(meta, dict) else None
    if ours is None:
        return Needs()
    if not isinstance(ours, dict):
        raise ProjectError("`meta.mlx` is not a mapping", where=where)
    unknown = set(ours) - {"cpus", "memory", "gpus", "exclusive", "env"}
    if unknown:
        raise ProjectError(
            f"`meta.mlx` has an unknown key '{min(unknown)}'",
            where=where,
            hint="known keys: cpus, memory, gpus, exclusive, env",
        )
    _flag(ours.get("env", False), "env", where)
    return Needs(
        cpus=_number(ours.get("cpus", 0), "cpus", where),
        memory=_size(ours.get("memory", 0), where),
        gpus=_number(ours.get("gpus", 0), "gpus", where),
        exclusive=_flag(ours.get("exclusive", False), "exclusive", where),
    )


def _env(meta: Any) -> bool:
    """Tell whether the stage names its environment as an input; `_needs` has checked the value."""
    return isinstance(meta, dict) and bool((meta.get("mlx") or {}).get("env", False))


def _flag(value: Any, key: str, where: str) -> bool:
    if not isinstance(value, bool):
        raise ProjectError(f"`meta.mlx.{key}` is neither true nor false: {value!r}", where=where)
    return value


def _number(value: Any, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ProjectError(f"`meta.mlx.{key}` is not a number: {value!r}", where=where)
    return float(value)


def _size(value: Any, where: str) -> int:
    """Read a size in bytes: 1024, `512M`, `4G`, `4GiB`."""
    text = str(value).strip().lower().removesuffix("b").removesuffix("i")
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)", text)
    if match is None:
        raise ProjectError(
            f"`meta.mlx.memory` is not a size: {value!r}",
            where=where,
            hint="write it as 512M or 4G",
        )
    return int(float(match[1]) * _SIZES[match[2]])
