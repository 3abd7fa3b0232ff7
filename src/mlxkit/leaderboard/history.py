"""Reads what many commits record and measured, each shared file of theirs once."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from mlxkit.comparison.values import Unparsed, parse
from mlxkit.core.digest import md5_bytes
from mlxkit.leaderboard.board import Candidate, Entry, Measured, Score
from mlxkit.leaderboard.measured import Recorded, and_above, measured
from mlxkit.leaderboard.memory import Key, Memory
from mlxkit.leaderboard.score import score
from mlxkit.lineage import blobs
from mlxkit.lineage.facts import Reader
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import cached, files_of
from mlxkit.lineage.placed import from_top, naming
from mlxkit.lineage.productions import folder_of
from mlxkit.lineage.schema import DEP, OUT
from mlxkit.lineage.writer import chunks
from mlxkit.metrics.load import flatten, keep_metrics

_FORMS = ((b"", b""), (b"\r\n", b"\n"), (b"\n", b"\r\n"))
"""Line ends: a lock has the digest of the file in the working tree, Git may keep another form."""


class History:
    """The commits of one repository, as far as a leaderboard asks; paths are the project's."""

    def __init__(self, index: Index, paths: Iterable[str]) -> None:
        """`paths` are those that will be asked for: metrics files, the test set."""
        self._index = index
        self._prefix = folder_of(index)
        folders = [file for (file,) in index.db.execute("SELECT file FROM folders")]
        self._reader = Reader(index.git_root, folders=folders)
        self._locks = sorted({naming(one) for one in self._files(map(self.placed, paths))})
        self._memory = Memory(index.root)
        self._ids: dict[str, tuple[str | None, ...]] = {}
        self._recorded: dict[tuple[str | None, ...], Recorded] = {}
        self._measured: dict[Key, Measured] = {}
        self.inside = cache(self._inside)

    def placed(self, path: str) -> str:
        """Return a path of the project as seen from the repository's top."""
        return from_top(self._prefix or ".", path)

    def recorded(self, commit: str) -> Recorded:
        """Return what one commit records of the paths asked for; raises MlxError."""
        self._look([commit])
        return self._read(commit)

    def entries(
        self, wanted: Sequence[tuple[Candidate, str, str]], metric: str, test: str
    ) -> list[Entry]:
        """Return the entry of each candidate, model and metrics file; raises MlxError."""
        measured = self._all_measured([(one.commit, file) for one, _, file in wanted], test)
        names = [f"{one.commit}:{self.placed(file)}" for one, _, file in wanted]
        ids = blobs.lookup(self._index.git_root, names)
        texts = blobs.blobs(self._index.git_root, ids.values())
        scores: dict[tuple[str, str], tuple[Score, bytes | None]] = {}
        found = []
        for name, (candidate, model, file) in zip(names, wanted, strict=True):
            was = measured[candidate.commit, file]
            key = (file, ids.get(name) or was.md5 or "")
            if key not in scores:
                data = texts.get(ids.get(name, ""))
                if data is None and was.md5:
                    data = cached(self._index.root, was.md5)
                scores[key] = _score(file, data, was.md5, metric), data
            score, data = scores[key]
            if not was.reason and data is not None and was.md5 and not _is(data, was.md5):
                was = was._replace(reason=f"{file} is not what the lock records: run mlx repro")
            found.append(Entry(candidate, model, was, score))
        return found

    def _all_measured(
        self, wanted: Sequence[tuple[str, str]], test: str
    ) -> dict[tuple[str, str], Measured]:
        """Return what each commit's metrics file was measured on; remembered by the lock files."""
        self._look([commit for commit, _ in wanted])
        unknown: dict[Key, str] = {}
        for commit, file in wanted:
            key = (self._ids[commit], file, test)
            if key not in self._measured:
                known = self._memory.recall(key)
                if known is not None:
                    self._measured[key] = known
                else:
                    unknown[key] = commit
        self._reader.look_ahead(
            [(commit, lock) for commit in dict.fromkeys(unknown.values()) for lock in self._locks]
        )
        for key, commit in unknown.items():
            paths = self.placed(key[1]), self.placed(test)
            found = measured(self._read(commit), *paths, self.inside)
            self._measured[key] = found
            if not self._reader.folders and not self._reader.lacks:
                self._memory.keep(key, found)
        self._memory.save()
        return {one: self._measured[self._ids[one[0]], one[1], test] for one in wanted}

    def _look(self, commits: Iterable[str]) -> None:
        """Find which versions of the lock files commits have; what they say depends on no more,
        but where stages have folders of their own: those are told in `dvc.yaml`."""
        new = [one for one in dict.fromkeys(commits) if one not in self._ids]
        ids = iter(self._reader.look([f"{oid}:{lock}" for oid in new for lock in self._locks]))
        for oid in new:
            key = tuple(next(ids) for _ in self._locks)
            self._ids[oid] = (oid, *key) if self._reader.folders else key

    def _read(self, commit: str) -> Recorded:
        key = self._ids[commit]
        if key not in self._recorded:
            found = self._reader.at(commit, self._locks)
            self._recorded[key] = Recorded(one for each in found.values() for one in each)
        return self._recorded[key]

    def _inside(self, folder: str, part: str) -> str | None:
        return files_of(self._index, folder).get(part)

    def _files(self, paths: Iterable[str]) -> set[str]:
        """Return the files that ever declared these paths, and all that these were made of."""
        seen: set[str] = set()
        files: set[str] = set()
        level = {one for path in paths for one in and_above(path)}
        while level:
            seen |= level
            found: set[str] = set()
            for part in chunks(sorted(level)):
                marks = ",".join("?" * len(part))
                for file, path in self._index.db.execute(
                    "SELECT DISTINCT file, read.path FROM things made"
                    " JOIN uses a ON a.thing = made.id AND a.role = ?"
                    " JOIN recipes ON recipes.id = a.recipe"
                    " LEFT JOIN uses b ON b.recipe = a.recipe AND b.role = ?"
                    f" LEFT JOIN things read ON read.id = b.thing WHERE made.path IN ({marks})",
                    (OUT, DEP, *part),
                ):
                    files.add(file)
                    found.update(and_above(path) if path else ())
            level = found - seen
        return files


def _is(data: bytes, md5: str) -> bool:
    return any(md5_bytes(data.replace(*form) if form[0] else data) == md5 for form in _FORMS)


def _score(file: str, data: bytes | None, recorded: str | None, metric: str) -> Score:
    if data is None:
        why = "is not in the cache: run mlx fetch" if recorded else "is not there"
        return Score(reason=f"{file} {why}")
    try:
        values: Mapping[str, object] = flatten(keep_metrics(parse(file, data)) or {})
    except Unparsed as error:
        return Score(reason=str(error))
    except RecursionError:
        return Score(reason=f"{file} is nested too deeply")
    found = score(values, metric)
    return found._replace(reason=f"{file}: {found.reason}") if found.reason else found
