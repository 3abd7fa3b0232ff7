"""`mlx doctor`: what a kill, a wrong clock or a missing tool leave behind, found and mended."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import Running, wait_for
from tests.support.project import Project


def _problems(project: Project, *args: str) -> list[dict[str, Any]]:
    result = project.mlx("doctor", "--json", *args)
    assert result.code == (3 if result.json["problems"] else 0), str(result)
    problems: list[dict[str, Any]] = result.json["problems"]
    return problems


def _mended(project: Project) -> list[str]:
    """Run `--fix`, after which all is well; the kinds of what it mended."""
    document = project.mlx("doctor", "--fix", "--json").ok().json
    assert document["ok"] is True
    assert _problems(project) == []
    return [one["kind"] for one in document["fixed"]]


def test_all_is_well(trained: Project) -> None:
    assert trained.mlx("doctor").ok().stdout == "project: all is well\n"
    assert trained.git("status", "--short").stdout == ""


def test_a_cut_lock_file(trained: Project) -> None:
    whole = trained.read("dvc.lock")
    trained.write("dvc.lock", whole[:-40])
    (problem,) = _problems(trained)
    assert (problem["kind"], problem["fixable"]) == ("lock-file", True)
    result = trained.mlx("doctor")
    assert result.code == 3
    assert "wrong   dvc.lock" in result.stdout and "mlx doctor --fix" in result.stdout
    assert _mended(trained) == ["lock-file"]
    assert trained.read("dvc.lock") == whole


def test_conflict_markers_are_the_users_to_resolve(trained: Project) -> None:
    text = f"<<<<<<< HEAD\n{trained.read('dvc.lock')}=======\n>>>>>>> other\n"
    trained.write("dvc.lock", text)
    (problem,) = _problems(trained)
    assert (problem["kind"], problem["fixable"]) == ("lock-file", False)
    assert "dvc.lock:1" in problem["what"] and "conflict" in problem["what"]
    assert _problems(trained, "--fix") == [problem]
    assert trained.read("dvc.lock") == text, "not touched"


@pytest.mark.parametrize("text", ["", '{"write": {"/x": {"pid": 4'])
def test_a_cut_table_of_path_locks(text: str, trained: Project) -> None:
    trained.write(".dvc/tmp/rwlock", text)
    (problem,) = _problems(trained)
    assert (problem["kind"], problem["fixable"]) == ("rwlock", True)
    assert _mended(trained) == ["rwlock"]


def test_the_lock_of_a_process_that_is_gone(trained: Project) -> None:
    path = trained.root.resolve() / "model"
    table = {"write": {str(path): {"pid": 4194305, "cmd": "dvc repro"}}}
    trained.write(".dvc/tmp/rwlock", json.dumps(table))
    (problem,) = _problems(trained)
    assert problem["kind"] == "stale-lock"
    assert "'model'" in problem["what"] and "4194305" in problem["what"]
    assert _mended(trained) == ["stale-lock"]


def test_a_killed_run(trained: Project) -> None:
    trained.sh("sed -i 's/echo training/echo half > model; touch started; sleep 600/' dvc.yaml")
    before = trained.read("model")
    running = Running.mlx(trained, "repro")
    wait_for((trained.root / "started").exists, "the stage runs")
    running.kill(whole_tree=True)
    found = _problems(trained)
    assert {one["kind"] for one in found} == {"killed-run", "stale-lock"}
    assert all(one["fixable"] for one in found)
    assert trained.read("model") == "half\n", "looking changes nothing"
    assert set(_mended(trained)) == {"killed-run", "stale-lock"}
    assert trained.read("model") == before
    assert trained.read(".mlx/partial/train/model") == "half\n"


def test_a_live_run_is_no_problem(trained: Project) -> None:
    trained.sh("sed -i 's/echo training/touch started; sleep 600/' dvc.yaml")
    running = Running.mlx(trained, "repro")
    wait_for((trained.root / "started").exists, "the stage runs")
    found = _problems(trained)
    running.interrupt()
    assert running.finish().code == 130
    assert found == []


def test_an_index_that_is_wrong_about_a_file(project: Project, tmp_path: Path) -> None:
    """An edit that no time stamp tells of: on a file with two names, and the time set back."""
    project.write("in", "aaa\n")
    os.link(project.root / "in", tmp_path / "other-name")
    os.utime(project.root / "in", (1, 1.5))
    project.pipeline({"s": {"cmd": "cat in > out", "deps": ["in"], "outs": ["out"]}})
    project.mlx("repro").ok()
    (tmp_path / "other-name").write_text("bbb\n")
    os.utime(project.root / "in", (1, 1.5))
    (problem,) = _problems(project)
    assert (problem["kind"], problem["fixable"]) == ("stale-index", True)
    assert "'in'" in problem["what"]
    assert _mended(project) == ["stale-index"]
    assert project.mlx("status", "--check").code == 3, "now the change is seen"


def test_a_tool_that_is_missing(project: Project) -> None:
    project.pipeline({
        "a": {"cmd": "no-such-tool --x | cat", "outs": ["a"]},
        "b": {"cmd": ["X=1 no-such-tool", "./gone.sh 1", "cd . && true", "for i in 1; do :; done"]},
        "c": {"cmd": "cat 'unclosed", "outs": ["c"]},
    })  # fmt: skip
    found = {one["what"]: one for one in _problems(project)}
    assert set(found) == {
        "'no-such-tool' is not on PATH; needed by a, b",
        "'./gone.sh' is not on PATH; needed by b",
    }
    for problem in found.values():
        assert (problem["kind"], problem["fixable"]) == ("missing-tool", False)
        assert problem["hint"]


def test_a_shell_that_is_missing(trained: Project) -> None:
    result = trained.mlx("doctor", SHELL="/no/such/shell")
    assert result.code == 3
    assert "/no/such/shell" in result.stdout


def test_a_project_that_cannot_be_read(trained: Project) -> None:
    trained.write("dvc.yaml", "stages: [\n")
    (problem,) = _problems(trained)
    assert (problem["kind"], problem["fixable"]) == ("project", False)
    assert problem["what"].startswith("dvc.yaml:")


def test_what_is_remembered_is_nobody_else_s(trained: Project) -> None:
    trained.git("add", "-f", ".mlx/cache")
    (problem,) = _problems(trained)
    assert (problem["kind"], problem["fixable"]) == ("tracked-memory", False)
    trained.sh(problem["hint"])
    assert _problems(trained) == []


def test_everything_of_ours_may_be_deleted(trained: Project) -> None:
    trained.sh("rm -rf .mlx .dvc/tmp")
    assert trained.mlx("doctor").ok()
    assert trained.mlx("repro").ok().stdout.startswith("nothing to do")
    trained.sh("for f in .mlx/state .mlx/cache/*; do echo nonsense > $f; done")
    assert trained.mlx("repro").ok().stdout.startswith("nothing to do")
