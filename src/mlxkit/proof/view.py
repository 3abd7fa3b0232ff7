"""What is found, and what finding it asks of a revision or the working tree (plain data)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from mlxkit.pipeline.spec import Entry, Params, Stage

UNCHECKED = "unchecked"


class Problem(NamedTuple):
    """What does not fit; `stage` as DVC addresses it, `path` absolute, both may be empty.

    `kind` is one of docs/design/proof.md, or `unchecked` for what cannot be told from here.
    """

    kind: str
    stage: str
    path: str
    why: str


class View(Protocol):
    """What a revision, or the working tree, has. Paths are absolute."""

    def entry(self, stage: Stage) -> Entry | None:
        """Return what the lock file records of a stage."""

    def values(self, params: Params) -> Mapping[str, Any] | None:
        """Return the parameters that are there, None where there is no file; raises MlxError."""

    def below(self, path: str) -> Sequence[str]:
        """Return Git's files at the path, or below it."""

    def digests(self, path: str, *, legacy: bool) -> Sequence[str]:
        """Return the digests that a file of Git's may have, none where that cannot be told."""

    def folder(self, path: str) -> str | None:
        """Return the digest of a folder on disk, None where there is none to look at."""

    def inside(self, directory: str, part: str) -> str | None:
        """Return the digest of a part of a directory's object, None where that is not known."""

    def beyond(self, path: str) -> str | None:
        """Say why Git cannot know a path, None where it could."""
