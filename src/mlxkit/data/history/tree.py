"""A commit's files, and what only DVC can make of some: templates and ignore rules.

DVC reads files from a folder, so the few that matter are laid out in a temporary one. What it makes
of them depends on Git's objects alone and is remembered by their ids.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.core.files import scratch_folder
from mlxkit.core.memory import cache_path, recall, remember
from mlxkit.tools import dvc

_SKIPPED = frozenset({".git", ".hg", ".dvc", ".mlx"})
_VARIABLES = (".yaml", ".yml", ".json", ".toml", ".py")
_KEPT = 500
_FORMAT = 3
_DECLARED = ("stages", "metrics", "params", "plots", "artifacts")


class Tree(NamedTuple):
    """The files of a commit: ids by path below the project's root, and how to read them."""

    rev: str
    files: Mapping[str, str]
    read: Callable[[list[str]], Mapping[str, bytes]]

    def content(self, path: str) -> bytes:
        """Return one file's bytes."""
        return self.read([self.files[path]])[self.files[path]]


def visible(root: str, tree: Tree) -> list[str]:
    """Return the files that declare something and that DVC sees, a folder's own files first.

    What ignore files hide is told by DVC, and remembered in the project at `root`.
    """
    inner = {path.split("/.dvc/")[0] + "/" for path in tree.files if "/.dvc/" in path}
    found = [
        path
        for path in tree.files
        if (path.endswith((".dvc", "/dvc.yaml")) or path == "dvc.yaml")
        and _SKIPPED.isdisjoint(path.split("/"))
        and not any(path.startswith(folder) for folder in inner)
    ]
    found.sort(key=lambda path: (os.path.dirname(path).split("/"), path))
    rules = [path for path in tree.files if os.path.basename(path) == ".dvcignore"]
    if any(says_something(tree.content(path)) for path in rules):
        return _not_ignored(root, tree, rules, found)
    return found


def _not_ignored(root: str, tree: Tree, rules: list[str], found: list[str]) -> list[str]:
    key = _key(found, tree, rules)
    store = cache_path(root, "ignored.json")
    known = recall(store)
    if key not in known:
        with _laid_out(tree, rules) as folder:
            keep = dvc.ignore_filter(folder)
            known[key] = [path for path in found if not _kept(keep, folder, path)]
        remember(store, known, newest=_KEPT)
    hidden = frozenset(known[key])
    return [path for path in found if path not in hidden]


def _key(asked: Any, tree: Tree, paths: Iterable[str]) -> str:
    """Return a digest of what DVC is asked of some files."""
    about = [_FORMAT, dvc.signature(), asked, [[path, tree.files[path]] for path in paths]]
    return md5_bytes(json.dumps(about).encode())


def needs_resolver(data: Mapping[str, Any], raw: bytes) -> bool:
    """Tell whether a `dvc.yaml` has templates, which DVC has to fill in."""
    stages = data.get("stages") or {}
    return (
        b"${" in raw
        or "vars" in data
        or any(
            isinstance(stage, dict) and {"foreach", "matrix", "vars"} & stage.keys()
            for stage in stages.values()
        )
    )


def resolve(root: str, config: dict[str, Any], tree: Tree, path: str) -> dict[str, Any]:
    """Return what the `dvc.yaml` at `path` declares, with its templates filled in by DVC."""
    text = tree.content(path).decode("utf-8", "replace")
    chosen = [path, *_variables(tree, text)]
    key = _key([path, config.get("parsing")], tree, chosen)
    store = cache_path(root, "templates.json")
    known = recall(store)
    if key not in known:
        with _laid_out(tree, chosen) as folder:
            resolved, _ = dvc.resolve_project_file(folder, config, f"{folder}/{path}", text)
        known[key] = {kind: resolved[kind] for kind in _DECLARED}
        remember(store, known, newest=_KEPT)
    return dict(known[key])


def _variables(tree: Tree, text: str) -> list[str]:
    """Return the files that templates may take values from: those it names, and the defaults."""
    named_by_template = re.search(r"vars:[^\n]*\$\{|^\s*- *[\"']?[^\s:]*\$\{", text, re.MULTILINE)
    return [
        path
        for path in tree.files
        if path.endswith(_VARIABLES)
        and (
            named_by_template
            or os.path.basename(path) == "params.yaml"
            or os.path.basename(path) in text
        )
    ]


@contextmanager
def _laid_out(tree: Tree, paths: Iterable[str]) -> Iterator[str]:
    # A tree object may come from anyone: no file may be laid out above the folder.
    chosen = [path for path in paths if ".." not in path.split("/")]
    texts = tree.read([tree.files[path] for path in chosen])
    with scratch_folder("mlx-revision-") as temporary:
        folder = os.path.realpath(temporary)
        os.makedirs(os.path.join(folder, ".dvc"))
        for path in chosen:
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(texts[tree.files[path]])
        yield folder


def says_something(raw: bytes) -> bool:
    """Tell whether an ignore file has any pattern: DVC's own starts with comments only."""
    lines = (line.strip() for line in raw.splitlines())
    return any(line and not line.startswith(b"#") for line in lines)


def _kept(keep: dvc.IgnoreFilter, root: str, path: str) -> bool:
    folder = root
    *folders, name = path.split("/")
    for one in folders:
        if not keep(folder, [one], [])[0]:
            return False
        folder = os.path.join(folder, one)
    return bool(keep(folder, [], [name])[1])
