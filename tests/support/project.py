"""A project in a temporary folder: write files, run commands, take snapshots."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .commands import Result, run
from .snapshot import Snapshot
from .tools import Tools


def make_template(tools: Tools, folder: Path) -> Path:
    """Create the project that all others are copied from."""
    root = folder / "template"
    root.mkdir()
    tools.git(root, "init", "-q", "--template=", "-b", "main")
    tools.dvc(root, "init", "-q").ok()
    shutil.rmtree(root / ".dvc" / "tmp", ignore_errors=True)
    tools.commit(root, "start")
    return root


@dataclass(frozen=True)
class Project:
    """A Git and DVC project at `root`."""

    root: Path
    tools: Tools

    @classmethod
    def copy(cls, source: Path, target: Path, tools: Tools) -> "Project":
        """Copy a project with times and modes; `source` is left alone."""
        shutil.copytree(source, target, symlinks=True)
        return cls(target, tools)

    def twin(self, name: str) -> "Project":
        """A copy of the whole project beside it."""
        return Project.copy(self.root, self.root.parent / name, self.tools)

    def write(self, path: str, content: str | bytes, mode: int | None = None) -> Path:
        """Write one file, with its folders."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            os.chmod(target, mode)
        return target

    def read(self, path: str) -> str:
        """The text of one file."""
        return (self.root / path).read_text(encoding="utf-8")

    def pipeline(self, stages: dict[str, Any], path: str = "dvc.yaml", **top: Any) -> None:
        """Write a `dvc.yaml` with these stages and other top-level keys."""
        document = {**top, "stages": stages}
        self.write(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10**6))

    def lock(self, path: str = "dvc.lock") -> dict[str, Any]:
        """The stages of a lock file."""
        stages: dict[str, Any] = yaml.safe_load(self.read(path))["stages"]
        return stages

    def dvc(self, *args: str, cwd: str = ".") -> Result:
        """`dvc ARGS` in the folder `cwd` of the project."""
        return self.tools.dvc(self.root / cwd, *args)

    def mlx(self, *args: str, cwd: str = ".", **env: str) -> Result:
        """`mlx ARGS` in the folder `cwd` of the project."""
        return self.tools.mlx(self.root / cwd, *args, **env)

    def git(self, *args: str) -> Result:
        """`git ARGS`, which must succeed."""
        return self.tools.git(self.root, *args)

    def sh(self, script: str) -> Result:
        """A shell script in the project's root, which must succeed."""
        return run(["/bin/sh", "-ec", script], self.root, self.tools.env).ok()

    def snapshot(self) -> Snapshot:
        """Everything both tools promise to leave alike."""
        return Snapshot.of(self.root)


Build = Callable[[Project], object]
"""Makes something of a new project."""
CopyOf = Callable[[Build], Project]
"""The fixture `copy_of`."""
