"""Makes a stage's entry in `dvc.lock`, in DVC's order of keys and items."""

from collections.abc import Mapping
from typing import Any

from mlxkit.pipeline.spec import DEFAULT_PARAMS, Entry, Stage
from mlxkit.store.tree import Content


def make_entry(
    stage: Stage,
    deps: Mapping[str, Content],
    params: Mapping[str, Mapping[str, Any]],
    outs: Mapping[str, Content],
) -> Entry:
    """Return the lock entry; the mappings are by path as written in the stage."""
    entry: Entry = {"cmd": stage.cmd}
    if deps:
        entry["deps"] = [_item(path, deps[path]) for path in sorted(deps)]
    if params:
        first = [DEFAULT_PARAMS] if DEFAULT_PARAMS in params else []
        files = [*first, *(path for path in sorted(params) if path != DEFAULT_PARAMS)]
        entry["params"] = {
            path: {key: params[path][key] for key in sorted(params[path])} for path in files
        }
    if outs:
        entry["outs"] = [_item(path, outs[path]) for path in sorted(outs)]
    return entry


def _item(path: str, content: Content) -> dict[str, Any]:
    item: dict[str, Any] = {
        "path": path,
        "hash": "md5",
        "md5": content.md5,
        "size": content.size,
    }
    if content.nfiles is not None:
        item["nfiles"] = content.nfiles
    if content.isexec:
        item["isexec"] = True
    return item
