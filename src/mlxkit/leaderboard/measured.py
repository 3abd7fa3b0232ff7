"""Which version of a test set a metrics file was measured on, told by what a commit records. Pure.

The stage that wrote the file is looked at, then those that made what it read, and so on: what
they record of the test set is what was measured on, whatever the file's name says.
"""

import hashlib
import posixpath
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache

from mlxkit.leaderboard.board import Measured
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.recipe import Used

Inside = Callable[[str, str], str | None]
"""Returns the digest of a file in a folder of that digest, None where nobody knows."""


class Recorded:
    """What one commit's lock and `.dvc` files record, by what was made."""

    def __init__(self, recipes: Iterable[Placed]) -> None:
        self._recipes = tuple(recipes)
        self._outs: dict[str, tuple[Placed, Used]] = {}
        for placed in self._recipes:
            for out in placed.recipe.outs:
                self._outs.setdefault(out.path, (placed, out))
        self._folders: dict[str, list[Placed]] | None = None

    def maker(self, path: str) -> tuple[Placed, Used] | None:
        """Return who made a path, or a folder that it lies in, and the output's record."""
        for one in and_above(path):
            if one in self._outs:
                return self._outs[one]
        return None

    def within(self, folder: str) -> Sequence[Placed]:
        """Return who made something in a folder."""
        if self._folders is None:
            self._folders = {}
            for path, (placed, _) in self._outs.items():
                for one in and_above(path)[1:]:
                    self._folders.setdefault(one, []).append(placed)
        return self._folders.get(folder, ())

    def reads(self, path: str) -> Iterable[Used]:
        """Yield the records of a path as a dependency."""
        return (one for placed in self._recipes for one in placed.recipe.deps if one.path == path)

    def is_made(self, path: str) -> bool:
        """Tell whether a stage made a path; added data are not made."""
        found = self.maker(path)
        return found is not None and found[0].recipe.cmd is not None


@lru_cache(maxsize=10_000)
def and_above(path: str) -> Sequence[str]:
    """Return a path, and the folders that it lies in, the nearest first."""
    found = [path]
    while "/" in path.strip("/"):
        path = path.rpartition("/")[0]
        found.append(path)
    return tuple(found)


def version_of(recorded: Recorded, test: str, inside: Inside) -> str | None:
    """Return the digest that a commit records of the test set; None where it records none."""
    found = recorded.maker(test)
    if found is not None:
        return _digest(found[1], test, inside)
    read = {one.md5 for one in recorded.reads(test) if one.md5}
    return read.pop() if len(read) == 1 else None


def measured(recorded: Recorded, file: str, test: str, inside: Inside) -> Measured:
    """Return the version of the test set that the metrics file was measured on, or why not."""
    found = recorded.maker(file)
    if found is None or found[0].recipe.cmd is None:
        return Measured(reason=f"no stage is on record that wrote {file}")
    first = found[0]
    digests: set[str | None] = set()
    seen = {first.key}
    left = [first]
    while left:
        for dep in left.pop().recipe.deps:
            if dep.path == test or test.startswith(dep.path + "/"):
                digests.add(_digest(dep, test, inside))
                continue
            makers, stale = _makers(recorded, dep)
            if stale:
                return Measured(reason=f"{dep.path} changed after it was used: run mlx repro")
            left += [one for one in makers if one.key not in seen]
            seen.update(one.key for one in makers)
    made = {one.path for one in first.recipe.deps if recorded.is_made(one.path)}
    key = key_of(file, first, made, test)
    return _judged(digests, key, file, test)._replace(md5=_digest(found[1], file, inside))


def _judged(digests: set[str | None], key: str, file: str, test: str) -> Measured:
    if not digests:
        return Measured(key=key, reason=f"{file} was not measured on {test}")
    if None in digests:
        return Measured(key=key, reason=f"the digest of {test} is not on record")
    if len(digests) > 1:
        return Measured(key=key, reason=f"{file} was measured on {len(digests)} versions of {test}")
    return Measured(digests.pop(), key)


def _makers(recorded: Recorded, dep: Used) -> tuple[Sequence[Placed], bool]:
    """Return who made what was read, and whether it was made again since."""
    found = recorded.maker(dep.path)
    if found is None:
        return recorded.within(dep.path), False
    placed, out = found
    again = out.path == dep.path and bool(out.md5 and dep.md5) and out.md5 != dep.md5
    return [placed], again


def _digest(used: Used, path: str, inside: Inside) -> str | None:
    """Return the digest of a path that is what was recorded, or lies in it."""
    if not used.md5 or used.path == path:
        return used.md5 or None
    return inside(used.md5, posixpath.relpath(path, used.path))


def key_of(file: str, placed: Placed, made: Collection[str], test: str) -> str:
    """Name what a stage measured when it wrote `file`: the digests of what stages had made for it.

    So the same predictions judged by changed code are the same. Where nothing of it was made by a
    stage, all that it read names it.
    """
    recipe = placed.recipe
    read = sorted((one.path, one.md5) for one in recipe.deps if one.path != test)
    inputs: object = [one for one in read if one[0] in made]
    if not inputs:
        params = sorted((name, sorted(each.items())) for name, each in recipe.params.items())
        inputs = (read, recipe.cmd, params)
    text = repr((file, inputs)).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=8).hexdigest()
