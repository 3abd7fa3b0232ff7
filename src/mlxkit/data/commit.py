"""Recording data that has changed behind its `.dvc` file."""

import os
from collections.abc import Callable, Sequence

from mlxkit.core.errors import MlxError
from mlxkit.core.progress import SILENT, Progress
from mlxkit.data import dvcfile
from mlxkit.data.add import Added, LeftToDvc, record
from mlxkit.data.tracked import Tracked, tracked
from mlxkit.pipeline.session import RunSession


def commit(
    session: RunSession,
    targets: Sequence[str],
    *,
    with_deps: bool = False,
    recursive: bool = False,
    relink: bool = True,
    agreed: Callable[[str], bool],
    progress: Progress = SILENT,
) -> list[Added]:
    """Record what the named data sources hold now; `agreed` is asked of each that has changed.

    Raises LeftToDvc where a stage of a pipeline is meant, or a part of a folder; MlxError where
    data is missing, or a change is not agreed to.
    """
    wanted = tracked(session, targets, with_deps=with_deps, recursive=recursive)
    for one in wanted:
        if not _is_ours(one):
            raise LeftToDvc(f"'{one.out.path}' is not a plain data source")
    changed = [one for one in wanted if _changed(session, one)]
    for one in changed:
        shown = os.path.relpath(one.path)
        if not agreed(shown):
            raise MlxError(f"'{shown}' has changed", hint="to record it as it is: --force")
    done = record(session, [one.path for one in wanted], relink=relink, progress=progress)
    session.touched.clear()  # as DVC: only `add` puts its files into Git's index
    return done


def _is_ours(one: Tracked) -> bool:
    plain = one.stage.is_source and not one.stage.delegated and one.out.cache
    return plain and one.within is None and one.stage.file == dvcfile.place(one.path)


def _changed(session: RunSession, one: Tracked) -> bool:
    md5 = session.workspace.md5(one.path)
    if md5 is None:
        raise MlxError(
            f"'{os.path.relpath(one.path)}' is missing",
            hint=f"bring it back with: mlx checkout {one.stage.address(os.getcwd())}",
        )
    return md5 != one.md5
