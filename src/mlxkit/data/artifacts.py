"""`artifacts:` of dvc.yaml: which path a model is, at a commit."""

import posixpath
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlxkit.core import yaml
from mlxkit.data.history.tree import Tree
from mlxkit.tools import git

Resolve = Callable[[Tree, str], Mapping[str, Any]]
"""Returns the document of a dvc.yaml with its templates filled in; raises ProjectError."""


class Artifact(NamedTuple):
    """What a `dvc.yaml` says of a model: `path` is from the project's root, `file`'s, too."""

    file: str
    path: str | None
    type: str = ""
    desc: str = ""


def owner(git_root: str, commit: str, model: str, folder: str) -> str:
    """Return the folder of the project that a model belongs to: the nearest one of the commit.

    That is `folder`, the current project's, where the commit does not have any there.
    """
    places = [model.rpartition(":")[0]]
    while places[-1]:
        places.append(posixpath.dirname(places[-1]))
    asked = "".join(f"{commit}:{posixpath.join(one, '.dvc/config')}\n" for one in places)
    told = git.run(git_root, "cat-file", "--batch-check", stdin=asked.encode()).splitlines()
    there = (one for one, line in zip(places, told, strict=True) if line.split()[1:2] == [b"blob"])
    return next(there, folder)


def file_of(model: str, folder: str) -> str | None:
    """Return the dvc.yaml that declares a model, from the project's root; None: not in there.

    `folder` is the project's in the repository, which a model's full name begins with.
    """
    where = model.rpartition(":")[0]
    inner = posixpath.relpath(where or ".", folder or ".") if where else "."
    if inner.startswith(".."):
        return None
    return posixpath.normpath(posixpath.join(inner, "dvc.yaml"))


def artifact_at(tree: Tree, model: str, folder: str, resolve: Resolve) -> Artifact | None:
    """Return what a commit's dvc.yaml declares of a model, None for nothing.

    Raises ProjectError for a file that is broken, or whose templates cannot be filled in.
    """
    file = file_of(model, folder)
    if file is None or file not in tree.files:
        return None
    name = model.rpartition(":")[2]
    one = named(yaml.load(tree.content(file), f"{tree.rev}:{file}"), name)
    if one is not None and "${" in repr(one):
        one = named(resolve(tree, file), name)
    return None if one is None else _artifact(file, one)


def named(document: Any, name: str) -> Mapping[str, Any] | None:
    """Return what the document of a dvc.yaml declares under a name."""
    known = document.get("artifacts") if isinstance(document, Mapping) else None
    one = known.get(name) if isinstance(known, Mapping) else None
    return one if isinstance(one, Mapping) else None


def _artifact(file: str, one: Mapping[str, Any]) -> Artifact:
    path = one.get("path")
    inner = None
    if isinstance(path, str) and path:
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if inner.startswith("../") or posixpath.isabs(inner):
            inner = None
    return Artifact(file, inner, str(one.get("type") or ""), str(one.get("desc") or ""))
