"""What a user means by NAME, NAME@VERSION or NAME#STAGE; the nearest names where it is nothing."""

import difflib
import posixpath
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git, git_remote
from mlxkit.versions.grammar import LATEST, model_named, to_version
from mlxkit.versions.state import Assigned, Model, Registered, models
from mlxkit.versions.tags import list_events


class Registry(NamedTuple):
    """All models of a repository; `notes` are on tags that do not count."""

    git_root: str
    models: Mapping[str, Model]
    notes: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """What was named: a commit of a model, by its version or by the stage that it is in."""

    model: Model
    commit: str
    version: Registered | None
    assigned: Assigned | None = None

    @property
    def shown(self) -> str:
        """Return its name for people: `census@v1.2.0`."""
        name = self.version.name if self.version else self.commit[:7]
        return f"{self.model.name}@{name}"

    @property
    def path(self) -> str | None:
        """Return its path from the project's root, if its tag says so: anyone can write a tag."""
        told = str(self.version.event.told.get("path") or "") if self.version else ""
        if not told or posixpath.isabs(told) or ".." in told.split("/"):
            return None
        return posixpath.normpath(told)


def read_registry(git_root: str) -> Registry:
    """Return what the tags say; raises MlxError."""
    listed = list_events(git_root)
    return Registry(git_root, models(listed.events), tuple(listed.notes))


def find_model(registry: Registry, name: str, folder: str = "") -> Model:
    """Return a model; `folder` is that of the project, whose models need no prefix.

    Where no other has it, the last part of a name will do. Raises UsageError.
    """
    plain = _plain(name)
    for one in (f"{folder}:{plain}" if folder else plain, plain):
        if one in registry.models:
            return registry.models[one]
    inner = [one for one in registry.models if one.rpartition(":")[2] == plain]
    if len(inner) == 1:
        return registry.models[inner[0]]
    if inner:
        raise UsageError(
            f"several models are called '{name}'", hint=f"name one: {', '.join(inner)}"
        )
    hint = _nearest(name, registry.models, "models") or (
        f"no tag here registers one{_elsewhere(registry.git_root)}; "
        f"register it: mlx model register {name}"
    )
    raise UsageError(f"there is no model '{name}'", hint=hint)


def knows(registry: Registry, name: str) -> bool:
    """Tell whether there is a model, or are several, that `find_model` may find by a name."""
    plain = _plain(name)
    return any(plain in (one, one.rpartition(":")[2]) for one in registry.models)


def choose(
    registry: Registry, what: str, folder: str = "", *, latest: bool = True, gone: bool = False
) -> Chosen:
    """Return what NAME@VERSION, NAME@latest or NAME#STAGE is; with `latest` also NAME alone.

    With `gone` also a version that was taken back. Raises UsageError, and MlxError where its
    commit is not here.
    """
    mark = next((one for one in what if one in "@#"), "")
    name, _, which = what.partition(mark or "@")
    model = find_model(registry, name, folder)
    if not mark and not latest:
        raise UsageError(
            f"'{what}' does not say which version",
            hint=f"write {what}@latest, {what}@VERSION, or {what}#STAGE",
        )
    if mark == "#":
        chosen = _in_stage(model, which)
    elif mark and which not in LATEST:
        chosen = _of_version(model, which, gone)
    else:
        greatest = model.latest
        if greatest is None:
            raise UsageError(f"no version of '{name}' is registered")
        chosen = Chosen(model, greatest.commit, greatest)
    if git.commit_id(registry.git_root, chosen.commit) is None:
        raise MlxError(
            f"the commit of {chosen.shown}, {chosen.commit[:12]}, is not in this repository",
            hint="fetch it: git fetch --tags" + _shallow(registry.git_root),
        )
    return chosen


def commit_named(git_root: str, rev: str, folder: str = "") -> str | None:
    """Return the commit of a revision of Git's, or of a model's version or stage; None for neither.

    Raises UsageError for a version or a stage that a model has not.
    """
    found = git.commit_id(git_root, rev)
    model = model_named(rev) if found is None else None
    if model is None:
        return found
    registry = read_registry(git_root)
    return choose(registry, rev, folder, gone=True).commit if knows(registry, model) else None


def _plain(name: str) -> str:
    """Return a name that was given as DVC also takes it: `sub/dvc.yaml:census`."""
    return name.replace("/dvc.yaml:", ":").removeprefix("dvc.yaml:")


def _of_version(model: Model, text: str, gone: bool) -> Chosen:
    version = to_version(text)
    found = model.find(version)
    if found is None:
        there = [one.name for one in model.active]
        raise UsageError(
            f"'{model.name}' has no version {version.tag}",
            hint=_nearest(version.tag, there, "versions") or f"see: mlx model show {model.name}",
        )
    if not (found.active or gone):
        raise UsageError(f"{model.name}@{found.name} was taken back: it is deregistered",
                         hint=f"see: mlx model history {model.name}")  # fmt: skip
    return Chosen(model, found.commit, found)


def _in_stage(model: Model, stage: str) -> Chosen:
    found = model.stages.get(stage)
    if found is None:
        hint = _nearest(stage, model.stages, "stages") or (
            f"none is in any stage yet: mlx model promote {model.name}@VERSION --to STAGE"
        )
        raise UsageError(f"no version of '{model.name}' is in stage '{stage}'", hint=hint)
    return Chosen(model, found.commit, model.at(found.commit), found)


def _nearest(name: str, known: Iterable[str], what: str) -> str | None:
    there = list(known)
    near = difflib.get_close_matches(name, there, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    some = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
    return f"{what}: {some}" if there else None


def _elsewhere(git_root: str) -> str:
    """Say how tags come that a remote may have."""
    more = "; fetch those of others: git fetch --tags"
    return _shallow(git_root) or (more if git_remote.remote_names(git_root) else "")


def _shallow(git_root: str) -> str:
    told = git.run(git_root, "rev-parse", "--is-shallow-repository", ok=(0, 128)).strip()
    return "; this clone is shallow: git fetch --unshallow --tags" if told == b"true" else ""
