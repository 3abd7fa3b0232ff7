"""Experiments made with plain Git, as quickly as Git can."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_experiment(
    root: Path,
    name: str,
    files: Mapping[str, str],
    *,
    baseline: str = "HEAD",
    removed: Sequence[str] = (),
    second: int = 1_800_000_000,
    env: Mapping[str, str] | None = None,
) -> str:
    """Make an experiment of the baseline with other files; return its commit."""
    index = root / ".git" / f"index-{name}"
    settings = {
        **(env or os.environ),
        "GIT_INDEX_FILE": str(index),
        "GIT_AUTHOR_DATE": f"{second} +0000",
        "GIT_COMMITTER_DATE": f"{second} +0000",
    }

    def git(*args: str, text: str | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *args],
            env=settings,
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    base = git("rev-parse", baseline)
    git("read-tree", base)
    for path in removed:
        git("update-index", "--force-remove", path)
    for path, text in files.items():
        blob = git("hash-object", "-w", "--stdin", text=text)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    commit = git("commit-tree", git("write-tree"), "-p", base, "-m", name)
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", commit)
    index.unlink()
    return commit
