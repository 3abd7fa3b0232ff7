"""The files of many commits, read from Git's own objects; a folder that they share is read once."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.tools import git

_FOLDER, _SUBMODULE = b"40000", b"160000"
_DECLARING = (".dvc", ".yaml", "dvc.lock", ".dvcignore", ".yml", ".json", ".toml", ".py")


class Entry(NamedTuple):
    """What a folder has under a name."""

    id: str
    is_folder: bool


class Commits:
    """Commits of one repository, seen from the folder that a project lies in."""

    def __init__(self, git_root: str, folder: str) -> None:
        self._git_root = git_root
        self._folder = [part for part in folder.split("/") if part]
        self._about: dict[str, tuple[str, int]] = {}
        self._folders: dict[str, dict[str, Entry]] = {}
        self._files: dict[str, dict[str, str]] = {}
        self._texts: dict[str, bytes] = {}

    def load(self, commits: Iterable[str]) -> None:
        """Read all folders of these commits, a level at a time; raises MlxError."""
        new = [one for one in commits if one not in self._about]
        for one, data in git.read_objects(self._git_root, new).items():
            self._about[one] = _parse_commit(data)
        wanted = [self._about[one][0] for one in new]
        while wanted := [one for one in dict.fromkeys(wanted) if one not in self._folders]:
            found = git.read_objects(self._git_root, wanted)
            for oid, data in found.items():
                self._folders[oid] = _parse_folder(data, len(oid) // 2)
            wanted = [
                entry.id
                for oid in found
                for entry in self._folders[oid].values()
                if entry.is_folder
            ]

    def time(self, commit: str) -> int:
        """Return when the commit was made, in seconds since 1970."""
        return self._about[commit][1]

    def has_project(self, commit: str) -> bool:
        """Tell whether the project's folder is in the commit."""
        return self._find(self._about[commit][0], self._folder) is not None

    def declaring(self, commit: str) -> Mapping[str, str]:
        """Return the ids of the files that may declare something, by path in the project."""
        top = self._find(self._about[commit][0], self._folder)
        return self._below(top.id) if top is not None and top.is_folder else {}

    def find(self, commit: str, path: str) -> Entry | None:
        """Return what the commit has at a path of the project."""
        parts = [*self._folder, *path.split("/")]
        kept: list[str] = []
        for part in parts:
            if part == "..":
                if not kept:
                    return None
                kept.pop()
            elif part not in ("", "."):
                kept.append(part)
        return self._find(self._about[commit][0], kept)

    def below(self, folder: Entry) -> list[str]:
        """Return the paths of all files in a folder."""
        found = []
        for name, entry in self._folders[folder.id].items():
            found += [f"{name}/{one}" for one in self.below(entry)] if entry.is_folder else [name]
        return found

    def ids_below(self, folder: Entry) -> list[str]:
        """Return the ids of all files in a folder."""
        found = []
        for one in self._folders[folder.id].values():
            found += self.ids_below(one) if one.is_folder else [one.id]
        return found

    def read(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return the content of at least these files; raises MlxError."""
        missing = [one for one in ids if one not in self._texts]
        self._texts.update(git.read_objects(self._git_root, missing))
        return self._texts

    def _find(self, tree: str, parts: Iterable[str]) -> Entry | None:
        here = Entry(tree, True)
        for part in parts:
            inner = self._folders[here.id].get(part) if here.is_folder else None
            if inner is None:
                return None
            here = inner
        return here

    def _below(self, tree: str) -> dict[str, str]:
        known = self._files.get(tree)
        if known is None:
            known = {}
            for name, entry in self._folders[tree].items():
                if entry.is_folder:
                    inner = self._below(entry.id)
                    known.update({f"{name}/{path}": oid for path, oid in inner.items()})
                elif name.endswith(_DECLARING):
                    known[name] = entry.id
            if ".dvc" in self._folders[tree]:  # a project of its own leaves this mark
                known.setdefault(".dvc/config", "")
            self._files[tree] = known
        return known


def _parse_commit(data: bytes) -> tuple[str, int]:
    """Return a commit's tree, and its time."""
    head = data.partition(b"\n\n")[0]
    tree = time = None
    for line in head.split(b"\n"):
        if line.startswith(b"tree ") and tree is None:
            tree = line[5:].decode("ascii")
        elif line.startswith(b"committer ") and time is None:
            words = line.rsplit(b" ", 2)
            time = int(words[1]) if len(words) == 3 and words[1].lstrip(b"-").isdigit() else 0
    if tree is None:
        raise MlxError("Git has a commit without files", hint="see: git fsck")
    return tree, time or 0


def _parse_folder(data: bytes, width: int) -> dict[str, Entry]:
    found = {}
    at = 0
    while at < len(data):
        middle = data.index(b" ", at)
        end = data.index(b"\0", middle)
        mode, name = data[at:middle], data[middle + 1 : end]
        at = end + 1 + width
        if mode != _SUBMODULE:
            oid = data[end + 1 : at].hex()
            found[name.decode("utf-8", "surrogateescape")] = Entry(oid, mode == _FOLDER)
    return found
