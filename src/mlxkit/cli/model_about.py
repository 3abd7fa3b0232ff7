"""Opens project and index, and finds the version that is meant: for `show` and `card`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlxkit.cli.knowing import knowing
from mlxkit.cli.reading import reading

if TYPE_CHECKING:
    from mlxkit.lineage.index import Index
    from mlxkit.registry.about import About


@contextmanager
def knowing_about(what: str, *, quiet: bool) -> "Iterator[tuple[About, Index]]":
    """Gather what is known of a version; raises UsageError, MlxError."""
    from mlxkit.registry.about import about
    from mlxkit.registry.settle import require_git
    from mlxkit.runs.choose import project_of
    from mlxkit.versions.find import choose, read_registry

    with reading() as session:
        git_root = require_git(session)
        chosen = choose(read_registry(git_root), what, project_of(session.root, git_root))
        with knowing(quiet=quiet) as index:
            yield about(session, index, chosen), index
