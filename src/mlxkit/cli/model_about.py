"""Opens project and index of the version that is meant: for `show` and `card`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlxkit.cli.knowing import knowing
from mlxkit.cli.model_place import holding

if TYPE_CHECKING:
    from mlxkit.lineage.index import Index
    from mlxkit.registry.about import About


@contextmanager
def knowing_about(what: str, *, quiet: bool) -> "Iterator[tuple[About, Index]]":
    """Gather what is known of a version; raises UsageError, MlxError."""
    from mlxkit.registry.about import about

    with (
        holding(what, gone=True) as (session, chosen),
        knowing(session.root, quiet=quiet) as index,
    ):
        yield about(session, index, chosen), index
