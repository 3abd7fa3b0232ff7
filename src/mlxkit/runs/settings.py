"""What `mlx.yaml` says of run records."""

from typing import NamedTuple

from mlxkit.settings.load import section


class Settings(NamedTuple):
    """Whether runs are recorded; `max_file_size` of an untracked file in a snapshot, in bytes."""

    record: bool = True
    max_file_size: int = 1 << 20


def load_settings(root: str) -> Settings:
    """Read `runs` of the project's `mlx.yaml`; raises ProjectError, with file and line."""
    return Settings(**section(root, "runs"))
