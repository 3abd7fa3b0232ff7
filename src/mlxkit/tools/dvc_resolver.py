"""What DVC's resolver asks of a repository, and what it says of a project file that is wrong."""

import os
from collections.abc import Callable
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.files import regular
from mlxkit.core.yaml import key_line

Content = Callable[[str], bytes | None]
"""What a file of another revision holds, by its absolute path; None for no file."""


class _RecordingFs:
    """DVC's local file system that notes which files the resolver asked for, present or not."""

    def __init__(self) -> None:
        from dvc.fs import localfs

        self._fs = localfs
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def exists(self, path: str) -> bool:
        self.asked.add(os.path.abspath(path))
        return bool(self._fs.exists(path))

    def open(self, path: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(os.path.abspath(path))
        os.close(regular(path, os.O_RDONLY))  # a pipe, or a device, would never end
        return self._fs.open(path, *args, **kwargs)


class _RevisionFs(_RecordingFs):
    """The same for files of another revision."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def exists(self, path: str) -> bool:
        self.asked.add(os.path.abspath(path))
        return self._content(os.path.abspath(path)) is not None

    def isdir(self, path: str) -> bool:
        return False

    def open(self, path: str, *args: Any, **kwargs: Any) -> Any:
        import io

        found = self._content(os.path.abspath(path))
        if found is None:
            raise FileNotFoundError(path)
        return io.TextIOWrapper(io.BytesIO(found), encoding="utf-8")


class ResolverSource:
    """The two things that DVC's resolver asks of a repository."""

    def __init__(self, config: dict[str, Any], content: Content | None = None) -> None:
        self.fs = _RecordingFs() if content is None else _RevisionFs(content)
        self.config = config


def invalid(error: Any, text: str, shown: str) -> ProjectError:
    """Say where a file breaks its schema: the deepest error is the telling one."""
    worst = max(error.errors, key=lambda one: len(one.path))
    path = tuple(getattr(part, "schema", part) for part in worst.path)
    line = None
    for end in range(len(path), -1, -1):
        line = key_line(text, path[:end])
        if line is not None:
            break
    dotted = ".".join(str(part) for part in path)
    what = worst.error_message if hasattr(worst, "error_message") else str(worst)
    return ProjectError(
        f"{what} at '{dotted}'" if dotted else str(what),
        where=f"{shown}:{line}" if line else shown,
        hint=f"correct '{dotted}' in {shown}" if dotted else f"correct {shown}",
    )


def unresolved(error: Exception, data: dict[str, Any], text: str, shown: str) -> ProjectError:
    """Say what of a template could not be filled in, and where."""
    unread = _unread(error)
    if unread is not None:
        return unread
    message = one_line(error)
    names = sorted(data.get("stages") or {}, key=len, reverse=True)
    named = [name for name in names if f"stages.{name}" in message]
    named += [name for name in names if f"'{name}" in message]
    line = key_line(text, ("stages", named[0])) if named else None
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint="check the name in `${...}` and the files listed under `vars`",
    )


def _unread(error: BaseException | None) -> ProjectError | None:
    """Say which file of values cannot be read, if that is what is wrong."""
    from dvc.utils.serialize import ParseError

    while error is not None and not isinstance(error, ParseError):
        error = error.__cause__
    if error is None:
        return None
    path = str(error.path)
    mark = getattr(error.__cause__, "problem_mark", None)
    return ProjectError(
        one_line(error).removeprefix(f"unable to read: '{path}', "),
        where=f"{path}:{mark.line + 1}" if mark is not None else path,
        hint=f"correct {path}; where a merge left <<<<<<< in it, resolve that: git status",
    )


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
