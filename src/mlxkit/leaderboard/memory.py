"""What lock files tell of measurements, remembered: a file that may be deleted at any time."""

import hashlib
from typing import Any

from mlxkit.core.memory import cache_path, recall, remember
from mlxkit.leaderboard.board import Measured

_FORMAT = 1
_KEPT = 50_000
Key = tuple[tuple[str | None, ...], str, str]
"""The blobs of the lock files, the metrics file and the test set."""


class Memory:
    """Measurements by what they were told from, in one file of the project's `.mlx/cache`."""

    def __init__(self, root: str) -> None:
        self._path = cache_path(root, "leaderboard.json")
        self._known: dict[str, Any] | None = None
        self._changed = False

    def recall(self, key: Key) -> Measured | None:
        """Return what is known of a measurement."""
        if self._known is None:
            self._known = recall(self._path)
        found = self._known.get(_name(key))
        try:
            return Measured(*found) if isinstance(found, list) else None
        except TypeError:
            return None

    def keep(self, key: Key, measured: Measured) -> None:
        """Remember a measurement, if it depends on nothing but the key."""
        # Where no digest is known, a folder's list may yet come into the cache.
        if self._known is not None and ((measured.digest and measured.md5) or not measured.key):
            self._known[_name(key)] = list(measured)
            self._changed = True

    def save(self) -> None:
        """Write what is new; where that cannot be done it is told again next time."""
        if self._changed and self._known is not None:
            remember(self._path, self._known, newest=_KEPT)
            self._changed = False


def _name(key: Key) -> str:
    text = repr((_FORMAT, key)).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
