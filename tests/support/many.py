"""Many files, and how far a command has got with them."""

from collections.abc import Callable
from pathlib import Path

from .cached import files_below
from .processes import Running, wait_for
from .project import Project

FILES = 2100  # enough for several processes
BIG = 3  # and so many that take a while each
COUNT = FILES + BIG


def add_store(project: Project, folder: Path) -> Path:
    """Make a folder the project's remote; where its objects lie."""
    project.dvc("remote", "add", "-q", "-f", "-d", "store", str(folder)).ok()
    return folder / "files/md5"


def laid_out(project: Project) -> int:
    """How many files of `data` there are, those that are being made ready included."""
    return files_below(project.root / "data", *project.root.glob(".mlx-*.tmp"))


def reach(running: Running, progress: Callable[[], int], least: int) -> None:
    """Return once a command has got so far, or has ended."""
    wait_for(lambda: running.process.poll() is not None or progress() >= least, "it got so far")
