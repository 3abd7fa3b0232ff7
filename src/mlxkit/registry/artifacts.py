"""`artifacts:` of dvc.yaml: which path a model is, at a commit; and how to declare one."""

import os
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.data.history.tree import Tree


class Artifact(NamedTuple):
    """What a `dvc.yaml` says of a model: `path` is from the project's root, `file`'s, too."""

    file: str
    path: str | None
    type: str = ""
    desc: str = ""


def file_of(model: str, folder: str) -> str | None:
    """Return the dvc.yaml that declares a model, from the project's root; None: not in there.

    `folder` is the project's in the repository, which a model's full name begins with.
    """
    where = model.rpartition(":")[0]
    inner = posixpath.relpath(where or ".", folder or ".") if where else "."
    if inner.startswith(".."):
        return None
    return posixpath.normpath(posixpath.join(inner, "dvc.yaml"))


def artifact_at(tree: Tree, model: str, folder: str) -> Artifact | None:
    """Return what a commit's dvc.yaml declares of a model; None for nothing, or a broken file."""
    file = file_of(model, folder)
    if file is None or file not in tree.files:
        return None
    try:
        document = yaml.load(tree.content(file), file)
    except MlxError:
        return None
    return _artifact(file, document, model.rpartition(":")[2])


def _artifact(file: str, document: Any, name: str) -> Artifact | None:
    known = document.get("artifacts") if isinstance(document, Mapping) else None
    one = known.get(name) if isinstance(known, Mapping) else None
    if not isinstance(one, Mapping):
        return None
    path = one.get("path")
    inner = None
    if isinstance(path, str) and path and "${" not in path:
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if inner.startswith("../") or posixpath.isabs(inner):
            inner = None
    return Artifact(file, inner, str(one.get("type") or ""), str(one.get("desc") or ""))


def snippet(name: str, path: str) -> str:
    """Return what declares a model, as it may be written into dvc.yaml."""
    return f"artifacts: {{{name.rpartition(':')[2]}: {{path: {_scalar(path)}, type: model}}}}"


def declare(root: str, file: str, name: str, path: str) -> None:
    """Add a model to a dvc.yaml as text, so that comments and layout stay.

    Raises MlxError where the file's form does not allow it; then nothing is written.
    """
    place = os.path.join(root, file)
    inner = posixpath.relpath(path, posixpath.dirname(file) or ".")
    by_hand = MlxError(
        f"{file} has a form that mlx does not change", hint=f"add by hand: {snippet(name, inner)}"
    )
    try:
        with open(place, encoding="utf-8", newline="") as stream:
            text = stream.read()
    except FileNotFoundError:
        text = ""
    before = yaml.load(text, file) or {}
    if not isinstance(before, Mapping):
        raise by_hand
    new = with_artifact(text, before, name.rpartition(":")[2], inner)
    try:
        after = yaml.load(new, file)
    except MlxError:
        raise by_hand from None
    wanted = {**(before.get("artifacts") or {})}
    wanted[name.rpartition(":")[2]] = {"path": inner, "type": "model"}
    if after != {**before, "artifacts": wanted}:
        raise by_hand
    write_atomic(place, new.encode())


def with_artifact(text: str, before: Mapping[str, Any], name: str, path: str) -> str:
    """Return the text of a dvc.yaml with one more artifact; the caller checks what it means."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    if not before.get("artifacts"):
        lines = [one for one in text.splitlines(keepends=True) if one.rstrip() != "artifacts:"]
        text = "".join(lines)
        space = newline if text else ""
        return f"{text}{space}artifacts:{newline}{_entry('  ', name, path, newline)}"
    lines = text.splitlines(keepends=True)
    start = next((at for at, one in enumerate(lines) if one.startswith("artifacts:")), None)
    if start is None:
        return text
    end = start + 1
    indent = "  "
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if line.strip() and not line[0].isspace() and not line.startswith("#"):
            break
        if line.strip() and line[0].isspace():
            if end == start + 1:
                indent = line[: len(line) - len(line.lstrip())]
            end = at + 1
    return "".join([*lines[:end], _entry(indent, name, path, newline), *lines[end:]])


def _entry(indent: str, name: str, path: str, newline: str) -> str:
    inner = indent + "  "
    lines = [f"{indent}{_scalar(name)}:", f"{inner}path: {_scalar(path)}", f"{inner}type: model"]
    return "".join(line + newline for line in lines)


def _scalar(text: str) -> str:
    """Return a text as YAML has it on one line."""
    return yaml.dumps({"k": text}).removeprefix("k:").strip()
