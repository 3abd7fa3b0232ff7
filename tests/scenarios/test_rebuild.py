"""`mlx verify --rebuild`: run again in a clean place, and the first cause of a difference named."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.tools import Tools

STAGES: dict[str, Any] = {
    "prep": {"cmd": "cat in.csv > p.csv", "deps": ["in.csv"], "outs": ["p.csv"]},
    "train": {
        "cmd": "mkdir -p m && cat p.csv code params.yaml > m/w",
        "deps": ["p.csv", "code"],
        "params": ["lr"],
        "outs": ["m"],
    },
    "eval": {
        "cmd": """echo '{"size": 1.5, "of": ["w", 2]}' > n.json""",
        "deps": ["m"],
        "metrics": [{"n.json": {"cache": False}}],
    },
}


@pytest.fixture(scope="module")
def ready(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was run and committed; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("rebuild") / "ready", tools)
    project.write("in.csv", "1,2\n")
    project.write("code", "code\n")
    project.write("params.yaml", "lr: 0.1\n")
    project.pipeline(STAGES)
    project.mlx("add", "-q", "in.csv").ok()
    project.mlx("repro", "-q").ok()
    tools.commit(project.root, "run")
    return project


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Where rebuilds take place."""
    folder = tmp_path / "places"
    folder.mkdir()
    return folder


@pytest.fixture
def done(ready: Project, tmp_path: Path) -> Project:
    """A copy to change."""
    return Project.copy(ready.root, tmp_path / "done", ready.tools)


def rebuild(project: Project, places: Path, *args: str, **env: str) -> dict[str, Any]:
    """What came of it; nothing may be left."""
    result = project.mlx("verify", "--rebuild", *args, "--json", TMPDIR=str(places), **env)
    found: dict[str, Any] = result.json
    codes = {"identical": 0, "within tolerance": 0, "different": 3, "failed": 1}
    assert result.code == codes[found["verdict"]]
    assert found["ok"] == (result.code == 0) == (not found["problems"])
    nothing_left(project, places)
    return found


def nothing_left(project: Project, places: Path) -> None:
    """No place, no worktree, no note."""
    assert list(places.iterdir()) == []
    assert len(project.git("worktree", "list").stdout.splitlines()) == 1
    assert not (project.root / ".git/worktrees").exists()
    assert not list((project.root / ".git/mlx").glob("rebuild-*"))


def run_stage(project: Project, command: str, name: str = "s", **more: Any) -> None:
    """Add a stage, run it, and commit."""
    project.pipeline({**STAGES, name: {"cmd": command, "outs": [name], **more}})
    project.mlx("repro", "-q").ok()
    project.tools.commit(project.root)


def cause(found: dict[str, Any]) -> tuple[str, str]:
    """The first stage that diverges, and the sort of its first cause."""
    return found["first"]["stage"], found["first"]["causes"][0]["kind"]


def everything(project: Project) -> dict[str, str]:
    """Every file but those that may change: the run records, what mlx knows, Git's objects."""
    free = (".git/objects/", ".git/refs/mlx/", ".mlx/", ".git/mlx")
    found = {}
    for path in sorted(project.root.rglob("*")):
        name = str(path.relative_to(project.root))
        if not name.startswith(free) and path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = f"{digest} {path.stat().st_mode} {path.stat().st_mtime_ns}"
    return found


def test_the_same_comes_out_and_nothing_is_touched(done: Project, places: Path) -> None:
    done.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {places}/hook\n", 0o755)
    done.write("code", "changed, and not committed\n")
    done.git("add", "params.yaml")
    before = everything(done)
    found = rebuild(done, places)
    assert found["verdict"] == "identical"
    assert [one["outcome"] for one in found["stages"]] == ["ran"] * 3
    assert {(one["path"], one["verdict"]) for one in found["outputs"]} == {
        ("p.csv", "identical"), ("m", "identical"), ("n.json", "identical"),
    }  # fmt: skip
    assert everything(done) == before


