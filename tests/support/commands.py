"""Running `dvc`, `mlx` and `git` as a user would, away from the user's own settings."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 180.0  # far beyond any command here: only a hang reaches it

GIT_CONFIG = """\
[user]
	name = Tester
	email = tester@example.org
[init]
	defaultBranch = main
[gc]
	auto = 0
"""

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Result:
    """What one command answered."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout; anything else there is a failure."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"stdout is not one JSON document ({error})\n{self}") from None

    def ok(self) -> "Result":
        """Itself, after checking that it exited with 0."""
        assert self.code == 0, str(self)
        return self

    def __str__(self) -> str:
        command = " ".join(self.argv)
        return (
            f"$ {command}\nexit {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


def isolated_env(home: Path) -> dict[str, str]:
    """An environment where no setting of the user or the machine reaches dvc, mlx or git."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / "gitconfig"
    if not config.exists():
        config.write_text(GIT_CONFIG)
    scripts = os.path.dirname(sys.executable)
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(
            [scripts, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        ),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",  # part of a stage's result: the same on both sides of every comparison
        "TERM": "dumb",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def run(
    argv: Sequence[str], cwd: StrPath, env: Mapping[str, str], *, timeout: float = TIMEOUT
) -> Result:
    """Run one command to its end with stdin closed."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Result(
        tuple(argv),
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def mlx_argv(*args: str) -> list[str]:
    """The command line of mlx under test."""
    return [sys.executable, "-m", "mlxkit", *args]


def dvc_argv(*args: str) -> list[str]:
    """The command line of the dvc it is compared with."""
    return [sys.executable, "-m", "dvc", *args]
