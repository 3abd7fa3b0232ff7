"""`.dvc` files, as DVC writes them: what people wrote in one stays as it is."""

import os
from typing import Any

from mlxkit.core.yaml import dumps, load
from mlxkit.store.tree import Content

_OURS = ("md5", "size", "nfiles", "isexec")
_PLAIN = {"outs", "meta", "desc", "wdir"}


def is_plain(data: dict[str, Any]) -> bool:
    """Tell whether a `.dvc` file says nothing that DVC itself must judge.

    That is: one output in the cache, its digest in DVC 3's form, no import and no command.
    """
    outs = data.get("outs") or []
    return (
        set(data) <= _PLAIN
        and len(outs) == 1
        and outs[0].get("hash") == "md5"
        and outs[0].get("cache", True)
        and not {"files", "cloud", "fs_config", "etag", "version_id"} & set(outs[0])
    )


def new_text(path: str, content: Content) -> str:
    """Return the text of a new `.dvc` file beside its data, whose name is `path`."""
    return dumps({"outs": [{**recorded(content), "hash": "md5", "path": path}]})


def updated_text(text: str, content: Content) -> str:
    """Return the text of a plain `.dvc` file with what is recorded of its output replaced."""
    data = load(text)
    if dumps(data) == text:
        _update(data["outs"][0], content)
        return dumps(data)
    # It has comments, or a form of its own.
    from mlxkit.core.yaml_ruamel import dump, parse_for_update

    data = parse_for_update(text)
    _update(data["outs"][0], content)
    return dump(data)


def recorded(content: Content) -> dict[str, Any]:
    """Return what is recorded of a path's content, in DVC's order."""
    found: dict[str, Any] = {"md5": content.md5, "size": content.size}
    if content.nfiles is not None:
        found["nfiles"] = content.nfiles
    if content.isexec:
        found["isexec"] = True
    return found


def place(path: str) -> str:
    """Return where the `.dvc` file of a path lies."""
    return path.rstrip(os.sep) + ".dvc"


def _update(out: Any, content: Content) -> None:
    now = recorded(content)
    for key, value in now.items():
        if out.get(key) != value:
            out[key] = value
    for key in _OURS:
        if key in out and key not in now:
            del out[key]
