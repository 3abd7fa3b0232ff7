"""What is deployed, and what has a tag of its own."""

from typing import NamedTuple

from mlxkit.tools import git
from mlxkit.versions.grammar import parse
from mlxkit.versions.state import models
from mlxkit.versions.tags import list_events


class Tag(NamedTuple):
    """A tag and the commit that it leads to."""

    name: str
    commit: str


def is_assignment(name: str) -> bool:
    """Tell whether a tag speaks of a stage: it names no version."""
    meaning = parse(name)
    return meaning is not None and meaning.stage is not None


def deployed(git_root: str, stage: str) -> list[Tag]:
    """Return the tag that put each model into the stage where it is now.

    `stage` is a stage, or `model#stage` for one model alone. Raises MlxError.
    """
    only, _, wanted = stage.rpartition("#")
    there = models(list_events(git_root).events)
    return [
        Tag(model.stages[wanted].event.tag, model.stages[wanted].commit)
        for name, model in there.items()
        if wanted in model.stages and only in ("", name)
    ]


def list_tags(git_root: str) -> list[Tag]:
    """Return all tags that lead to commits, in the order of their names; raises MlxError."""
    told = git.run(
        git_root,
        "for-each-ref",
        "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)",
        "refs/tags/",
    )
    found = []
    for line in told.decode(errors="surrogateescape").split("\n")[:-1]:
        kind, oid, inner, commit, ref = line.split(" ", 4)
        if "commit" in (kind, inner):
            name = ref.removeprefix("refs/tags/")
            found.append(Tag(name, commit if inner == "commit" else oid))
    return found