def test_it_is_on_record_and_made_nothing(done: Project, places: Path) -> None:
    md5 = done.lock()["train"]["outs"][0]["md5"]
    producers = done.mlx("lineage", md5, "--json").ok().json["producers"]
    found = rebuild(done, places)
    runs = [one["run"] for one in found["stages"]]
    for run in runs:
        path = f"runs/{run[:2]}/{run[2:]}.json"
        record = json.loads(done.git("show", f"refs/mlx/runs:{path}").stdout)
        assert record["outcome"] == "rebuild" and record["outs"] == []
        assert record["rebuild"]["commit"] == found["commit"]
        assert all(one["verdict"] == "identical" for one in record["rebuild"]["outs"])
    assert done.mlx("lineage", md5, "--json").ok().json["producers"] == producers
    assert done.mlx("verify").ok()
    done.write("mlx.yaml", "runs: {record: false}\n")
    assert all(one["run"] is None for one in rebuild(done, places)["stages"])


def test_what_is_not_committed_is_not_rebuilt(done: Project, places: Path) -> None:
    done.write("code", "changed, and not committed\n")
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places)).ok()
    assert "without the changes that are not committed" in result.stderr


def test_an_earlier_revision_with_targets(done: Project, places: Path) -> None:
    run_stage(done, "echo new > s")
    assert len(rebuild(done, places, "HEAD~1")["stages"]) == 3
    found = rebuild(done, places, "HEAD~1", "train")
    assert [one["stage"] for one in found["stages"]] == ["prep", "train"]
    result = done.mlx("verify", "--rebuild", "HEAD~1", "s", TMPDIR=str(places))
    assert result.code == 2 and "there is no stage, file or output 's'" in result.stderr
    result = done.mlx("verify", "--rebuild", "nothing", TMPDIR=str(places))
    assert result.code == 2 and "'nothing' is no revision" in result.stderr
    nothing_left(done, places)


def test_chance(done: Project, places: Path) -> None:
    run_stage(done, "python3 -c 'import os; print(os.urandom(9))' > s")
    found = rebuild(done, places)
    assert cause(found) == ("s", "not-deterministic")
    assert [(one["stage"], one["path"]) for one in found["problems"]] == [("s", "s")]
    text = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert text.code == 3 and "first: s\n    not deterministic:" in text.stdout


def test_only_the_first_is_the_cause(done: Project, places: Path) -> None:
    stages = {
        "z": {"cmd": "head -c 9 /dev/urandom > z", "outs": ["z"]},
        "a": {"cmd": "cat z > a", "deps": ["z"], "outs": ["a"]},
    }
    done.pipeline({**STAGES, **stages})
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    found = rebuild(done, places)
    assert cause(found) == ("z", "not-deterministic")
    assert {one["stage"] for one in found["problems"]} == {"z", "a"}


def _library(folder: Path, version: str) -> str:
    info = folder / version / f"thing-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    return str(folder / version)


def test_another_version_of_a_library(done: Project, places: Path, tmp_path: Path) -> None:
    one, other = (_library(tmp_path, version) for version in ("1.0", "2.0"))
    command = "python -c 'import importlib.metadata as m; print(m.version(\"thing\"))' > s"
    done.pipeline({**STAGES, "s": {"cmd": command, "outs": ["s"]}})
    done.mlx("repro", "-q", PYTHONPATH=one).ok()
    done.tools.commit(done.root)
    assert rebuild(done, places, PYTHONPATH=one)["environment"] == []
    found = rebuild(done, places, PYTHONPATH=other)
    assert cause(found) == ("s", "env")
    assert found["environment"] == ["thing 1.0 -> 2.0"]
    text = done.mlx("verify", "--rebuild", TMPDIR=str(places), PYTHONPATH=other)
    assert "another environment than on record: thing 1.0 -> 2.0" in text.stderr
    assert "the environment changed: thing 1.0 -> 2.0" in text.stdout


def test_another_shell(done: Project, places: Path) -> None:
    run_stage(done, "echo $BASH_VERSION > s")
    assert rebuild(done, places)["verdict"] == "identical"
    found = rebuild(done, places, SHELL="/bin/bash")
    assert cause(found) == ("s", "shell")
    assert found["first"]["causes"][0]["what"] == "$SHELL /bin/sh -> /bin/bash"


