"""Recorded data of a revision as files on disk: in the working tree, in the cache, or laid out."""

import os
import posixpath
import tempfile
from collections.abc import Mapping, Sequence

from mlxkit.comparison.content import Content
from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Data
from mlxkit.gates.declared import Out, above
from mlxkit.gates.verdict import Unjudged
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.tree import tree_bytes
from mlxkit.tools import git


class Recorded:
    """Finds what is recorded of paths; `shown` is how people call the revision's files."""

    def __init__(
        self, root: str, workspace: Workspace, content: Content, outs: Mapping[str, Out], shown: str
    ) -> None:
        self._root = root
        self._workspace = workspace
        self._content = content
        self._outs = outs
        self._shown = shown
        self.made: list[str | None] = []
        self.code: list[str] = []
        self._laid: tempfile.TemporaryDirectory[str] | None = None

    def in_work_tree(self, path: str) -> Data:
        """Return a file or folder of the working tree; raises Unjudged, MlxError."""
        path, place, out = self._find(path)
        full = os.path.join(self._root, path)
        if out is not None and not os.path.lexists(os.path.join(self._root, place)):
            return self._cached(path, place, out)
        whole = self._workspace.content(os.path.join(self._root, place))
        if whole is None:
            raise Unjudged(f"there is no {self._shown}{path}")
        if out is not None and whole.md5 != out.md5 and not _is_legacy(out, full):
            raise differs(path, "is not what the lock records")
        found = whole if path == place else self._workspace.content(full)
        if found is None:
            raise Unjudged(f"{self._shown}{place} has no {posixpath.relpath(path, place)}")
        return Data(full, found.md5, os.path.isdir(full))

    def in_commit(self, path: str) -> Data:
        """Return a file or folder of a commit; raises Unjudged, MlxError."""
        path, place, out = self._find(path)
        if out is not None and out.cached:
            return self._cached(path, place, out)
        names = self._content.files_below(path)
        if names is None:
            try:
                data = self._content.read(path)
            except (FileNotFoundError, IsADirectoryError):
                raise Unjudged(f"there is no {self._shown}{path}") from None
            md5 = md5_bytes(data)
            unix = md5_bytes(data.replace(b"\r\n", b"\n"))
            self._check(path, place, out, {md5, unix} if out and out.legacy else {md5})
            return Data(self._lay({posixpath.basename(path): data}, posixpath.basename(path)), md5)
        files = {posixpath.relpath(one, path): self._content.read(one) for one in names}
        listed = sorted((name, md5_bytes(data)) for name, data in files.items())
        self._check(path, place, out, {_folder(listed)})
        return Data(self._lay(files, ""), _folder(listed), is_dir=True)

    def _check(self, path: str, place: str, out: Out | None, found: set[str]) -> None:
        """Refuse what Git has of an output where the lock has something else."""
        if out is not None and path == place and out.md5 not in found:
            raise Unjudged(f"{self._shown}{path} is not what the lock there records")

    def digests(self) -> dict[str, str | None]:
        """Return what is recorded of all outputs and data: md5 by path."""
        return {path: out.md5 for path, out in self._outs.items()}

    def changed_since(self, other: "Recorded") -> set[str]:
        """Return the outputs that are recorded otherwise there, or not at all in one of both."""
        own, theirs = self.digests(), other.digests()
        return {path for path in own.keys() | theirs.keys() if own.get(path) != theirs.get(path)}

    def _find(self, path: str) -> tuple[str, str, Out | None]:
        """Return the path, the output that it is or lies in, and what is recorded of that."""
        path = posixpath.normpath(path)
        if posixpath.isabs(path) or path.split("/")[0] == "..":
            raise Unjudged(f"{path} is not in the project: nothing is recorded of it")
        place = above(path, self._outs)
        if place is None:
            if any(out.startswith(path + "/") for out in self._outs):
                raise Unjudged(f"{self._shown}{path} holds several recorded outputs: name one")
            return path, path, None
        out = self._outs[place]
        if out.md5 is None:
            raise Unjudged(f"nothing is recorded of {self._shown}{place} yet: mlx repro")
        return path, place, out

    def _cached(self, path: str, place: str, out: Out) -> Data:
        """Return what the cache has of an output, or of a file or folder in one."""
        store, md5 = self._workspace.store, out.md5 or ""
        try:
            if path == place and not out.is_dir:
                store.verify(md5)
                return Data(store.path(md5), md5)
            listed = store.verified_tree(md5)
            inner = "" if path == place else posixpath.relpath(path, place) + "/"
            own = dict(listed).get(inner.rstrip("/"))
            if own is not None:
                store.verify(own)
                return Data(store.path(own), own)
            below = [(name[len(inner) :], one) for name, one in listed if name.startswith(inner)]
            if not below:
                raise Unjudged(f"{self._shown}{place} has no {inner.rstrip('/')}")
            store.verify_files(below)
        except (MissingObject, BadObject):
            what = f"{self._shown}{path} is not here: its content is not in the cache"
            # Of another revision than the one that is judged, a pull brings nothing.
            how = f"mlx fetch --all-commits {path}" if self._shown else "mlx pull"
            raise MlxError(what, hint=f"first run: {how}") from None
        links = {name: store.path(one) for name, one in below}
        return Data(self._lay(links, ""), md5 if path == place else _folder(below), is_dir=True)

    def _lay(self, files: Mapping[str, bytes | str], name: str) -> str:
        """Write files, or link to objects, in a folder that goes with this object."""
        if self._laid is None:
            self._laid = tempfile.TemporaryDirectory(prefix="mlx-gate-")
        top = tempfile.mkdtemp(dir=self._laid.name)
        for inner, what in files.items():
            full = os.path.join(top, inner)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if isinstance(what, str):
                os.symlink(what, full)
            else:
                with open(full, "wb") as file:
                    file.write(what)
        return os.path.join(top, name) if name else top


def want_in_git(git_root: str, folder: str, path: str) -> None:
    """Refuse a file or folder of which Git does not know all; raises Unjudged.

    `folder` is the project's in the repository, `path` from there.
    """
    place = posixpath.normpath(posixpath.join(folder, path))
    listed = [b"?"]
    if place.split("/")[0] != "..":
        told = ("ls-files", "-z", "-t", "--cached", "--others", "--", f":(top,literal){place}")
        listed = git.run(git_root, *told).split(b"\0")[:-1]
    if not listed or any(one.startswith(b"?") for one in listed):
        raise Unjudged(
            f"{path} is not recorded: neither Git nor a lock has it; "
            f"run: mlx add {path}   or: git add {path}"
        )


def differs(path: str, how: str) -> MlxError:
    """Return the error for a file that is not what is recorded."""
    return MlxError(
        f"{path} {how}: gates judge what is recorded",
        hint="make it again: mlx repro   or see: mlx status",
    )


def _is_legacy(out: Out, path: str) -> bool:
    """Tell whether a file is what DVC 2 recorded: the digest of its text with Unix line ends."""
    if not out.legacy or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return md5_bytes(file.read().replace(b"\r\n", b"\n")) == out.md5


def _folder(listed: Sequence[tuple[str, str]]) -> str:
    """Return the digest of a folder with these files."""
    return md5_bytes(tree_bytes(list(listed))) + ".dir"
