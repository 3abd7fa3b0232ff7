"""What a lock or `.dvc` file records of one stage, as plain data."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Used(NamedTuple):
    """A path as it is written in a recipe, with its digest (empty where there is none)."""

    path: str
    md5: str
    size: int | None = None


class Recipe(NamedTuple):
    """What a file records of one stage: paths as written there, relative to the stage's folder.

    `name` is None in a `.dvc` file, `cmd` where nothing is run. `wdir` is what a `.dvc` file says
    of its folder; that of a stage is in `dvc.yaml`.
    """

    name: str | None
    cmd: str | list[str] | None
    deps: tuple[Used, ...]
    params: dict[str, dict[str, Any]]
    outs: tuple[Used, ...]
    wdir: str = "."


class Unreadable(Exception):
    """The text is no lock file or `.dvc` file."""


def of_entry(name: Any, entry: Any, quick: dict[str, Any] | None = None) -> Recipe:
    """Return what a lock's entry says; `quick` has lists read already. Raises Unreadable."""
    if not isinstance(name, str) or not isinstance(entry, dict):
        raise Unreadable(f"stage {name!r} is not a mapping")
    quick = quick if quick is not None else {}
    return Recipe(
        name,
        _command(entry.get("cmd")),
        quick["deps"] if "deps" in quick else tuple(_items(entry.get("deps"))),
        _params(entry.get("params")),
        quick["outs"] if "outs" in quick else tuple(_items(entry.get("outs"))),
    )


def of_dvcfile(data: Any) -> Recipe:
    """Return what a parsed `.dvc` file says; raises Unreadable."""
    if not isinstance(data, dict):
        raise Unreadable("is not a mapping")
    wdir = data.get("wdir", ".")
    return Recipe(
        None,
        _command(data.get("cmd")),
        tuple(_items(data.get("deps"))),
        {},
        tuple(_items(data.get("outs"))),
        wdir if isinstance(wdir, str) else ".",
    )


def _command(cmd: Any) -> str | list[str] | None:
    if isinstance(cmd, list):
        return [str(one) for one in cmd]
    return None if cmd is None else str(cmd)


def _params(params: Any) -> dict[str, dict[str, Any]]:
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise Unreadable("'params' is not a mapping")
    return {str(file): dict(one) for file, one in params.items() if isinstance(one, dict)}


def _items(items: Any) -> Iterator[Used]:
    if items is None:
        return
    if not isinstance(items, list):
        raise Unreadable("a list of paths is none")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("path"), str):
            raise Unreadable("an item has no path")
        path = item["path"]
        md5, size = item.get("md5"), item.get("size")
        repo = item.get("repo")
        if isinstance(repo, dict) and md5 is None:
            rev = repo.get("rev_lock") or repo.get("rev")
            path = f"{repo.get('url')}{f'@{rev}' if rev else ''}:{path}"
        yield Used(
            path,
            str(md5) if isinstance(md5, str | int) else "",
            size if isinstance(size, int) else None,
        )
        for file in item.get("files") or ():  # versions of a cloud: each file is listed
            if isinstance(file, dict) and isinstance(file.get("relpath"), str):
                yield Used(f"{path}/{file['relpath']}", str(file.get("md5") or ""))
