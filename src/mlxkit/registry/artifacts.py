"""Declares a model under `artifacts:` of a dvc.yaml, as text."""

import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic


def snippet(name: str, path: str) -> str:
    """Return what declares a model, as it may be written into dvc.yaml; `path` is from there."""
    return f"artifacts: {{{name.rpartition(':')[2]}: {{path: {_scalar(path)}, type: model}}}}"


def declare(root: str, file: str, name: str, path: str) -> None:
    """Add a model to a dvc.yaml as text, so that comments and layout stay; `path` is from there.

    Raises MlxError where the file's form does not allow it; then nothing is written.
    """
    place = os.path.join(root, file)
    by_hand = MlxError(
        f"{file} has a form that mlx does not change", hint=f"add by hand: {snippet(name, path)}"
    )
    try:
        with open(place, encoding="utf-8", newline="") as stream:
            text = stream.read()
    except FileNotFoundError:
        text = ""
    before = yaml.load(text, file) or {}
    if not isinstance(before, Mapping):
        raise by_hand
    new = with_artifact(text, before, name.rpartition(":")[2], path)
    try:
        after = yaml.load(new, file)
    except MlxError:
        raise by_hand from None
    wanted = {**(before.get("artifacts") or {})}
    wanted[name.rpartition(":")[2]] = {"path": path, "type": "model"}
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
