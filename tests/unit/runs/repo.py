"""A real Git repository to record runs of."""

import os
import subprocess
from pathlib import Path

from mlxkit.runs.repository import Who
from mlxkit.runs.snapshot import Snapshot, take_snapshot

WHO = Who("Ann", "Ann <ann@example.com> 1700000000 +0000")
LIMIT = 1000


class Repo:
    """Git in `root`, and what of it must stay as it is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.root, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def snapshot(self, limit: int = LIMIT) -> Snapshot:
        def hashed(path: str, read: bool) -> str | None:
            from mlxkit.core.digest import md5_file

            return md5_file(path) if read else None

        scratch = self.root / ".git" / "scratch"
        if (self.root / ".git").is_file():
            scratch = self.root.parent / "scratch"
        return take_snapshot(str(self.root), str(scratch), limit, WHO, hashed)

    def files(self, commit: str) -> dict[str, str]:
        """The files of a commit, each with its content, or `mode id` of what is no file."""
        found = {}
        for line in self.git("ls-tree", "-r", "-z", commit).split("\0"):
            if line:
                about, _, path = line.partition("\t")
                mode, kind, oid = about.split()
                text = self.git("cat-file", "blob", oid) if kind == "blob" else oid
                found[path] = text if mode == "100644" else f"{mode} {text}"
        return found

    def state(self) -> dict[str, bytes]:
        """All that is the user's below `.git`: index, refs, logs, configuration, stash."""
        found = {}
        top = self.root / ".git"
        for folder, folders, files in os.walk(top):
            if folder == str(top):
                folders[:] = [name for name in folders if name not in ("objects", "scratch")]
            for name in files:
                path = Path(folder) / name
                found[str(path.relative_to(top))] = path.read_bytes()
        return found
