"""Real virtual environments, made offline; distributions are folders written by hand."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Venv:
    """A virtual environment at `root`, without pip."""

    root: Path

    @classmethod
    def make(cls, root: Path, *options: str) -> "Venv":
        """Make an environment of the Python that runs the tests."""
        argv = [sys.executable, "-m", "venv", "--without-pip", *options, str(root)]
        subprocess.run(argv, check=True, capture_output=True)
        return cls(root)

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where distributions are installed."""
        (found,) = self.root.glob("lib/python*/site-packages")
        return found

    def install(self, name: str, version: str) -> Path:
        """Install a distribution, in the place of another version of it."""
        self.remove(name)
        return install_into(self.site, name, version)

    def remove(self, name: str) -> None:
        """Remove a distribution that may not be there."""
        for found in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(found)


def install_into(folder: Path, name: str, version: str) -> Path:
    """Write what says that a distribution is installed in a folder."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(f"{headers}\nA description: with a colon.\n")
    return info
