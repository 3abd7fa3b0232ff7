"""What lock files record of stages at a revision, by stage, as users address it."""

import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.lockfile import parse
from mlxkit.pipeline.session import Session

Entries = Mapping[str, Mapping[str, Any]]
_FILE = "dvc.yaml"


def entries_at(revisions: Revisions, commit: str) -> dict[str, Mapping[str, Any]]:
    """Return the lock entries of a commit's stages; raises MlxError for a broken file."""
    tree = revisions.tree(commit)
    files = [path for path in tree.files if os.path.basename(path) == _FILE]
    texts = revisions.read([tree.files[path] for path in files])
    found: dict[str, Mapping[str, Any]] = {}
    for path in files:
        stages = revisions.lock(tree, _lock_of(path))
        found.update(_declared(path, texts[tree.files[path]], stages, f"{commit[:7]}:{path}"))
    return found


def entries_now(session: Session) -> dict[str, Mapping[str, Any]]:
    """Return the lock entries of the working tree's stages; raises MlxError."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in session.declared.files:
        if os.path.basename(file) == _FILE:
            path = os.path.relpath(file, session.root)
            stages = parse(_bytes(_lock_of(file)), _lock_of(path)).get("stages") or {}
            found.update(_declared(path, _bytes(file), stages, path))
    return found


def _declared(
    path: str, text: bytes, stages: Mapping[str, Any], where: str
) -> dict[str, Mapping[str, Any]]:
    """Return the entries of stages that are still declared; DVC leaves those of others in."""
    try:
        document = yaml.load(text, where)
    except MlxError:
        return {}
    declared = document.get("stages") if isinstance(document, Mapping) else None
    names = set(declared) if isinstance(declared, Mapping) else set()
    return {
        name if path == _FILE else f"{path}:{name}": entry
        for name, entry in stages.items()
        if name.partition("@")[0] in names and isinstance(entry, Mapping)
    }


def _lock_of(path: str) -> str:
    return path.removesuffix("yaml") + "lock"


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
