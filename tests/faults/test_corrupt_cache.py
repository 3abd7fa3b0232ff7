"""Bytes in the cache that are not what their name says are never brought back."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.support.outcome import RAN, RESTORED, of_mlx
from tests.support.project import Project
from tests.support.snapshot import assert_alike

STAGE = {
    "cmd": "cat in > f; mkdir -p d; cat in > d/x; echo 2 > d/y",
    "deps": ["in"],
    "outs": ["f", "d"],
}


@pytest.fixture
def done(project: Project) -> Project:
    """One stage with a file and a folder, run."""
    project.write("in", "good\n")
    project.pipeline({"s": STAGE})
    project.mlx("repro").ok()
    return project


def _object(project: Project, digest: str) -> Path:
    return project.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def _overwrite(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode
    os.chmod(path, 0o644)
    path.write_bytes(content)
    os.chmod(path, mode)


def _of_file(content: bytes) -> Callable[[Project], None]:
    def damage(project: Project) -> None:
        _overwrite(_object(project, hashlib.md5(b"good\n").hexdigest()), content)

    return damage


def _of_folder(content: bytes) -> Callable[[Project], None]:
    def damage(project: Project) -> None:
        (digest,) = (out["md5"] for out in project.lock()["s"]["outs"] if out["path"] == "d")
        _overwrite(_object(project, digest), content)

    return damage


DAMAGE = {
    "other bytes": _of_file(b"evil\n"),
    "cut": _of_file(b"goo"),
    "empty": _of_file(b""),
    "folder not json": _of_folder(b"[{"),
    "folder empty": _of_folder(b""),
    "folder with other members": _of_folder(
        b'[{"md5": "00000000000000000000000000000000", "relpath": "x"}]'
    ),
    "folder of another shape": _of_folder(b'{"a": 1}'),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_not_restored(kind: str, done: Project) -> None:
    expected = done.snapshot()
    done.sh("rm -rf f d")
    DAMAGE[kind](done)
    outcome = of_mlx(done.mlx("repro", "--json").ok())
    assert outcome.only(RAN) == {"s"}, str(outcome.result)
    assert_alike(done.snapshot(), expected)
    assert done.dvc("status", "--json").ok().json == {}


def test_not_restored_from_the_run_cache(done: Project) -> None:
    expected = done.snapshot()
    done.sh("rm -rf f d dvc.lock")
    DAMAGE["other bytes"](done)
    outcome = of_mlx(done.mlx("repro", "--json").ok())
    assert outcome.only(RAN) == {"s"}, str(outcome.result)
    assert_alike(done.snapshot(), expected)


@pytest.mark.parametrize(
    "content",
    [b"", b"cmd: [", b"- a\n", b"cmd: x\nouts: 3\n", b"\0", b"&a {cmd: *a}"],
)
def test_broken_entry_of_the_run_cache(content: bytes, done: Project) -> None:
    expected = done.snapshot()
    done.sh("rm -rf f d dvc.lock")
    for folder, _, files in os.walk(done.root / ".dvc/cache/runs"):
        for name in files:
            _overwrite(Path(folder) / name, content)
    done.mlx("repro").ok()
    snapshot = done.snapshot()
    assert snapshot.workspace == expected.workspace
    assert snapshot.runs == expected.runs


@pytest.mark.parametrize("relpath", ["../evil", "/tmp/mlx-test-evil", "n/../../evil", "..", ""])
def test_a_folder_object_never_writes_outside(relpath: str, done: Project, tmp_path: Path) -> None:
    """A digest that fits proves nothing about the paths inside."""
    target = relpath.replace("/tmp/mlx-test-evil", str(tmp_path / "evil"))
    text = json.dumps([{"md5": hashlib.md5(b"good\n").hexdigest(), "relpath": target}])
    digest = hashlib.md5(text.encode()).hexdigest() + ".dir"
    path = _object(done, digest)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    lock = yaml.safe_load(done.read("dvc.lock"))
    for out in lock["stages"]["s"]["outs"]:
        if out["path"] == "d":
            out["md5"] = digest
    done.write("dvc.lock", yaml.safe_dump(lock, sort_keys=False))
    done.sh("rm -rf d")
    before = set(tmp_path.rglob("evil"))
    result = done.mlx("repro")
    assert set(tmp_path.rglob("evil")) == before, str(result)
    assert result.code in (0, 1), str(result)
    assert "Traceback" not in result.stderr


def test_missing_object_of_an_unchanged_stage(done: Project) -> None:
    """The workspace still has it: dvc runs nothing where nothing is missing there."""
    done.sh("rm -rf .dvc/cache/files")
    by_dvc = done.twin("twin")
    expected = by_dvc.dvc("repro").ok()
    result = of_mlx(done.mlx("repro", "--json").ok())
    assert bool(result.only(RAN, RESTORED)) == ("Running stage" in expected.stdout), str(
        result.result
    )
