"""Which of a repository's projects a path belongs to: a score is of one, not of its neighbours."""

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

_CONFIG = ".dvc/config"


class Projects(NamedTuple):
    """The folder of the project that is scored, and those of the others; "" is the top."""

    own: str = ""
    others: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Tell whether the nearest project above a path of the repository is the one scored."""
        while path != self.own:
            if path in self.others or not path:
                return False
            path = posixpath.dirname(path)
        return True

    def lies_in(self, folder: str) -> bool:
        """Tell whether the project is that folder, or below it."""
        return not folder or f"{self.own}/".startswith(f"{folder}/")


ALONE = Projects()
"""The project of a repository that has no other."""


def projects(own: str, files: Iterable[str]) -> Projects:
    """Return the projects that a commit has, by the paths of its files."""
    configs = (one for one in files if one == _CONFIG or one.endswith(f"/{_CONFIG}"))
    return Projects(own, frozenset(one[: -len(_CONFIG)].rstrip("/") for one in configs) - {own})