@pytest.mark.parametrize(
    ("path", "text", "kind", "what"),
    [
        ("code", "other\n", "deps", "code"),
        ("params.yaml", "lr: 0.2\n", "params", "params.yaml: lr: 0.1 -> 0.2"),
    ],
)
def test_what_changed_after_the_run(
    path: str, text: str, kind: str, what: str, done: Project, places: Path
) -> None:
    done.write(path, text)
    done.tools.commit(done.root, "not run again")
    found = rebuild(done, places)
    assert cause(found) == ("train", kind)
    assert found["first"]["causes"][0]["what"] == what


def test_another_command(done: Project, places: Path) -> None:
    done.pipeline({**STAGES, "prep": {**STAGES["prep"], "cmd": "cat in.csv in.csv > p.csv"}})
    done.tools.commit(done.root, "not run again")
    assert cause(rebuild(done, places)) == ("prep", "cmd")


def test_numbers_within_their_tolerance(done: Project, places: Path) -> None:
    command = """python3 -c 'import os; print("{\\"a\\": 1.%06d}" % os.getpid())' > s"""
    metric = {"cmd": command, "metrics": [{"s": {"cache": False}}]}
    stages: dict[str, Any] = {**STAGES, "s": metric}
    done.pipeline(stages)
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    assert cause(rebuild(done, places)) == ("s", "not-deterministic")
    done.write("mlx.yaml", "verify:\n  tolerance:\n    s: 0.9\n")
    found = rebuild(done, places)
    assert found["verdict"] == "within tolerance"
    assert {one["path"] for one in found["outputs"] if one["verdict"] != "identical"} == {"s"}
    for text, where in (
        ("verify:\n  tolerance:\n    s: much\n", "mlx.yaml:3"),
        ("verify:\n  tolerances: {}\n", "mlx.yaml:2"),
        ("verify: 5\n", "mlx.yaml:1"),
    ):
        done.write("mlx.yaml", text)
        result = done.mlx("verify", "--rebuild", "--json", TMPDIR=str(places))
        assert (result.code, result.json["error"]["where"]) == (4, where)


def test_it_runs_the_code_of_the_commit(done: Project, places: Path) -> None:
    """Also a package that Python finds in the repository's own folder."""
    done.write("lib/pack/__init__.py", "print('committed')\n")
    path = str(done.root / "lib")
    done.pipeline({**STAGES, "s": {"cmd": "python -m pack.__init__ > s", "outs": ["s"]}})
    done.mlx("repro", "-q", PYTHONPATH=path).ok()
    done.tools.commit(done.root)
    done.write("lib/pack/__init__.py", "print('not committed')\n")
    assert rebuild(done, places, PYTHONPATH=path)["verdict"] == "identical"


def test_a_stage_that_fails(done: Project, places: Path, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    run_stage(done, f"echo told; test -e {flag} && echo 1 > s")
    flag.unlink()
    found = rebuild(done, places)
    assert found["verdict"] == "failed"
    assert [(one["kind"], one["stage"]) for one in found["problems"]] == [("failed", "s")]
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert result.code == 1
    assert "  | told" in result.stderr and str(places) not in result.stderr
    assert done.read(".mlx/logs/rebuild/s.log").endswith("told\n")


def test_a_stage_that_lets_something_run_on(done: Project, places: Path) -> None:
    run_stage(done, "echo 1 > s; test -z $MLX_REBUILD || { setsid sleep 1000 & echo $! > pid; }")
    assert rebuild(done, places)["verdict"] == "identical"
    carried = [one for one in psutil.process_iter() if _rebuilds_in(one, done)]
    assert carried == []


def _rebuilds_in(process: psutil.Process, project: Project) -> bool:
    try:
        env = process.environ()
    except psutil.Error:
        return False
    return "MLX_REBUILD" in env and env.get("HOME") == project.tools.env["HOME"]


def test_data_that_is_not_in_the_cache(done: Project, places: Path, tmp_path: Path) -> None:
    before = rebuild(done, places)
    cache = done.root / ".dvc/cache"
    cache.rename(tmp_path / "away")
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert result.code == 6 and "in.csv (there is no remote)" in result.stderr
    nothing_left(done, places)
    (tmp_path / "away").rename(cache)
    done.mlx("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    done.mlx("push", "-q").ok()
    cache.rename(tmp_path / "away")
    assert rebuild(done, places)["outputs"] == before["outputs"]
    assert not cache.exists(), "what was fetched for it is not kept"
    for one in (tmp_path / "store/files/md5").glob("*/*"):
        one.unlink()
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert result.code == 6 and "in.csv" in result.stderr


def test_what_would_overwrite_something_else(done: Project, places: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "elsewhere")
    stage = {"cmd": f"echo 1 > {path}", "outs": [{path: {"cache": False}}]}
    done.pipeline({**STAGES, "s": stage})
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    (tmp_path / "elsewhere").write_text("mine\n")
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert result.code == 1 and "would overwrite" in result.stderr
    assert (tmp_path / "elsewhere").read_text() == "mine\n"
    assert rebuild(done, places, "HEAD", "eval")["verdict"] == "identical"


def test_a_link_that_leads_out_of_the_repository(
    done: Project, places: Path, tmp_path: Path
) -> None:
    """The worktree has the link too: what lies behind it is the user's."""
    models = tmp_path / "models"
    models.mkdir()
    (done.root / "models").symlink_to(models)
    run_stage(done, "echo 1 > models/s", outs=["models/s"])
    (models / "s").write_text("mine\n")
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places))
    assert result.code == 1 and "would overwrite" in result.stderr
    assert (models / "s").read_text() == "mine\n"
    nothing_left(done, places)
    assert rebuild(done, places, "HEAD", "eval")["verdict"] == "identical"


