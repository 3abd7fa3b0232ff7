"""What a user means by NAME, NAME@VERSION or NAME#STAGE; the nearest names where it is nothing."""

import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git
from mlxkit.versions.grammar import LATEST, to_version
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


def read_registry(git_root: str) -> Registry:
    """Return what the tags say; raises MlxError."""
    listed = list_events(git_root)
    return Registry(git_root, models(listed.events), tuple(listed.notes))


def find_model(registry: Registry, name: str, folder: str = "") -> Model:
    """Return a model; `folder` is that of the project, whose models need no prefix.

    Raises UsageError.
    """
    for one in (f"{folder}:{name}" if folder else name, name, _plain(name)):
        if one in registry.models:
            return registry.models[one]
    hint = _nearest(name, registry.models, "models") or (
        f"no tag registers one{_shallow(registry.git_root)}; register it: mlx model register {name}"
    )
    raise UsageError(f"there is no model '{name}'", hint=hint)


def choose(registry: Registry, what: str, folder: str = "", *, latest: bool = True) -> Chosen:
    """Return what NAME@VERSION, NAME@latest or NAME#STAGE is; with `latest` also NAME alone.

    Raises UsageError, and MlxError where its commit is not here.
    """
    name, at, version = what.partition("@")
    stage = ""
    if not at:
        name, mark, stage = what.partition("#")
        if not mark and not latest:
            raise UsageError(
                f"'{what}' does not say which version",
                hint=f"write {what}@VERSION, or {what}#STAGE",
            )
    model = find_model(registry, name, folder)
    if stage:
        chosen = _in_stage(model, stage)
    elif at and version not in LATEST:
        chosen = _of_version(model, version)
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


def _plain(name: str) -> str:
    """Return a name that was given as DVC also takes it: `sub/dvc.yaml:census`."""
    return name.replace("/dvc.yaml:", ":").removeprefix("dvc.yaml:")


def _of_version(model: Model, text: str) -> Chosen:
    version = to_version(text)
    found = model.find(version)
    if found is None:
        there = [one.name for one in model.active]
        raise UsageError(
            f"'{model.name}' has no version {version.tag}",
            hint=_nearest(version.tag, there, "versions") or f"see: mlx model show {model.name}",
        )
    if not found.active:
        raise UsageError(f"{model.name}@{found.name} was taken back: it is deregistered",
                         hint=f"see: mlx model history {model.name}")  # fmt: skip
    return Chosen(model, found.commit, found)


def _in_stage(model: Model, stage: str) -> Chosen:
    found = model.stages.get(stage)
    if found is None:
        hint = _nearest(stage, model.stages, "stages") or "no version of it is in any stage"
        raise UsageError(f"no version of '{model.name}' is in stage '{stage}'", hint=hint)
    return Chosen(model, found.commit, model.at(found.commit), found)


def _nearest(name: str, known: Iterable[str], what: str) -> str | None:
    there = list(known)
    near = difflib.get_close_matches(name, there, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    some = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
    return f"{what}: {some}" if there else None


def _shallow(git_root: str) -> str:
    told = git.run(git_root, "rev-parse", "--is-shallow-repository", ok=(0, 128)).strip()
    return "; this clone is shallow: git fetch --unshallow --tags" if told == b"true" else ""
