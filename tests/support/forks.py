"""Commands in a fork of this process, where what the system answers can be chosen."""

import builtins
import errno
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .commands import Result
from .project import Project

# What takes room on a disk. Renaming and deleting do not.
_WRITING = ("write", "pwrite", "writev", "sendfile", "copy_file_range", "mkdir", "symlink", "link")


def in_fork(project: Project, args: tuple[str, ...], prepare: Callable[[], object]) -> Result:
    """Run `mlx ARGS` in the project after `prepare`; killed, its code is negative."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            code = 255
            try:
                code = _run(project, args, prepare, out.fileno(), err.fileno())
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = [
            os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace") for file in (out, err)
        ]
    return Result(("mlx", *args), code, *texts)


def _run(
    project: Project, args: tuple[str, ...], prepare: Callable[[], object], out: int, err: int
) -> int:
    from mlxkit.cli.app import run

    os.chdir(project.root)
    os.environ.clear()
    os.environ.update(project.tools.env)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = (os.fdopen(fd, "w", closefd=False) for fd in (1, 2))
    prepare()
    code = run(args)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


class FullDisk:
    """From the write number `after` on, 0 the first one, there is no room for any more."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self) -> None:
        """Make it so, for this process."""
        for name in _WRITING:
            setattr(os, name, self._counted(getattr(os, name)))
        os_open, builtin_open = os.open, builtins.open

        def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
            unnamed = getattr(os, "O_TMPFILE", 0)
            if (flags & os.O_CREAT and not os.path.lexists(path)) or flags & unnamed == unnamed:
                self._spend()
            return os_open(path, flags, *args, **options)

        def opened_as_file(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not isinstance(path, int) and set(mode) & set("wax+"):
                self._spend()
            return builtin_open(path, mode, *args, **options)

        os.open = opened
        builtins.open = opened_as_file

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if args[0] not in (1, 2):  # what is said takes no room
                self._spend()
            return real(*args, **options)

        return call

    def _spend(self) -> None:
        if self._left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._left -= 1
