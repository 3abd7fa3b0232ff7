"""Small Git histories made by hand, for tests of the index."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlxkit.core.digest import md5_bytes
from mlxkit.lineage.answer import Answer
from mlxkit.lineage.index import Index, open_index
from mlxkit.lineage.productions import productions
from mlxkit.lineage.query import Asked, answer


def md5(text: str) -> str:
    """The digest that stands for a content."""
    return md5_bytes(text.encode())


@dataclass
class Repository:
    """A Git repository with a DVC project at its top."""

    root: Path
    env: Mapping[str, str]
    clock: int = 1_700_000_000

    @classmethod
    def new(cls, root: Path, env: Mapping[str, str]) -> "Repository":
        """Make one, without a commit."""
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc" / "config").write_text("")
        made = cls(root, env)
        made.git("init", "-q", "-b", "main", "--template=")
        return made

    def git(self, *args: str, ok: bool = True) -> str:
        """`git ARGS`; the clock moves on by a minute each time."""
        self.clock += 60
        times = {f"GIT_{who}_DATE": f"{self.clock} +0000" for who in ("AUTHOR", "COMMITTER")}
        done = subprocess.run(
            ["git", "-C", str(self.root), *args],
            env={**self.env, **times}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not ok, done.stderr
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def lock(self, path: str = "dvc.lock", **stages: str) -> None:
        """Write a lock; each stage is told as `a:1 b:2 > out:3 (lr=0.1)`, digests of contents."""
        found = {}
        for name, told in stages.items():
            recipe, _, params = told.partition(" (")
            deps, _, outs = recipe.partition(">")
            found[name] = {
                "cmd": f"make {name}",
                "deps": _items(deps),
                **({"params": {"params.yaml": _values(params[:-1])}} if params else {}),
                "outs": _items(outs),
            }
        self.write(path, yaml.safe_dump({"schema": "2.0", "stages": found}, sort_keys=False))

    def dvcfile(self, path: str, content: str, out: str) -> None:
        """Write a `.dvc` file."""
        one = {"md5": md5(content), "size": 3, "hash": "md5", "path": out}
        self.write(path, yaml.safe_dump({"outs": [one]}, sort_keys=False))

    def commit(self, message: str = "change", *args: str) -> str:
        """Commit all; return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, *args)
        return self.git("rev-parse", "HEAD")

    def index(self) -> Index:
        """Open the index, up to date."""
        return open_index(str(self.root), str(self.root), lambda text: None)

    def makers(self, content: str) -> list[tuple[str | None, str, str]]:
        """Commit, stage and path of each production of a content."""
        index = self.index()
        try:
            found = productions(index, [md5(content)]).get(md5(content), [])
        finally:
            index.close()
        return [(one.commit, one.stage, one.path) for one in found]

    def ask(self, content: str, path: str = "") -> Answer:
        """Ask all about a content."""
        index = self.index()
        try:
            return answer(index, Asked(md5(content), path))
        finally:
            index.close()


def _items(text: str) -> list[dict[str, object]]:
    pairs = [one.partition(":") for one in text.split()]
    return [
        {"path": path, "hash": "md5", "size": 3,
         "md5": md5(content) + (".dir" if path.endswith("/") else "")}
        | ({"path": path.rstrip("/")} if path.endswith("/") else {})
        for path, _, content in pairs
    ]  # fmt: skip


def _values(text: str) -> dict[str, object]:
    return {name: yaml.safe_load(value) for name, _, value in
            (one.partition("=") for one in text.split())}  # fmt: skip
