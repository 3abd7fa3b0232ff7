"""One object that holds what a test needs to run commands: the environment and the warm process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .commands import Result, StrPath, dvc_argv, mlx_argv, run
from .warm import Warm


@dataclass(frozen=True)
class Tools:
    """`dvc`, `mlx`, `git` and a shell in one isolated environment."""

    env: Mapping[str, str]
    warm: Warm
    cold: bool = False
    """Whether mlx is started from nothing each time, as `make test-long` does."""

    def dvc(self, cwd: StrPath, *args: str) -> Result:
        """`dvc ARGS` in a fork of the warm process."""
        return self.warm.run("dvc", args, cwd) or run(dvc_argv(*args), cwd, self.env)

    def mlx(self, cwd: StrPath, *args: str, **env: str) -> Result:
        """`mlx ARGS`, in a fork of the warm process where its environment is the usual one."""
        warm = None if env or self.cold else self.warm.run("mlx", args, cwd)
        return warm or run(mlx_argv(*args), cwd, {**self.env, **env})

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
