"""What `mlx.yaml` says of a rebuild: `verify: {tolerance: {"metrics/*.json": 1e-6}}`."""

import fnmatch
from collections.abc import Mapping

from mlxkit.settings.load import section


class Tolerances:
    """How far the numbers of a metrics file may be off, by patterns of its path."""

    def __init__(self, by_pattern: Mapping[str, float] | None = None) -> None:
        self._by_pattern = dict(by_pattern or {})

    def of(self, path: str) -> float | None:
        """Return the tolerance of a path (from the project's root): the first pattern counts."""
        for pattern, value in self._by_pattern.items():
            if fnmatch.fnmatchcase(path, pattern):
                return value
        return None


def read_tolerances(root: str) -> Tolerances:
    """Read `verify` of the project's `mlx.yaml`; raises ProjectError, with file and line."""
    return Tolerances(section(root, "verify")["tolerance"])
