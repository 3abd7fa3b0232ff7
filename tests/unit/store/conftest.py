"""A store in a temporary directory, and DVC itself as the oracle beside it."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State

Snapshot = dict[str, tuple[str, int, object]]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.load(str(tmp_path / "state"))


@pytest.fixture
def store(tmp_path: Path, state: State) -> ObjectStore:
    return ObjectStore(str(tmp_path / "cache"), state=state)


@pytest.fixture(scope="session")
def dvc_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep DVC's own files (state database, configuration) out of the user's home."""
    home = tmp_path_factory.mktemp("dvc-home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        yield home


@pytest.fixture
def dvc_repo(dvc_home: Path) -> Iterator[Callable[[Path, dict[str, object]], object]]:
    """Make a DVC repository with a `cache` configuration."""
    from dvc.repo import Repo

    repos = []

    def make(root: Path, cache: dict[str, object]) -> object:
        root.mkdir(parents=True, exist_ok=True)
        Repo.init(str(root), no_scm=True).close()
        repo = Repo(str(root))
        with repo.config.edit() as config:
            config["cache"].update(cache)
        repo.close()
        repos.append(Repo(str(root)))
        return repos[-1]

    yield make
    for repo in repos:
        repo.close()


@pytest.fixture
def snapshot() -> Callable[[Path], Snapshot]:
    """What lies below a directory: kind, mode, and content or link target (relative to it)."""

    def look(root: Path) -> Snapshot:
        seen: Snapshot = {}
        for path in sorted(root.rglob("*")):
            info = path.lstat()
            name = str(path.relative_to(root))
            mode = stat.S_IMODE(info.st_mode)
            if path.is_symlink():
                target = os.readlink(path)
                seen[name] = ("link", 0, target.replace(str(root.resolve()), ""))
            elif path.is_dir():
                seen[name] = ("dir", info.st_mode & 0o7777, None)
            else:
                kind = "hardlink" if info.st_nlink > 1 else "file"
                seen[name] = (kind, mode, path.read_bytes())
        return seen

    return look


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", str(path)], check=True)
