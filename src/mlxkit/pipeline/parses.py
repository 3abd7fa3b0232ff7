"""Parsed lock files, remembered by the digest of their text."""

from typing import Any

from mlxkit.core.memory import cache_path, recall, remember

KEPT = 16


class Parses:
    """The memory of one project, read when first asked."""

    def __init__(self, root: str) -> None:
        self._path = cache_path(root, "locks.json")
        self._known: dict[str, Any] | None = None
        self._changed = False

    def get(self, key: str) -> Any | None:
        """Return what was kept by `key`, or None."""
        if self._known is None:
            self._known = recall(self._path)
        return self._known.get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep `value`; it must not be changed afterwards."""
        if self.get(key) != value:
            assert self._known is not None
            self._known[key] = value
            self._changed = True

    def save(self) -> None:
        """Write what was added."""
        if self._changed and self._known is not None:
            remember(self._path, self._known, newest=KEPT)
            self._changed = False
