"""What is judged: the metrics files of the working tree or a commit, as their lock records them."""

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from mlxkit.comparison.content import Content
from mlxkit.comparison.states import WORKSPACE
from mlxkit.comparison.values import Unparsed, parse
from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Data, File
from mlxkit.gates.data import Recorded, differs, want_in_git
from mlxkit.gates.declared import Out, Shape, above
from mlxkit.gates.verdict import Unjudged
from mlxkit.store.tree import tree_bytes
from mlxkit.tools import git


class Revision:
    """A revision as a `context.Subject`; `commit` is None for the working tree."""

    def __init__(
        self,
        shape: Shape,
        content: Content,
        name: str,
        commit: str | None,
        *,
        judged: bool,
        recorded: Callable[[str], Recorded],
        place_in_git: tuple[str | None, str],
    ) -> None:
        self.name = name
        self.commit = commit
        self.judged = judged
        self.content = content
        self._shape = shape
        self._recorded = recorded
        self.place_in_git = place_in_git
        self._known: dict[str, File] = {}
        self._folders: dict[str, list[tuple[str, str]]] = {}

    @property
    def basis(self) -> str | None:
        """Return its commit; of the working tree HEAD, None where there is none."""
        git_root, _ = self.place_in_git
        return self.commit or (git.commit_id(git_root, "HEAD") if git_root else None)

    def files(self) -> Sequence[str]:
        """Return the paths of its metrics files, from the project's root."""
        return self._shape.files

    def read(self, path: str) -> File:
        """Return a metrics file; raises Unjudged for what was never made or cannot be parsed.

        Raises MlxError for the working tree's files that are not what the lock records, and for
        data that are not here: then there is nothing to judge yet.
        """
        if path not in self._known:
            data = self._data(path)
            md5 = md5_bytes(data)
            try:
                values = parse(path, data)
            except Unparsed as error:
                why = f"{self.place(path)} cannot be read: {error}"
                raise Unjudged(why, {self.key(path): md5}) from None
            self._known[path] = File(values, md5)
        return self._known[path]

    def data(self, path: str) -> Data:
        """Return a recorded file or folder; raises Unjudged for what is not recorded.

        Raises MlxError as `read` does.
        """
        recorded = self.recorded
        if self.commit is not None:
            return recorded.in_commit(path)
        found = recorded.in_work_tree(path)
        self._want_recorded(path)
        return found

    def md5(self, path: str) -> str:
        """Return the md5 that a commit has of a path, by the lock if it does; raises as `data`."""
        out = self._shape.outs.get(posixpath.normpath(path))
        return out.md5 if out is not None and out.cached and out.md5 else self.data(path).md5

    def changed_since(self, other: "Revision") -> set[str]:
        """Return the paths, of Git and of recorded outputs, that differ from another's.

        Raises Unjudged where Git cannot tell.
        """
        git_root, folder = self.place_in_git
        assert git_root is not None  # or there would be no other
        ids = [one for one in (other.commit, self.commit) if one]
        try:
            told = git.run(git_root, "diff", "--name-only", "--no-renames", "-z", *ids, "--", ".",
                           settings=("diff.noprefix=false",))  # fmt: skip
            if self.commit is None:  # nor has the other what nobody added yet
                told += git.run(git_root, "ls-files", "--others", "--exclude-standard", "-z")
        except git.GitError as error:
            raise Unjudged(f"what changed since {other.name} is not known: {error.said}") from None
        start = folder + "/" if folder else ""
        names = (os.fsdecode(one) for one in told.split(b"\0") if one)
        paths = {name.removeprefix(start) for name in names if name.startswith(start)}
        return paths | self.recorded.changed_since(other.recorded)

    def digests(self) -> Mapping[str, str | None]:
        """Return what is recorded of all outputs and data: md5 by path."""
        return self.recorded.digests()

    def made(self) -> list[str | None]:
        """Return the md5 of all that stages wrote."""
        return self.recorded.made

    def code(self) -> list[str]:
        """Return the Python files that stages depend on."""
        return self.recorded.code

    @cached_property
    def recorded(self) -> Recorded:
        """Return all that is recorded of the revision: more than its metrics, so read late."""
        return self._recorded("" if self.judged else f"{self.name}:")

    def place(self, path: str) -> str:
        """Return how people call one of its files."""
        return path if self.judged else f"{self.name}:{path}"

    def key(self, path: str) -> str:
        """Return the name of one of its files as evidence."""
        return path if self.judged else f"{self.commit or WORKSPACE}:{path}"

    def _data(self, path: str) -> bytes:
        """Return a file's bytes, checked against the lock."""
        place = above(path, self._shape.outs)
        out = self._shape.outs[place] if place is not None else None
        if out is not None and out.md5 is None:
            raise Unjudged(f"nothing is recorded of {self.place(path)} yet: mlx repro")
        try:
            data = self.content.read(path)
        except FileNotFoundError:
            if self.commit is None and not self.content.missing:
                raise differs(path, "is not there") from None
            what = f"{self.place(path)} is not here: its content is not in the cache"
            raise MlxError(what, hint="first run: mlx pull") from None
        except OSError as error:
            why = error.strerror or str(error)
            raise MlxError(f"{self.place(path)} cannot be read: {why}") from None
        self._want_recorded(path)
        if place is not None and out is not None and not self._fits(data, place, out):
            if self.commit is None:
                raise differs(path, "is not what the lock records")
            raise Unjudged(f"{self.place(path)} is not what the lock there records")
        return data

    def _want_recorded(self, path: str) -> None:
        """Refuse what neither a lock nor Git has of the working tree; raises Unjudged."""
        git_root, folder = self.place_in_git
        in_lock = above(posixpath.normpath(path), self._shape.outs) is not None
        if self.commit is None and git_root is not None and not in_lock:
            want_in_git(git_root, folder, path)

    def _fits(self, data: bytes, place: str, out: Out) -> bool:
        if out.is_dir:
            return md5_bytes(tree_bytes(self._entries(place))) + ".dir" == out.md5
        plain = data.replace(b"\r\n", b"\n") if out.legacy else data
        return md5_bytes(plain) == out.md5

    def _entries(self, folder: str) -> list[tuple[str, str]]:
        if folder not in self._folders:
            self._folders[folder] = [
                (posixpath.relpath(one, folder), md5_bytes(self.content.read(one)))
                for one in self.content.files_below(folder) or ()
            ]
        return self._folders[folder]
