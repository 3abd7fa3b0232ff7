"""One object that holds what a test needs to run commands: the environment and the warm dvc."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .commands import DvcServer, Result, StrPath, dvc_argv, mlx_argv, run


@dataclass(frozen=True)
class Tools:
    """`dvc`, `mlx`, `git` and a shell in one isolated environment."""

    env: Mapping[str, str]
    server: DvcServer

    def dvc(self, cwd: StrPath, *args: str) -> Result:
        """`dvc ARGS` in a fork of the warm process."""
        return self.server.run(args, cwd)

    def dvc_plain(self, cwd: StrPath, *args: str) -> Result:
        """`python -m dvc ARGS`, started from nothing."""
        return run(dvc_argv(*args), cwd, self.env)

    def mlx(self, cwd: StrPath, *args: str, **env: str) -> Result:
        """`python -m mlxkit ARGS`."""
        return run(mlx_argv(*args), cwd, {**self.env, **env})

    def git(self, cwd: StrPath, *args: str) -> Result:
        """`git ARGS`, which must succeed."""
        return run(["git", *args], cwd, self.env).ok()

    def commit(self, cwd: StrPath, message: str = "change") -> None:
        """Commit everything Git sees."""
        self.git(cwd, "add", "-A")
        self.git(cwd, "commit", "-q", "-m", message)

    def sh(self, cwd: StrPath, script: str) -> Result:
        """Run a shell script that must succeed."""
        return run(["/bin/sh", "-ec", script], cwd, {**os.environ, **self.env}).ok()
