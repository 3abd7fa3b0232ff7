"""Is there new data: imports, asked where they came from, and stages that look themselves."""

import os
from typing import NamedTuple

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.core.yaml import decode, load
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage
from mlxkit.tools import dvc


class News(NamedTuple):
    """The imports, by path from the project's root, those with new data, and stages that look.

    What `asking` stages read, of an address or each time they run, is known when they ran.
    """

    imports: list[str]
    changed: list[str]
    asking: list[str]

    @property
    def may_be(self) -> bool:
        """Tell whether there is anything to run for."""
        return bool(self.changed or self.asking)


def update_imports(session: Session) -> News:
    """Bring every import up to date with its source; raises RemoteError where one cannot be.

    DVC does it: what did not change there is not brought again.
    """
    sources = sorted({one.file for one in session.declared.stages if one.is_source})
    contents = {path: _content(path) for path in sources}
    before = {path: data for path, data in contents.items() if _is_import(data, path)}
    imports = list(before)
    for path in imports:
        code, said = dvc.capture(["update", path])
        if code != 0:
            shown = os.path.relpath(path)
            raise RemoteError(f"no update: {said}", where=shown, hint=f"try: mlx update {shown}")
    names = {path: os.path.relpath(path, session.root) for path in imports}
    changed = [names[path] for path in imports if _content(path) != before[path]]
    asking = [one for one in session.declared.stages if not one.frozen and _asks(one)]
    return News(list(names.values()), changed, [one.address(session.root) for one in asking])


def _asks(stage: Stage) -> bool:
    """Tell whether only a run of the stage finds out if what it reads is new."""
    return not stage.is_source and (stage.always or any("://" in dep.path for dep in stage.deps))


def _is_import(data: bytes, path: str) -> bool:
    """Tell whether a `.dvc` file says where its data come from."""
    if b"deps:" not in data:
        return False
    shown = os.path.relpath(path)
    document = load(decode(data, shown), shown)
    return isinstance(document, dict) and bool(document.get("deps"))


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise MlxError(f"cannot be read: {error.strerror}", where=os.path.relpath(path)) from None
