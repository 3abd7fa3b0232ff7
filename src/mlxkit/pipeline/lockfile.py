"""`dvc.lock`: read, checked and written as DVC does, but each stage's block on its own."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from mlxkit.core import yaml
from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import ProjectError
from mlxkit.core.files import regular, write_atomic
from mlxkit.pipeline.lock_shape import check_shape

if TYPE_CHECKING:
    # What writing needs is imported when something is written.
    from mlxkit.pipeline.lock_text import Document, Put, Replay

_CACHE_VERSION: Final = "dvc.lock/1:"
_UNRANKED: Final = -1


class ParseCache(Protocol):
    """Keeps JSON-able values by key between runs."""

    def get(self, key: str) -> Any | None:
        """The value of `key`, or None."""

    def put(self, key: str, value: Any) -> None:
        """Remember `value`; it must not be changed afterwards."""


class CutLockError(ProjectError):
    """The lock is empty or ends in the middle: its writer was killed. `text` is what is left."""

    code = "cut-lock"

    def __init__(self, path: str, text: str) -> None:
        what = "ends in the middle" if text.strip() else "is empty"
        super().__init__(f"{what}: a writer was killed", where=path)
        self.text = text


def _unknown(path: str, stat: os.stat_result) -> str | None:
    return None


class LockFile:
    """The stages of one `dvc.lock`, and the changes that are to be written to it."""

    def __init__(
        self,
        path: str,
        raw: bytes | None,
        data: Mapping[str, Any],
        *,
        base: Iterable[str] | None = None,
        settled: bool = False,
    ) -> None:
        """Wrap the checked `data` of the content `raw`; `read` is the usual way to get one."""
        self.path = path
        self.stages: dict[str, dict[str, Any]] = dict(data.get("stages", {}))
        self.extra: dict[str, Any] = {
            key: value for key, value in data.items() if key not in ("schema", "stages")
        }
        self._disk = raw
        self._text = "" if raw is None else yaml.decode(raw, path)
        self._settled = settled
        self._in_file = tuple(self.stages)
        self._base = frozenset(self._in_file if base is None else base)
        self._ranks: dict[str, int] = {}
        self._puts: dict[str, Put] = {}
        self._replay: Replay | None = None

    @classmethod
    def read(
        cls,
        path: str,
        base: Iterable[str] | None = None,
        *,
        cache: ParseCache | None = None,
        known_digest: str | None = None,
        md5_of: Callable[[str, os.stat_result], str | None] = _unknown,
    ) -> "LockFile":
        """Read and check the lock at `path`; a missing file is an empty lock.

        `base` names the stages that keep their place, all of the file's by default. `known_digest`
        is the `digest` of a lock that was last written here. `md5_of` spares hashing a file that
        an index knows by its stat. Raises CutLockError for a file that
        its writer left unfinished, YamlError or ProjectError for an invalid one, OSError.
        """
        try:
            with open(path, "rb", opener=regular) as file:
                stat = os.fstat(file.fileno())
                raw = file.read()
        except FileNotFoundError:
            return cls(path, None, {}, base=base)
        known = md5_of(path, stat) if len(raw) == stat.st_size else None
        digest = known or md5_bytes(raw)
        data = cache.get(_CACHE_VERSION + digest) if cache is not None else None
        if data is None:
            data = parse(raw, path)
            if cache is not None and _survives_json(data):
                cache.put(_CACHE_VERSION + digest, data)
        settled = digest == known_digest
        return cls(path, raw, data, base=base, settled=settled)

    @property
    def digest(self) -> str | None:
        """The md5 of the file as it was read or last written; None if there is no file."""
        if self._disk is None:
            return None
        return md5_bytes(self._disk)

    def put(self, name: str, entry: dict[str, Any], rank: int) -> None:
        """Set the entry of a stage; a new stage takes its place by `rank`, DVC's running order.

        `entry` must not be changed afterwards.
        """
        from mlxkit.pipeline.lock_text import make_put

        self._puts[name] = make_put(name, entry, rank)
        self._ranks[name] = rank
        self.stages[name] = entry

    def set_ranks(self, ranks: Mapping[str, int]) -> None:
        """Give ranks to stages that are in the file but not in `base`."""
        self._ranks.update(ranks)

    def text(self) -> str:
        """The file's content, as if the stages had run one after the other under DVC."""
        if self._is_unchanged():
            return self._text
        if self._replay is None:
            from mlxkit.pipeline.lock_text import Replay

            self._replay = Replay(self._text, settled=self._settled)
        puts = tuple(sorted(self._puts.values(), key=lambda put: put.rank))
        result = self._replay.apply(puts)
        return result if isinstance(result, str) else self._ordered(result).text()

    def write(self) -> None:
        """Replace the file in one step; nothing happens if its content stays the same.

        Later puts still take their place by rank, among the stages that are written already.
        """
        if self._is_unchanged():
            return
        data = self.text().encode()
        if data != self._disk:
            write_atomic(self.path, data)
            self._disk = data

    def _is_unchanged(self) -> bool:
        return not self._puts and self._is_ordered(self._in_file)

    def _order(self, name: str) -> int:
        return self._ranks.get(name, _UNRANKED)

    def _is_ordered(self, names: Iterable[str]) -> bool:
        ranks = [self._order(name) for name in names if name not in self._base]
        return ranks == sorted(ranks)

    def _ordered(self, document: "Document") -> "Document":
        """The stages of the base first, then the new ones by rank."""
        if self._is_ordered(document.blocks):
            return document
        blocks = document.blocks
        names = [name for name in blocks if name in self._base]
        names += sorted((name for name in blocks if name not in self._base), key=self._order)
        return type(document)(
            document.prefix, {name: blocks[name] for name in names}, document.suffix
        )


def parse(raw: bytes, path: str) -> dict[str, Any]:
    """The checked data of a lock's content; errors as those of `LockFile.read`."""
    text = _decode(raw, path)
    try:
        data = yaml.load(text, path)
        check_shape(data, text, path)
    except ProjectError as error:
        if _is_cut(text):
            raise CutLockError(path, text) from error
        raise
    if not text.endswith("\n") and _is_cut(text):
        raise CutLockError(path, text)
    return dict(data)


def _decode(raw: bytes, path: str) -> str:
    """The text; a character that a cut has left unfinished at the end reads as a zero."""
    try:
        return yaml.decode(raw, path)
    except yaml.YamlError as error:
        cause = error.__cause__
        if isinstance(cause, UnicodeDecodeError) and cause.reason == "unexpected end of data":
            return yaml.decode(raw[: cause.start] + b"\0", path)
        raise


def _survives_json(data: Any) -> bool:
    import json

    try:
        return bool(json.loads(json.dumps(data, allow_nan=False)) == data)
    except (TypeError, ValueError):
        return False


def _is_cut(text: str) -> bool:
    from mlxkit.pipeline.lock_salvage import is_cut

    return is_cut(text)
