"""How two experiments, revisions or the working tree differ in metrics and parameters."""

import os
from typing import NamedTuple

from mlxkit.comparison.asking import Compared, ask_metrics, ask_params, compare
from mlxkit.pipeline.session import Session


class Difference(NamedTuple):
    """What changed; paths as seen from the current folder."""

    metrics: Compared
    params: Compared

    @property
    def warnings(self) -> list[str]:
        """Return what could not be read, each once."""
        return list(dict.fromkeys([*self.metrics.warnings, *self.params.warnings]))


def compare_experiments(
    session: Session, old: str, new: str, *, unchanged: bool = False, deps_only: bool = False
) -> Difference:
    """Compare two; raises UsageError for what is neither experiment nor revision, MlxError."""
    asked = ask_params(deps_only=deps_only)
    return Difference(
        compare(session, ask_metrics(), old, new, unchanged=unchanged),
        compare(session, asked, old, new, unchanged=unchanged),
    )


def from_root(root: str, path: str) -> str:
    """Return a path, seen from the current folder, as seen from the project's root."""
    return os.path.relpath(os.path.abspath(path), root)
