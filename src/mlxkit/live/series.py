"""What metrics do while they are written: the files of a stage that runs, looked at as they grow.

Nothing is written and nothing is locked, and a file that did not change costs one `stat`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from mlxkit.live.document import Document, Rows, Value
from mlxkit.live.history import History
from mlxkit.live.table import Table, is_step
from mlxkit.metrics.preferences import Preference

_TABLES = (".csv", ".tsv")
_DOCUMENTS = (".json", ".yaml", ".yml")
_MOST_ENTRIES = 5000
_MOST_FILES = 200
_DVCLIVE = "/plots/metrics/"

Stamp = tuple[int, int, int]
"""Inode, size and time: another one, another content."""


class Source(NamedTuple):
    """A file or a folder that a stage writes metrics or points of plots to."""

    path: str
    plot: bool = False


class Series(NamedTuple):
    """A metric: its newest value, and its points, oldest first."""

    name: str
    value: Value
    points: tuple[float, ...] = ()

    @property
    def moves(self) -> bool:
        """True where there is a curve to see."""
        return len(set(self.points)) > 1


class Reader(Protocol):
    """One file that may change."""

    def look(self) -> None: ...
    def series(self) -> Mapping[str, tuple[Value, History]]: ...


class Watch:
    """The metrics below some sources; files from before, or from before `since`, are left out."""

    def __init__(self, sources: Sequence[Source], since: float | None = None) -> None:
        self._sources = sources
        self._since = since
        self._stamps: dict[tuple[str, bool], Stamp] = {}
        self._readers: dict[tuple[str, bool], Reader] = {}
        if since is None:
            self._stamps = {(path, plot): stamp for path, plot, stamp in self._files()}

    def look(self) -> list[Series]:
        """Read what changed, and return all that is known."""
        present = set()
        for path, plot, stamp in self._files():
            present.add((path, plot))
            if self._stamps.get((path, plot)) != stamp and self._is_new(stamp):
                self._read(path, plot)
                self._stamps[path, plot] = stamp
        for key in self._stamps.keys() - present:  # what is written next begins anew
            del self._stamps[key]
            self._readers.pop(key, None)
        return _series(self._readers)

    def _is_new(self, stamp: Stamp) -> bool:
        return self._since is None or stamp[2] >= self._since * 1e9

    def _read(self, path: str, plot: bool) -> None:
        reader = self._readers.get((path, plot)) or _reader(path, plot)
        try:
            reader.look()
        except OSError:  # gone, or not ours to read
            return
        self._readers[path, plot] = reader

    def _files(self) -> Iterator[tuple[str, bool, Stamp]]:
        count = 0
        for source in self._sources:
            for path, plot in _files(source):
                try:
                    stat = os.stat(path)
                except OSError:
                    continue
                yield path, plot, (stat.st_ino, stat.st_size, stat.st_mtime_ns)
                count += 1
                if count == _MOST_FILES:
                    return


def order(series: Iterable[Series], known: Mapping[str, Preference]) -> list[Series]:
    """Put first what `mlx.yaml` names, in its order, then what moves; counters come last."""
    places = {name: place for place, name in enumerate(known)}

    def rank(one: Series) -> tuple[int, int]:
        name = plain_name(one.name)
        last = name.rsplit(".", 1)[-1]
        place = places.get(name, places.get(last))
        if place is not None:
            return 0, place
        return (3 if is_step(last) else 1 if one.moves else 2), 0

    return sorted(series, key=rank)


def plain_name(name: str) -> str:
    """Return a metric's name without that of its file, which it has where several share it."""
    return name.rpartition(":")[2]


def _reader(path: str, plot: bool) -> Reader:
    if plot:
        return Table(path) if path.lower().endswith(_TABLES) else Rows(path)
    return Document(path)


def _files(source: Source) -> Iterator[tuple[str, bool]]:
    """Yield the files that may have numbers, and whether they have them as rows."""
    paths = _below(source.path) if os.path.isdir(source.path) else [source.path]
    for path in paths:
        lower = path.lower()
        if lower.endswith(_TABLES):
            yield path, True
        elif lower.endswith(_DOCUMENTS):
            yield path, source.plot
        elif lower.endswith(".toml") and not source.plot:
            yield path, False


def _below(folder: str) -> list[str]:
    """List files in a folder, without looking at more than some thousands."""
    found: list[str] = []
    folders, seen = [folder], 0
    while folders and seen < _MOST_ENTRIES:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        found.append(entry.path)
                    if seen == _MOST_ENTRIES:
                        break
        except OSError:
            continue
    return sorted(found)


def _series(readers: Mapping[tuple[str, bool], Reader]) -> list[Series]:
    """Name what was read; a metric that is in a table, too, has its points from there."""
    found: dict[str, Series] = {}
    for plots in (True, False):
        files = {path: one.series() for (path, plot), one in readers.items() if plot is plots}
        for name, (value, history) in _named(files).items():
            points = () if is_step(name.rsplit(".", 1)[-1]) else history.points()
            if name not in found or len(points) > len(found[name].points):
                found[name] = Series(name, value, points)
    return list(found.values())


def _named(
    files: Mapping[str, Mapping[str, tuple[Value, History]]],
) -> dict[str, tuple[Value, History]]:
    """Return the values of several files by name; where two files share one, with the file's."""
    names = [
        (_name(path, name), path, told)
        for path, values in files.items()
        for name, told in values.items()
    ]
    all_names = [name for name, _, _ in names]
    twice = {path for name, path, _ in names if all_names.count(name) > 1}
    tails = _tails(twice)
    return {
        f"{tails[path]}:{name}" if all_names.count(name) > 1 else name: told
        for name, path, told in names
    }


def _name(path: str, name: str) -> str:
    """Return a metric's name; dvclive keeps each in a file of its own, in folders by its name."""
    _, found, tail = path.rpartition(_DVCLIVE)
    stem = os.path.splitext(tail)[0]
    return stem.replace("/", ".") if found and os.path.basename(stem) == name else name


def _tails(paths: Iterable[str]) -> dict[str, str]:
    """Return the shortest ends of paths, without endings, that tell them apart."""
    parts = {path: os.path.splitext(path)[0].split("/") for path in paths}
    for length in range(1, max(map(len, parts.values()), default=0) + 1):
        tails = {path: "/".join(one[-length:]) for path, one in parts.items()}
        if len(set(tails.values())) == len(tails):
            return tails
    return {path: path for path in paths}
