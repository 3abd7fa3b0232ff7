"""A recipe where it was recorded: its paths from the repository's top, and what makes it one."""

import hashlib
import os
import posixpath
from typing import NamedTuple

from mlxkit.lineage.recipe import Recipe, Used


class Placed(NamedTuple):
    """A recipe where it was recorded, with paths from the repository's top.

    `file` declares it: a `dvc.yaml` or `.dvc` file.
    """

    key: bytes
    file: str
    recipe: Recipe


def declaring(path: str) -> str:
    """Return the file that declares what `path` (a lock or `.dvc` file) records."""
    return path.removesuffix("lock") + "yaml" if path.endswith("dvc.lock") else path


def naming(file: str) -> str:
    """Return the file that records what `file` (a `dvc.yaml` or `.dvc` file) declares."""
    return file.removesuffix("yaml") + "lock" if file.endswith("dvc.yaml") else file


def wdir_of(recipe: Recipe, wdirs: dict[str, str]) -> str:
    """Return the folder that a recipe ran in, from that of its file."""
    if recipe.name is None or not wdirs:
        return recipe.wdir
    return wdirs.get(recipe.name) or wdirs.get(recipe.name.partition("@")[0], ".")


def place(path: str, recipe: Recipe, wdir: str) -> Placed:
    """Return a recipe of the file at `path` with its paths from the top."""
    base = posixpath.normpath(posixpath.join(os.path.dirname(path), wdir))
    placed = recipe._replace(
        deps=tuple(_moved(base, one) for one in recipe.deps),
        outs=tuple(_moved(base, one) for one in recipe.outs),
        params={from_top(base, file): values for file, values in recipe.params.items()},
        wdir=wdir,
    )
    return Placed(key_of(path, placed), declaring(path), placed)


def key_of(path: str, recipe: Recipe) -> bytes:
    """Return what makes a recipe, recorded at `path`, the same as another."""
    text = repr((path, recipe)).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=16).digest()


def _moved(base: str, one: Used) -> Used:
    return one._replace(path=from_top(base, one.path))


def from_top(base: str, path: str) -> str:
    """Return a path of a stage that runs in `base`, from the top; addresses stay as they are."""
    if base == "." and "/./" not in path and ".." not in path and path[:2] != "./":
        return path
    if "://" in path or path.startswith("/"):
        return path
    return posixpath.normpath(posixpath.join(base, path))
