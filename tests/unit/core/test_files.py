"""Files that have an end, and those that have none."""

import os
import resource
import signal
from pathlib import Path

import pytest

from mlxkit.core.files import regular, scratch_folder, write_atomic


def test_what_never_ends_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with open(tmp_path / "link", "rb", opener=regular) as file:
        assert file.read() == b"x"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "device"):
        with pytest.raises(OSError, match="it is neither a file nor a folder"):
            regular(str(tmp_path / name), os.O_RDONLY)
    with pytest.raises(IsADirectoryError), open(tmp_path, "rb", opener=regular):
        pass


def test_scratch_folders_of_killed_processes_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day old and held by nobody: neither a young one, nor one at work, nor what is no folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_folder("mlx-rows-") as held:
        for name in ("mlx-rows-old", "mlx-rows-young", "mlx-other-old"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "spill").write_bytes(b"x")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "mlx-rows-link").symlink_to("elsewhere")
        for old in (held, tmp_path / "mlx-rows-old", tmp_path / "mlx-other-old"):
            os.utime(old, (0, 0))
        with scratch_folder("mlx-rows-") as mine:
            left = {one.name for one in tmp_path.iterdir()}
    assert left == {
        *(os.path.basename(held), os.path.basename(mine), "mlx-rows-young"),
        *("mlx-other-old", "elsewhere", "mlx-rows-link"),
    }


def test_a_full_disk_is_told_with_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_atomic(str(path), b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.filename == str(path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]
    assert path.read_bytes() == b"old"
