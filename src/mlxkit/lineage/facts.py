"""What each commit says that its parents did not: recipes added, digests introduced, renames."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlxkit.lineage import blobs, history, pieces
from mlxkit.lineage.history import Change, Commit
from mlxkit.lineage.placed import Placed, declaring, naming, place, wdir_of
from mlxkit.lineage.recipe import Recipe, Unreadable, Used
from mlxkit.lineage.wdirs import Wdirs

_AT_ONCE = 1000


class Facts(NamedTuple):
    """What one commit says. A digest at a path is introduced by the recipe that records it."""

    commit: Commit
    added: tuple[Placed, ...]
    introduced: tuple[tuple[Used, Placed], ...]
    renamed: tuple[tuple[Used, Used], ...]
    notes: tuple[str, ...]


Holders = Callable[[str, str], Mapping[str, Container[bytes]]]
"""Which recipes ever recorded that path with that digest as an output: their keys, by file."""
NO_HOLDERS: Mapping[str, Container[bytes]] = {}


class Reader:
    """Turns commits into facts; what several of them share is read and parsed once."""

    def __init__(
        self, root: str, holders: Holders | None = None, folders: Iterable[str] = ()
    ) -> None:
        """`folders` are the `dvc.yaml` known to name working folders; facts want `holders`."""
        self._root = root
        self._holders = holders or (lambda path, md5: NO_HOLDERS)
        self._wdirs = Wdirs(root)
        self.folders = set(folders)
        self.lacks = False
        """Whether Git lacks something that was wanted: a partial clone without its remote."""
        self._pieces: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._broken: dict[str, str] = {}
        self._interned: dict[str, str] = {}
        self._recipes: dict[tuple[str, bool], list[Recipe]] = {}
        self._placed: dict[tuple[str, str], list[Placed]] = {}
        self._ids: dict[str, str | None] = {}

    def facts(self, commits: Sequence[Commit]) -> Iterator[Facts]:
        """Yield the facts of each commit; parents come before children."""
        self._find_folders(commits)
        for start in range(0, len(commits), _AT_ONCE):
            part = commits[start : start + _AT_ONCE]
            self._read({blob: one.path for commit in part for one, blob in _blobs(commit)})
            self.look_ahead(
                [
                    (oid, lock)
                    for commit in part
                    for lock in self._special(commit)
                    for oid in (commit.oid, *commit.parents)
                ]
            )
            for commit in part:
                yield self._facts(commit)

    def at(self, commit: str, files: Iterable[str]) -> dict[str, list[Placed]]:
        """Return what some lock and `.dvc` files record at a commit, by their path."""
        paths = sorted(set(files))
        found = self.look([f"{commit}:{path}" for path in paths])
        ids = dict(zip(paths, found, strict=True))
        self._read({blob: path for path, blob in ids.items() if blob})
        return {path: self._of_blob(commit, path, blob) for path, blob in ids.items() if blob}

    def of_text(self, path: str, data: bytes, wdirs: dict[str, str] | None = None) -> list[Placed]:
        """Return what a file with the content `data` records; raises Unreadable."""
        found = pieces.parse_all(path, data)
        return [place(path, one, wdir_of(one, wdirs or {})) for one in found]

    def _find_folders(self, commits: Sequence[Commit]) -> None:
        """Find each `dvc.yaml` of which a version names a working folder."""
        versions: dict[str, set[str]] = {}  # two files may say the same
        for commit in commits:
            for change in commit.changes:
                if change.path.endswith("dvc.yaml") and change.new:
                    versions.setdefault(change.new, set()).add(change.path)
        for start in range(0, len(versions), _AT_ONCE):
            part = list(versions)[start : start + _AT_ONCE]
            for blob, data in blobs.blobs(self._root, part).items():
                if b"wdir" in data:
                    self.folders |= versions[blob]

    def _facts(self, commit: Commit) -> Facts:
        changes = [one for one in commit.changes if history.is_naming(one.path)]
        now: dict[bytes, Placed] = {}
        before: dict[bytes, Placed] = {}
        notes = [
            f"{commit.oid[:7]}: {one.path}: {self._broken[one.new]}"
            for one in changes
            if one.new in self._broken
        ]
        special = self._special(commit)
        for change in changes:
            if change.path in special:
                continue
            if change.new:
                now |= {p.key: p for p in self._of_blob(None, change.path, change.new)}
            for blob in change.old:
                before |= {p.key: p for p in self._of_blob(None, change.path, blob)}
        for path in special:
            now |= {p.key: p for p in self._at_commit(commit.oid, path)}
            for parent in commit.parents:
                before |= {p.key: p for p in self._at_commit(parent, path)}
        added = [one for key, one in now.items() if key not in before]
        return self._compared(commit, added, before, now, tuple(notes))

    def _compared(
        self,
        commit: Commit,
        added: list[Placed],
        before: dict[bytes, Placed],
        now: dict[bytes, Placed],
        notes: tuple[str, ...],
    ) -> Facts:
        looked = {one.path for one in commit.changes}
        there = {(out.path, out.md5) for one in before.values() for out in one.recipe.outs}
        introduced = [
            (out, placed)
            for placed in added
            for out in placed.recipe.outs
            if out.md5
            and (out.path, out.md5) not in there
            and not self._is_elsewhere(commit, out, looked)
        ]
        gone = {
            out.md5: out
            for key, placed in before.items()
            if introduced and key not in now
            for out in placed.recipe.outs
            if out.md5
        }
        still = {(out.path, out.md5) for one in now.values() for out in one.recipe.outs if gone}
        renamed = [
            (gone[out.md5], out)
            for out, _ in introduced
            if out.md5 in gone and (gone[out.md5].path, out.md5) not in still
        ]
        # The same output twice in one commit (a stage moved while a stale entry stays): once.
        once = {(out.path, out.md5): (out, placed) for out, placed in reversed(introduced)}
        chosen = tuple(reversed(list(once.values())))
        return Facts(commit, tuple(added), chosen, tuple(renamed), notes)

    def _is_elsewhere(self, commit: Commit, out: Used, looked: set[str]) -> bool:
        """Tell whether a parent records the digest at the path in a file that did not change."""
        for file, keys in self._holders(out.path, out.md5).items():
            path = naming(file)
            if path not in looked:
                for parent in commit.parents:
                    if any(one.key in keys for one in self._at_commit(parent, path)):
                        return True
        return False

    def _special(self, commit: Commit) -> list[str]:
        """Return the lock files whose stages' folders a commit, or what it merges, may change."""
        if not self.folders:
            return []
        merges = len(commit.parents) > 1
        paths = {one.path for one in commit.changes}
        found = [(one, one.removesuffix("yaml") + "lock") for one in sorted(self.folders)]
        return [lock for file, lock in found if merges or file in paths or lock in paths]

    def _at_commit(self, commit: str, path: str) -> list[Placed]:
        return self.at(commit, [path]).get(path, [])

    def look_ahead(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Ask at once for files (commit and path) that will be asked for one by one."""
        found = self.look([f"{oid}:{path}" for oid, path in wanted])
        self.look([f"{oid}:{declaring(path)}" for oid, path in wanted])
        self._read({blob: path for (_, path), blob in zip(wanted, found, strict=True) if blob})

    def look(self, names: Sequence[str]) -> list[str | None]:
        new = [name for name in names if name not in self._ids]
        if new:
            found = blobs.lookup(self._root, new)
            self._ids.update({name: found.get(name) for name in new})
        return [self._ids[name] for name in names]

    def _of_blob(self, commit: str | None, path: str, blob: str) -> list[Placed]:
        file = declaring(path)
        wdirs: dict[str, str] = {}
        if commit is not None and file in self.folders:
            wdirs = self._wdirs.of(commit, file, self.look([f"{commit}:{file}"])[0])
        is_lock = path.endswith("dvc.lock")
        found: list[Placed] = []
        for piece in self._pieces.get((blob, is_lock), ()):
            recipes = self._recipes[piece, is_lock]
            if wdirs:
                found += [place(path, one, wdir_of(one, wdirs)) for one in recipes]
                continue
            if (path, piece) not in self._placed:
                self._placed[path, piece] = [place(path, one, one.wdir) for one in recipes]
            found += self._placed[path, piece]
        return found

    def _read(self, wanted: dict[str, str]) -> None:
        """Cut and parse blobs not seen before; note those that are broken or missing."""
        new = {
            blob: path
            for blob, path in wanted.items()
            if (blob, path.endswith("dvc.lock")) not in self._pieces
        }
        contents = blobs.blobs(self._root, new)
        for blob, path in new.items():
            is_lock = path.endswith("dvc.lock")
            found: tuple[str, ...] = ()
            if blob not in contents:
                self._broken[blob] = "its content is missing from this clone"
                self.lacks = True
            else:
                try:
                    found = self._cut(path, contents[blob], is_lock)
                except Unreadable as error:
                    self._broken[blob] = f"skipped, it cannot be read: {error}"
            self._pieces[blob, is_lock] = found

    def _cut(self, path: str, data: bytes, is_lock: bool) -> tuple[str, ...]:
        found = pieces.cut(path, data)
        try:
            self._parse(path, found, is_lock)
        except Unreadable:
            if not is_lock:
                raise
            found = pieces.recut(data)
            self._parse(path, found, is_lock)
        return tuple(self._interned.setdefault(one, one) for one in found)

    def _parse(self, path: str, found: list[str], is_lock: bool) -> None:
        for piece in found:
            if (piece, is_lock) not in self._recipes:
                self._recipes[piece, is_lock] = pieces.parse(path, piece)


def _blobs(commit: Commit) -> Iterator[tuple[Change, str]]:
    for change in commit.changes:
        if history.is_naming(change.path):
            yield from ((change, one) for one in (change.new, *change.old) if one is not None)