def test_a_place_in_the_repository_is_refused(done: Project) -> None:
    (done.root / "tmp").mkdir()
    result = done.mlx("verify", "--rebuild", TMPDIR=str(done.root / "tmp"))
    assert result.code == 1 and "set TMPDIR" in result.stderr
    assert os.listdir(done.root / "tmp") == []


def test_from_a_folder_and_a_worktree(done: Project, places: Path, tmp_path: Path) -> None:
    result = done.mlx("verify", "--rebuild", TMPDIR=str(places), cwd=".dvc")
    assert result.code == 0
    nothing_left(done, places)
    done.git("worktree", "add", "-q", str(tmp_path / "other"))
    other = Project(tmp_path / "other", done.tools)
    other.mlx("verify").ok()
    (other.root / ".dvc/config.local").write_text(f"[cache]\n    dir = {done.root}/.dvc/cache\n")
    other.mlx("verify", "--rebuild", TMPDIR=str(places)).ok()
    assert list(places.iterdir()) == []
    assert len(done.git("worktree", "list").stdout.splitlines()) == 2


def _slow(project: Project) -> None:
    """A stage that takes for ever, but only when it is rebuilt."""
    run_stage(project, "echo 1 > s; test -z $MLX_REBUILD || sleep 1000")


def _started(project: Project, places: Path) -> Running:
    running = Running.mlx(project, "verify", "--rebuild", "HEAD", "s", TMPDIR=str(places))
    running.says("running     s")
    return running


@pytest.mark.parametrize("how", ["interrupt", "terminate"])
def test_it_is_stopped(how: str, done: Project, places: Path) -> None:
    _slow(done)
    before = everything(done)
    running = _started(done, places)
    getattr(running, how)()
    result = running.finish()
    assert result.code == 130
    assert "interrupted" in result.stderr
    nothing_left(done, places)
    assert everything(done) == before
    assert not [one for one in psutil.process_iter() if _rebuilds_in(one, done)]


def test_it_is_killed(done: Project, places: Path) -> None:
    """The next `mlx verify` removes what is left, and ends what still runs."""
    _slow(done)
    before = everything(done)
    running = _started(done, places)
    wait_for(lambda: [one for one in psutil.process_iter() if _rebuilds_in(one, done)], "it runs")
    running.kill(whole_tree=False)
    assert len(list(places.iterdir())) == 1
    result = done.mlx("verify", TMPDIR=str(places)).ok()
    assert "removed what 1 rebuild had left" in result.stderr
    nothing_left(done, places)
    assert everything(done) == before
    assert not [one for one in psutil.process_iter() if _rebuilds_in(one, done)]


def test_one_that_goes_on_is_left_alone(done: Project, places: Path) -> None:
    _slow(done)
    running = _started(done, places)
    assert done.mlx("verify").ok().stderr == ""
    assert len(list(places.iterdir())) == 1
    running.interrupt()
    assert running.finish().code == 130
