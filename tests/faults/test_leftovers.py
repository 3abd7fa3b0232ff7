"""What a killed dvc leaves behind: cut lock files, stale locks."""

import json
import os
import subprocess
from typing import Any

import pytest
from tests.support.long import sampled
from tests.support.processes import project_lock
from tests.support.project import Project

STAGES: dict[str, Any] = {
    "prep": {"cmd": "cat in > prep.out", "deps": ["in"], "outs": ["prep.out"]},
    "train": {
        "cmd": "mkdir -p model; cat prep.out params.yaml > model/x",
        "deps": ["prep.out"],
        "params": ["lr"],
        "outs": ["model"],
    },
    "eval": {
        "cmd": "echo '{\"acc\": 0.5}' > m.json",
        "deps": ["model"],
        "metrics": [{"m.json": {"cache": False}}],
    },
}


@pytest.fixture
def done(project: Project) -> Project:
    """Three stages after a run by dvc."""
    project.write("in", "in\n")
    project.write("params.yaml", "lr: 0.25\n")
    project.pipeline(STAGES)
    project.dvc("repro").ok()
    return project


def _without_sizes(lock: dict[str, Any]) -> dict[str, Any]:
    for stage in lock.values():
        for entry in [*stage.get("deps", []), *stage.get("outs", [])]:
            entry.pop("size", None)
            entry.pop("nfiles", None)
    return lock


@pytest.mark.parametrize("part", sampled(range(4), 2))
def test_cut_lock_file(part: int, done: Project) -> None:
    whole = done.read("dvc.lock")
    positions = range(part * 11, len(whole), 44)
    for position in [0, *positions] if part == 0 else positions:
        done.write("dvc.lock", whole[:position])
        where = f"cut at byte {position}: ...{whole[max(0, position - 30) : position]!r}"
        status = done.mlx("status")
        assert status.code == 0, f"{where}\n{status}"
        result = done.mlx("repro")
        assert result.code == 0, f"{where}\n{result}"
        # A cut inside a number that nobody checks (a size) is still a whole file to dvc as well.
        expected = _without_sizes(_lock_of(whole))
        assert _without_sizes(done.lock()) == expected, where
    assert done.dvc("status", "--json").ok().json == {}


def _lock_of(text: str) -> dict[str, Any]:
    import yaml

    stages: dict[str, Any] = yaml.safe_load(text)["stages"]
    return stages


def _dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def _rwlock(project: Project, pid: int) -> str:
    info = {"pid": pid, "cmd": "dvc repro"}
    out, dep = (str(project.root / name) for name in ("prep.out", "in"))
    return json.dumps({"write": {out: info}, "read": {dep: [info]}})


BROKEN = ["", "{", '{"write": {"/x": {"pid": 1', "[]", "null", '{"write": [], "read": 3}', "\0\0\0"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_rwlock_is_mended(text: str, done: Project) -> None:
    done.write(".dvc/tmp/rwlock", text)
    done.write("in", "changed\n")
    done.mlx("status").ok()
    done.mlx("repro").ok()
    assert done.dvc("status", "--json").ok().json == {}, "dvc can read it again"


def test_rwlock_of_a_dead_process(done: Project) -> None:
    done.write(".dvc/tmp/rwlock", _rwlock(done, _dead_pid()))
    done.write("in", "changed\n")
    done.mlx("repro", "--wait", "0").ok()
    assert done.dvc("status", "--json").ok().json == {}


def test_rwlock_of_a_live_process(done: Project) -> None:
    done.write("in", "changed\n")
    done.write(".dvc/tmp/rwlock", _rwlock(done, os.getpid()))
    result = done.mlx("repro", "--wait", "0", "--json")
    assert result.code == 5, str(result)
    assert str(os.getpid()) in str(result.json["error"])
    assert done.read("prep.out") == "in\n"
    done.mlx("status").ok()
    done.write(".dvc/tmp/rwlock", "{}")
    done.mlx("repro").ok()
    assert done.read("prep.out") == "changed\n"


def test_lock_of_a_live_process(done: Project) -> None:
    done.write("in", "changed\n")
    with project_lock(done):
        result = done.mlx("repro", "--wait", "0")
        assert result.code == 5, str(result)
        assert len(result.stderr.strip().splitlines()) <= 2, str(result)
        done.mlx("status").ok()  # readers take no lock
        done.mlx("why", "prep").ok()
    done.mlx("repro", "--wait", "0").ok()
    assert done.read("prep.out") == "changed\n"


def test_empty_lock_file_of_a_dead_process(done: Project) -> None:
    done.write(".dvc/tmp/lock", "")
    done.write(".dvc/tmp/rwlock.lock", f" {_dead_pid()}\n")
    done.write("in", "changed\n")
    done.mlx("repro").ok()


def test_no_tmp_folder(done: Project) -> None:
    done.sh("rm -rf .dvc/tmp; echo changed > in")
    done.mlx("repro").ok()
    assert done.dvc("status", "--json").ok().json == {}


def test_no_index_of_its_own(done: Project) -> None:
    done.mlx("status").ok()
    done.sh("rm -rf .mlx; echo changed > in")
    done.mlx("repro").ok()
    done.sh("rm -rf .mlx")
    assert done.mlx("status", "--json").ok().json["clean"] is True
