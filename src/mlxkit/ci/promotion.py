"""What a promotion tag asks for: is a model to be deployed, which, and where."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git
from mlxkit.versions.find import find_model, read_registry
from mlxkit.versions.grammar import parse


class Promotion(NamedTuple):
    """A version of a model for a stage; `why` says why nothing is to be deployed, or is empty."""

    tag: str
    model: str = ""
    version: str = ""
    stage: str = ""
    why: str = ""


def tag_of(environ: Mapping[str, str] = os.environ) -> str:
    """Return the tag that triggered this run; raises UsageError."""
    start = "refs/tags/"
    ref = environ.get("GITHUB_REF", "")
    if not ref.startswith(start):
        raise UsageError("no tag was pushed", hint="name it: mlx ci promotion 'census#prod#4'")
    return ref.removeprefix(start)


def read_promotion(git_root: str, folder: str, tag: str) -> Promotion:
    """Return what a tag asks for; raises UsageError for one that is not here, and MlxError.

    A tag that takes a stage back deploys nothing, nor does one that a newer one has followed:
    workflows may start late, and in any order. Nor does one of another project than that in
    `folder`, or one that is not at HEAD: what is judged and deployed is what is checked out.
    """
    meaning = parse(tag)
    if meaning is None or meaning.stage is None:
        return Promotion(tag, why="the tag promotes no model")
    if meaning.model.rpartition(":")[0] != folder:
        return Promotion(tag, meaning.model, stage=meaning.stage, why="it is of another project")
    if meaning.action != "assign":
        return Promotion(tag, meaning.model, stage=meaning.stage, why="it takes the stage back")
    registry = read_registry(git_root)
    model = find_model(registry, meaning.model)
    events = [one for one in model.events if one.tag == tag]
    if not events:
        raise UsageError(f"there is no tag '{tag}' here", hint="run: git fetch --tags")
    now = model.stages.get(meaning.stage)
    if now is None or now.event.tag != tag:
        newer = f"'{now.event.tag}'" if now else "a tag that takes the stage back"
        return Promotion(tag, model.name, stage=meaning.stage, why=f"{newer} came after it")
    if now.commit != git.commit_id(git_root, "HEAD"):
        why = f"it is at {now.commit[:7]}, which is not checked out"
        return Promotion(tag, model.name, stage=meaning.stage, why=why)
    if now.version is None:
        raise MlxError(
            f"no version of '{model.name}' is registered at the commit of '{tag}'",
            hint=f"register it: mlx model register {model.name}",
        )
    return Promotion(tag, model.name, now.version, meaning.stage)
