"""What mlx has laid out in the working tree, so that a later checkout can take it away again.

When another branch does not track a path any more, its data should go, but only if it is still
what the cache can give back. The list is a cache: without it, such data just stays.
"""

import os
from collections.abc import Iterable, Mapping

from mlxkit.core.memory import cache_path, recall, remember

_MEMORY = "laid.json"


def read(root: str) -> dict[str, str]:
    """Return path below the project -> md5."""
    return recall(cache_path(root, _MEMORY))


def note(root: str, present: Mapping[str, str], gone: Iterable[str] = ()) -> None:
    """Add what is present now (absolute path -> md5), take out what is gone."""
    before = read(root)
    now = dict(before)
    for path in gone:
        now.pop(os.path.relpath(path, root), None)
    for path, md5 in present.items():
        now[os.path.relpath(path, root)] = md5
    if now != before:
        remember(cache_path(root, _MEMORY), now)
