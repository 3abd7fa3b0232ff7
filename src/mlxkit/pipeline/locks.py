"""The project's lock files during one command: read late, written seldom, never half.

Writing after every stage would be quadratic. Here a file is written when at least ten times the
duration of the last write has passed since then, so at most a tenth of a run goes into it. What a
kill may lose of it, the run-cache gives back.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlxkit.core.files import write_atomic
from mlxkit.core.yaml import ConflictError
from mlxkit.pipeline.lockfile import CutLockError, LockFile, parse
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.tools import git

SHARE = 10
Stamp = tuple[int, int, int] | None


class Locks:
    """The lock files by path, with what this run put into them."""

    def __init__(
        self,
        git_root: str | None,
        cache: Any,
        bases: Mapping[str, list[str]],
        say: Callable[[str], None],
        md5_of: Callable[[str, os.stat_result], str | None],
    ) -> None:
        """`bases`: the stage names in each file before a run that was killed."""
        self._git_root = git_root
        self._cache = cache
        self._bases = dict(bases)
        self._ranks: dict[str, dict[str, int]] = {}
        self._say = say
        self._md5_of = md5_of
        self._files: dict[str, LockFile] = {}
        self._stamps: dict[str, Stamp] = {}
        self._put: dict[str, dict[str, Entry]] = {}
        self._dirty: set[str] = set()
        self._flushed = 0.0
        self._cost = 0.0
        self._theirs: dict[str, Mapping[str, Entry]] = {}
        self.mended: set[str] = set()

    @property
    def dirty(self) -> set[str]:
        """The files that a flush would write."""
        return self._dirty

    @property
    def paths(self) -> list[str]:
        """The lock files that were read."""
        return list(self._files)

    def set_order(self, order: Sequence[Stage]) -> None:
        """Tell DVC's order of stages: new entries are written in it, whoever ends first."""
        for rank, stage in enumerate(order):
            if stage.name is not None:
                self._ranks.setdefault(stage.lock_path, {})[stage.name] = rank
        for path, file in self._files.items():
            file.set_ranks(self._ranks.get(path, {}))

    def entry(self, stage: Stage) -> Entry | None:
        """Return the stage's entry, None where there is none; for a `.dvc` file, its own record."""
        if stage.name is None:
            return stage.recorded
        return self._file(stage.lock_path).stages.get(stage.name)

    def theirs(self, stage: Stage) -> Entry | None:
        """Return what the other side of a merge has of a stage that is in conflict."""
        return self._theirs.get(stage.lock_path, {}).get(stage.name or "")

    def put(self, stage: Stage, entry: Entry) -> None:
        """Replace or add the stage's entry; it reaches the disk with the next flush."""
        assert stage.name is not None
        path = stage.lock_path
        # Spelled out, for 1, 1.0 and true are equal to Python and not to a reader of the file.
        same = repr(self._file(path).stages.get(stage.name)) == repr(entry)
        if same and path not in self.mended:
            self._put.setdefault(path, {})[stage.name] = entry
            return
        self._file(path).put(stage.name, entry, self._rank(path, stage.name))
        self._put.setdefault(path, {})[stage.name] = entry
        self._dirty.add(path)

    def base(self, path: str) -> list[str]:
        """Return the names that were in the file when the run began."""
        self._file(path)
        return self._bases[path]

    def due(self) -> bool:
        """Tell whether a flush is worth its cost now."""
        return bool(self._dirty) and time.monotonic() - self._flushed >= SHARE * self._cost

    def flush(self) -> list[str]:
        """Write what changed; return the paths written."""
        began = time.monotonic()
        written = sorted(self._dirty)
        for path in written:
            if _stamp(path) != self._stamps[path]:
                self._reload(path)  # plain dvc wrote to it meanwhile: ours goes on top
            if path in self.mended:
                self._write_mended(path)
            else:
                self._files[path].write()
            self._stamps[path] = _stamp(path)
            self._cache.put(f"written:{path}", self._files[path].digest)
        self._dirty.clear()
        self._flushed = time.monotonic()
        self._cost = self._flushed - began
        return written

    def _write_mended(self, path: str) -> None:
        """Write a file anew; without a single stage there is none, as DVC refuses an empty one."""
        self.mended.discard(path)
        if self._files[path].stages:
            write_atomic(path, self._files[path].text().encode())
        else:
            os.unlink(path)
        self._files[path] = self._read(path)

    def _rank(self, path: str, name: str) -> int:
        return self._ranks.get(path, {}).get(name, 1 << 30)

    def _file(self, path: str) -> LockFile:
        if path not in self._files:
            self._stamps[path] = _stamp(path)
            self._files[path] = self._read(path)
        return self._files[path]

    def _reload(self, path: str) -> None:
        self._stamps[path] = _stamp(path)
        self._files[path] = self._read(path)
        for name, entry in self._put.get(path, {}).items():
            self._files[path].put(name, entry, self._rank(path, name))

    def _read(self, path: str) -> LockFile:
        try:
            found = LockFile.read(
                path,
                base=self._bases.get(path),
                cache=self._cache,
                known_digest=self._cache.get(f"written:{path}"),
                md5_of=self._md5_of,
            )
        except CutLockError as error:
            found = self._mend(path, error)
        except ConflictError as error:
            found = self._merge(path, error)
        self._bases.setdefault(path, list(found.stages))
        found.set_ranks(self._ranks.get(path, {}))
        return found

    def _mend(self, path: str, error: CutLockError) -> LockFile:
        """Take what is whole of a file that a killed dvc left cut, the rest from Git's version."""
        from mlxkit.pipeline.lock_salvage import salvage

        saved = salvage(error.text, self._committed(path))
        if saved is None:
            raise error
        self.mended.add(path)
        self._dirty.add(path)
        lost = f", lost: {', '.join(saved.lost)}" if saved.lost else ""
        self._say(
            f"{os.path.relpath(path)} was cut short by a kill: {len(saved.kept)} of its stages "
            f"are whole, {len(saved.stages) - len(saved.kept)} come from Git's version{lost}"
        )
        data = {"schema": "2.0", "stages": saved.stages}
        return LockFile(path, saved.text.encode(), data, base=self._bases.get(path))

    def _merge(self, path: str, error: ConflictError) -> LockFile:
        """Merge both sides of a file in conflict again, a stage at a time, and not by lines.

        Where they clash, ours stands: it is as true as theirs, and judged by the inputs of now.
        """
        from mlxkit.pipeline.lock_conflict import merge_again

        merged = merge_again(self._git_root, path, error)
        self._theirs[path] = merged.theirs
        self.mended.add(path)
        self._dirty.add(path)
        left = f"; of {', '.join(merged.conflicts)} it has ours" if merged.conflicts else ""
        self._say(f"{os.path.relpath(path)} is in conflict: read as the merge by stages{left}")
        raw = merged.settled.encode()
        return LockFile(path, raw, parse(raw, path), base=self._bases.get(path))

    def _committed(self, path: str) -> str | None:
        if self._git_root is None:
            return None
        return git.show(self._git_root, f"HEAD:{os.path.relpath(path, self._git_root)}")


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
