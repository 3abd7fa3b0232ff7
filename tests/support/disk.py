"""A disk of any size that may fill up."""

import subprocess
from pathlib import Path

import pytest

KIB = 1024


class SmallDisk:
    """A file system of its own at `root`; a test is skipped where none can be mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mounted = False
        root.mkdir()

    def resize(self, kib: int) -> Path:
        """Make it so big, files kept; where it is."""
        options = f"size={kib}k" + (",remount" if self._mounted else "")
        argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.root)]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip(f"no small file system here: {done.stderr.strip()}")
        self._mounted = True
        return self.root

    def leave(self, kib: int) -> None:
        """Leave so much free."""
        self.resize(self._used() + kib)

    def close(self) -> None:
        """Unmount it."""
        if self._mounted:
            subprocess.run(["umount", "-l", str(self.root)], check=True)

    def _used(self) -> int:
        argv = ["df", "-k", "--output=used", str(self.root)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1])
