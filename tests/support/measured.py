"""Random histories of metrics and parameters, as Git and the cache hold them after real runs."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
import yaml
from hypothesis import strategies as st

KEYS = st.sampled_from(["a", "b", "loss", "n"])
LEAVES = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, 1e-07, 2.5e20, float("nan"), float("inf"), float("-inf")]),
    st.booleans(),
    st.sampled_from(["x", "1", "[1]", "true", "", "ä"]),
)
VALUES = st.recursive(
    LEAVES | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
TREES = st.dictionaries(KEYS, VALUES, max_size=4)
ODD = ["{", "", "3.5", "[1, 2]", "[7]", '"text"', "null", "a: 1\n", "\xff", "- 1\n"]
METRICS = ["m.json", "m.yaml", "m.toml", "m.test.json", "d/x.json", "d/y.yaml", "sub/s.json"]
PARAMS = ["params.yaml", "p.json", "p.toml", "sub/params.yaml"]
FOLDER = "d"


@dataclass
class Version:
    """What one revision has: files of Git's, files that only the cache has, and declarations."""

    files: dict[str, str] = field(default_factory=dict)
    cached: dict[str, str] = field(default_factory=dict)
    used: dict[str, list[Any]] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    variables: bool = False


@st.composite
def versions(draw: st.DrawFn) -> list[Version]:
    """Some versions of one project, each a few edits after the one before."""
    history = [draw(_version(Version()))]
    for _ in range(draw(st.integers(1, 2))):
        history.append(draw(_version(history[-1])))
    return history


@st.composite
def _version(draw: st.DrawFn, before: Version) -> Version:
    new = Version(
        dict(before.files), dict(before.cached), dict(before.used), before.metrics, before.params
    )
    for path in METRICS + PARAMS:
        if before.used and draw(st.booleans()):
            continue
        new.files.pop(path, None)
        new.cached.pop(path, None)
        kind = draw(st.sampled_from(["git", "git", "cache", "none"]))
        if kind == "git" or (kind == "cache" and path in PARAMS):
            new.files[path] = draw(_text(path))
        elif kind == "cache":
            new.cached[path] = draw(_text(path))
    if not before.used or draw(st.booleans()):
        keys = st.sampled_from(["a", "b", "loss", "a.b", "n.a", "missing"])
        new.used = {
            path: draw(st.lists(keys, max_size=3, unique=True))
            for path in draw(st.lists(st.sampled_from(PARAMS), max_size=3, unique=True))
        }
        new.metrics = draw(st.lists(st.sampled_from([*METRICS, FOLDER]), max_size=2, unique=True))
        new.params = draw(st.lists(st.sampled_from(PARAMS), max_size=2, unique=True))
        new.variables = draw(st.booleans())
    return new


@st.composite
def _text(draw: st.DrawFn, path: str) -> str:
    # dvc reads no file of a folder at all whose params.yaml is broken, mlx what it can.
    if not path.endswith("params.yaml") and draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(ODD))
    values = draw(TREES)
    if path.endswith(".toml"):
        return tomlkit.dumps(values)
    if path.endswith(".json"):
        return json.dumps(values)
    return yaml.safe_dump(values, allow_unicode=True)


def lay_out(root: Path, version: Version) -> None:
    """Make the working tree what a version has; what only the cache has is not there."""
    for path in [*METRICS, *PARAMS, "dvc.yaml", "dvc.lock", "sub/dvc.yaml", "sub/dvc.lock"]:
        (root / path).unlink(missing_ok=True)
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    for path, text in version.files.items():
        _write(root / path, text.encode("latin-1" if text == "\xff" else "utf-8"))
    for folder in ("", "sub"):
        document, lock = _declared(root, version, folder)
        _write(root / folder / "dvc.yaml", yaml.safe_dump(document, sort_keys=False).encode())
        _write(root / folder / "dvc.lock", yaml.safe_dump(lock, sort_keys=False).encode())


def _declared(root: Path, version: Version, folder: str) -> tuple[Any, Any]:
    """Return a folder's dvc.yaml and dvc.lock; objects go to the cache."""
    stages: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    for path, how in _outputs(version).items():
        if os.path.dirname(path) != folder and not (folder == "" and path.startswith(FOLDER)):
            continue
        name = "s_" + "".join(one if one.isalnum() else "_" for one in path)
        here = os.path.relpath(path, folder or ".")
        stages[name] = {"cmd": "x", "metrics": [{here: {"cache": how == "cache"}}]}
        if how == "cache":
            entries[name] = {"cmd": "x", "outs": [{"path": here, **_store(root, version, path)}]}
    used = [{os.path.relpath(path, folder or "."): keys} for path, keys in version.used.items()]
    if used:
        stages["uses"] = {"cmd": "y", "params": used, "outs": ["o"]}
        entries["uses"] = {"cmd": "y", "outs": [{"path": "o", "hash": "md5", "md5": "0" * 32}]}
    document: dict[str, Any] = {"stages": stages}
    if folder == "":
        if version.variables:
            document["vars"] = [{"greeting": "hello"}]
            stages["says"] = {"cmd": "echo ${greeting}"}
        document["metrics"], document["params"] = version.metrics, version.params
    return document, {"schema": "2.0", "stages": entries}


def _outputs(version: Version) -> dict[str, str]:
    """Return which paths stages write, and where they are kept."""
    found: dict[str, str] = {}
    for path in METRICS:
        kept = "git" if path in version.files else "cache" if path in version.cached else ""
        top = FOLDER if path.startswith(FOLDER + "/") else path
        if kept and found.get(top) != "cache":
            found[top] = kept
    return {path: kept for path, kept in found.items() if path not in version.metrics}


def _store(root: Path, version: Version, path: str) -> Mapping[str, Any]:
    """Put an output into the cache; return its entry."""
    if path != FOLDER:
        text = version.cached[path]
        data = text.encode("latin-1" if text == "\xff" else "utf-8")
        return {"hash": "md5", "md5": _object(root, data), "size": len(data)}
    inner = {one: text for one, text in version.cached.items() if one.startswith(FOLDER + "/")}
    listed = [
        {"md5": _object(root, text.encode("latin-1" if text == "\xff" else "utf-8")),
         "relpath": one[len(FOLDER) + 1:]}
        for one, text in sorted(inner.items())
    ]  # fmt: skip
    md5 = _object(root, json.dumps(listed, sort_keys=True).encode(), ".dir")
    return {"hash": "md5", "md5": md5, "size": 1, "nfiles": len(listed)}


def _object(root: Path, data: bytes, end: str = "") -> str:
    md5 = hashlib.md5(data).hexdigest() + end
    _write(root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:], data)
    return md5


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
