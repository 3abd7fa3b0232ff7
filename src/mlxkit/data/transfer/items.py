"""What is to be transferred: the objects behind outputs, with a name for each that people know."""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from mlxkit.core.progress import Progress
from mlxkit.data.tracked import Tracked
from mlxkit.store.errors import NoSuchPart
from mlxkit.store.tree import Entries

LOCAL = "local"
REMOTE = "remote"
ABSENT = "it is not there"
LACKING = "the remote does not have it"


class Failure(NamedTuple):
    """Why an object was not transferred, and on which side that is to be mended.

    `passing` where another try may help, `full` where there is no room for any more.
    """

    why: str
    side: str = REMOTE
    passing: bool = False
    full: bool = False

    @property
    def missing(self) -> bool:
        """Whether the remote simply has no such object."""
        return self.why == LACKING


class Outcome(NamedTuple):
    """How many objects and bytes were transferred, and which were not."""

    files: int = 0
    size: int = 0
    failed: dict[str, Failure] = {}  # noqa: RUF012 - never changed

    def plus(self, other: "Outcome") -> "Outcome":
        """Return the sum of both."""
        return Outcome(
            self.files + other.files, self.size + other.size, {**self.failed, **other.failed}
        )


class Item(NamedTuple):
    """An object to receive; `limit` is the most bytes that it can have, if that is known."""

    md5: str
    limit: int | None = None


class Remote(Protocol):
    """A place that keeps objects: a folder, or a server that DVC's code talks to.

    Methods raise RemoteError where the place as a whole cannot be used.
    """

    name: str
    run_cache: bool
    """Whether it can keep a run-cache."""

    def present(self, md5s: set[str], progress: Progress) -> set[str]:
        """Return which of the objects it has."""

    def complete(self, directories: set[str]) -> set[str]:
        """Return directories that are known to be there with all their files."""

    def remember(self, directories: Iterable[str]) -> None:
        """Note that directories are there with all their files."""

    def forget(self) -> None:
        """Drop all that was noted: something was not there."""

    def read(self, md5: str, limit: int) -> bytes:
        """Return an object's bytes, unchecked; raises FileNotFoundError, OSError, RemoteError."""

    def send(self, cache: str, md5s: Sequence[str], progress: Progress) -> Outcome:
        """Upload objects from the folder of a cache."""

    def receive(self, cache: str, items: Sequence[Item], progress: Progress) -> Outcome:
        """Download objects into the folder of a cache, each checked against its name."""

    def runs(self) -> set[str]:
        """Return the names `ab/KEY/VALUE` of the run-cache's entries."""

    def read_run(self, name: str) -> bytes:
        """Return an entry of the run-cache."""

    def write_run(self, name: str, source: str) -> None:
        """Upload an entry of the run-cache."""


class Wanted(NamedTuple):
    """The object of an output; with `within`, only that part of its directory."""

    path: str
    md5: str
    size: int | None = None
    nfiles: int | None = None
    within: str | None = None
    push: bool = True
    remote: str | None = None

    @property
    def is_directory(self) -> bool:
        return self.md5.endswith(".dir")

    def name(self, relpath: str | None = None) -> str:
        """Return the path of the output, or of a file in it, as seen from the current folder."""
        path = self.path if relpath is None else os.path.join(self.path, relpath)
        return os.path.relpath(path)

    def chosen(self, entries: Entries) -> Entries:
        """Return those files of the directory that are wanted; raises NoSuchPart."""
        if self.within is None:
            return entries
        inner = self.within.replace(os.sep, "/")
        found = [one for one in entries if one[0] == inner or one[0].startswith(inner + "/")]
        if not found:
            raise NoSuchPart(self.path, self.within)
        return found


def wanted_of(tracked: Iterable[Tracked]) -> list[Wanted]:
    """Return the objects of outputs that have any."""
    return [
        Wanted(one.path, one.md5, one.size, one.nfiles, one.within, one.out.push, one.remote)
        for one in tracked
        if one.md5 is not None
    ]
