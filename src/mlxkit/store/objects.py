"""The cache: objects by digest, `ab/cdef...` below one directory, read-only."""

import os
import re
import stat as st
from collections.abc import Iterable, Sequence

from mlxkit.core.digest import md5_bytes
from mlxkit.store.errors import BadObject, MissingObject, explained, os_error
from mlxkit.store.ingest import PROTECTED, Ingest, protect
from mlxkit.store.links import LINK_TYPES, default_dir_mode, default_file_mode
from mlxkit.store.relink import Relink, unprotect
from mlxkit.store.state import State
from mlxkit.store.tree import Content, Entries, parse_tree, tree_bytes

_NAME = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")
_LISTED = re.compile(r'\{"md5": "([0-9a-f]{32})", "relpath": ')
WORTH_LISTING = 1000
"""From so many objects on, listing the cache is faster than asking for each."""


class ObjectStore:
    """Objects below `root` (for DVC 3: `.dvc/cache/files/md5`).

    `link_types` is DVC's `cache.type`: what workspace files are made of, in order of preference;
    `shared` is its `cache.shared = group`. Methods that only look never write.
    """

    def __init__(
        self,
        root: str,
        *,
        state: State,
        link_types: Sequence[str] = ("reflink", "copy"),
        shared: bool = False,
    ) -> None:
        if not link_types or not set(link_types) <= set(LINK_TYPES):
            raise ValueError(f"link types must be some of {LINK_TYPES}, not {list(link_types)}")
        self.root = os.path.abspath(root)
        self.state = state
        self.link_types = tuple(link_types)
        self._dir_mode = 0o2775 if shared else default_dir_mode()
        self._file_mode = 0o664 if shared else default_file_mode()

    def path(self, md5: str) -> str:
        """Where the object lies; raises BadObject if `md5` is no object's name."""
        if not _NAME.match(md5):
            raise BadObject(f"{md5!r:.80} is not the name of an object")
        return f"{self.root}/{md5[:2]}/{md5[2:]}"

    def has(self, md5: str, size: int | None = None, *, repair: bool = False) -> bool:
        """Whether DVC would take the object, and all files of a directory, as present.

        Read-only objects are trusted, others hashed; with `repair` those become read-only or, if
        wrong, are removed. `size` is what an object that is one file must have. Raises
        UnusablePath.
        """
        if not is_directory(md5):
            return self._present(md5, size, repair)
        if not self._present(md5, None, repair):
            return False
        try:
            children = self.children(md5)
        except (BadObject, MissingObject):
            return False
        if len(children) > WORTH_LISTING and not repair:
            return children <= self.names()
        return all(self._present(child, None, repair) for child in children)

    def children(self, md5: str) -> set[str]:
        """The digests that a directory's object lists; raises as `read_tree` does."""
        if not self._intact(md5):
            return {child for _, child in self.read_tree(md5)}
        known = self.state.folder_named(md5[:32])
        if known is not None:
            return set(known.digests())
        # Its bytes are what its name says: whoever wrote them wrote them like this.
        try:
            with open(self.path(md5), encoding="ascii") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            text = ""
        found = _LISTED.findall(text)
        if not found or len(found) != text.count('"relpath"'):
            return {child for _, child in self.read_tree(md5)}
        return set(found)

    def whole(self, md5: str) -> bool:
        """Whether the object, and all files of a directory, are there with the right bytes.

        What the state vouches for is not read again; a file's mode proves nothing. Raises
        UnusablePath.
        """
        try:
            self.verify(md5)
        except (BadObject, MissingObject):
            return False
        return True

    def verify(self, md5: str) -> None:
        """As `whole`, but says what is wrong; raises MissingObject, BadObject, UnusablePath."""
        if is_directory(md5):
            self.verify_files(self.verified_tree(md5))
        elif not self._intact(md5):
            raise missing(md5)

    def verify_files(self, entries: Iterable[tuple[str, str]]) -> None:
        """Check the objects of these files of a directory; raises as `verify` does."""
        for md5, relpath in {md5: relpath for relpath, md5 in entries}.items():
            if not self._intact(md5):
                raise missing(md5, relpath)

    def verified_tree(self, md5: str) -> Entries:
        """As `read_tree`, of an object whose bytes are checked to be what its name says."""
        if not self._intact(md5):
            raise missing(md5)
        return self.read_tree(md5)

    def read_tree(self, md5: str) -> Entries:
        """The files of a directory's object; raises MissingObject, BadObject, UnusablePath."""
        path = self.path(md5)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise missing(md5) from None
        except OSError as exc:
            raise os_error(exc, "read", path) from exc
        try:
            return parse_tree(data)
        except BadObject as exc:
            raise BadObject(f"the directory object {md5} is unusable: {exc}", where=path) from exc

    def add_file(self, path: str, md5: str) -> None:
        """Put the file into the cache and leave the workspace side as DVC does.

        An object that is there and whole is kept, a damaged one replaced. Raises
        ChangedWhileRead if the file does not hold `md5`, DiskFull, UnusablePath.
        """
        path = os.path.abspath(path)
        with explained("add", path):
            before = os.stat(path)
            self._add(self.ingest(), path, md5)
            isexec = bool(before.st_mode & 0o111)
            self.relink().file(path, self.path(md5), md5, before, isexec=isexec)

    def add_tree(self, path: str, content: Content) -> None:
        """Put the directory described by `content` into the cache; raises as `add_file` does.

        Its own object is written last: where it is, all its files are.
        """
        path = os.path.abspath(path)
        entries = content.entries or ()
        data = tree_bytes(entries)
        if md5_bytes(data) + ".dir" != content.md5:
            raise BadObject(f"{content.md5} is not the digest of the entries of '{path}'")
        with explained("add", path):
            files = [(f"{path}/{relpath}", md5) for relpath, md5 in entries]
            before = [(file, os.lstat(file), self.path(md5), md5) for file, md5 in files]
            ingest = self.ingest()

            def part(files: list[tuple[str, str]]) -> None:
                for md5, file in files:
                    self._add(ingest, file, md5)

            for _ in ingest.spread(part, list({md5: file for file, md5 in files}.items())):
                pass
            if not self.keeps(content.md5):
                ingest.data(data, self.path(content.md5), content.md5)
            self.relink().tree(path, before)

    def names(self) -> set[str]:
        """List the names of all objects, without looking at any of them."""
        found: set[str] = set()
        for number in range(256):
            prefix = f"{number:02x}"
            try:
                found.update([prefix + name for name in os.listdir(f"{self.root}/{prefix}")])
            except (FileNotFoundError, NotADirectoryError):
                continue
        return found

    def unprotect(self, path: str) -> None:
        """Turn links into writable copies, for a stage that goes on from its last output.

        Raises DiskFull, UnusablePath.
        """
        path = os.path.abspath(path)
        with explained("unprotect", path):
            unprotect(path, file_mode=self._file_mode)

    def ingest(self) -> Ingest:
        """Return what makes objects out of files."""
        hardlink = self.link_types[0] == "hardlink"
        return Ingest(self.root, self.state, hardlink=hardlink, dir_mode=self._dir_mode)

    def relink(self) -> Relink:
        """Return what makes files what `cache.type` asks for."""
        return Relink(self.link_types, self.state, file_mode=self._file_mode)

    def _add(self, ingest: Ingest, file: str, md5: str) -> None:
        if not self.keeps(md5):
            ingest.file(file, self.path(md5), md5)

    def keeps(self, md5: str) -> bool:
        """Whether the object is whole already, and is now read-only."""
        if not self._intact(md5):
            return False
        path = self.path(md5)
        if st.S_IMODE(os.stat(path).st_mode) != PROTECTED:
            protect(path)
        return True

    def _intact(self, md5: str) -> bool:
        """Whether this one object has the right bytes."""
        path = self.path(md5)
        try:
            stat = os.stat(path)
            return st.S_ISREG(stat.st_mode) and self.state.digest(path, stat) == md5[:32]
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _present(self, md5: str, size: int | None, repair: bool) -> bool:
        path = self.path(md5)
        try:
            stat = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not st.S_ISREG(stat.st_mode) or size not in (None, stat.st_size):
            return False
        if st.S_IMODE(stat.st_mode) == PROTECTED:
            return True
        right = self._intact(md5)
        if repair and right:
            protect(path)
        elif repair:
            with explained("remove the damaged object", path):
                os.unlink(path)
        return right


def is_directory(md5: str) -> bool:
    """Whether this is the name of a directory's object."""
    return md5.endswith(".dir")


def missing(md5: str, relpath: str | None = None) -> MissingObject:
    """Return the error for an object that is not there with the right bytes."""
    what = f"the object {md5}" + (f" (file '{relpath}')" if relpath else "")
    return MissingObject(
        f"{what} is not in the cache, or damaged there",
        hint="fetch it from a remote, or run again what makes it",
    )
