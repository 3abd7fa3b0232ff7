"""Run records: each stage that runs is on record in Git, and nothing of the user's is touched."""

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import Running
from tests.support.project import Project
from tests.support.tools import Tools

REF = "refs/mlx/runs"


def records(project: Project, ref: str = REF) -> dict[str, dict[str, Any]]:
    """All records, by id, as plain Git tells them."""
    listed = project.git("ls-tree", "-r", "--full-tree", ref, "runs").stdout
    found = {}
    for line in listed.splitlines():
        about, _, path = line.partition("\t")
        data = project.git("cat-file", "blob", about.split()[2]).stdout
        name = path.removeprefix("runs/").removesuffix(".json").replace("/", "")
        assert hashlib.sha256(data.encode()).hexdigest() == name
        found[name] = json.loads(data)
    return found


def latest(project: Project) -> dict[str, dict[str, Any]]:
    """The newest record of each stage."""
    found: dict[str, dict[str, Any]] = {}
    for one in sorted(records(project).values(), key=lambda one: one["started"]):
        found[one["stage"]] = one
    return found


def has_records(project: Project) -> bool:
    return bool(project.git("for-each-ref", REF).stdout)


def test_stages_that_ran(training: Project) -> None:
    training.write("notes.txt", "not committed\n")
    head = training.git("rev-parse", "HEAD").stdout.strip()
    document = training.mlx("repro", "--json").ok().json
    found = records(training)
    assert {one["stage"]: one["run"] for one in document["stages"]} == {
        one["stage"]: name for name, one in found.items()
    }
    train = latest(training)["train"]
    model = training.read("model").encode()
    assert train["outs"] == [
        {
            "path": "model",
            "md5": hashlib.md5(model).hexdigest(),
            "sha256": hashlib.sha256(model).hexdigest(),
            "size": len(model),
        }
    ]
    assert [one["path"] for one in train["deps"]] == ["clean.csv"]
    assert train["params"] == {"params.yaml": {"train.lr": 0.1}}
    assert (train["outcome"], train["exit_code"], train["commit"]) == ("ran", 0, head)
    assert train["reasons"] == [{"kind": "new", "what": "train"}]
    assert train["cost"]["cpu_seconds"] >= 0
    (metrics,) = latest(training)["evaluate"]["outs"]
    assert (metrics["path"], metrics["kind"]) == ("metrics.json", "metric")
    # The working tree as the run found it, checked out like any commit.
    assert train["dirty"] is True
    there = training.git("ls-tree", "-r", "--name-only", train["snapshot"]).stdout.split()
    assert "notes.txt" in there
    assert not {"model", "metrics.json", "dvc.lock"} & set(there)
    assert training.git("rev-parse", f"{train['snapshot']}^").stdout.strip() == head
    assert (
        training.git("rev-parse", f"{train['snapshot']}^{{tree}}").stdout.strip() == (train["tree"])
    )


def test_a_clean_working_tree_is_head(training: Project) -> None:
    training.mlx("repro").ok()
    head = training.git("rev-parse", "HEAD").stdout.strip()
    assert {(one["snapshot"], one["dirty"]) for one in records(training).values()} == {
        (head, False)
    }


def test_nothing_to_do_leaves_nothing(trained: Project) -> None:
    before = _git_files(trained)
    trained.mlx("repro").ok()
    trained.mlx("repro", "--dry", "-f").ok()
    assert _git_files(trained) == before


def test_nothing_of_the_users_is_touched(trained: Project) -> None:
    """Index, branch, stash and hooks: all that is below .git is as before, but for our ref."""
    trained.write("data.csv", "stashed\n")
    trained.git("stash")
    trained.write("params.yaml", "train:\n  lr: 0.3\n")
    trained.write("staged.txt", "x\n")
    trained.git("add", "staged.txt")
    trained.write("staged.txt", "more\n")
    trained.write("new.txt", "new\n")
    hooks = ("post-index-change", "pre-commit", "post-commit", "reference-transaction", "pre-push")
    for name in hooks:
        trained.write(f".git/hooks/{name}", f"#!/bin/sh\ntouch '{trained.root}/{name}'\n", 0o755)
    before = _git_files(trained)
    trained.mlx("repro").ok()
    after = _git_files(trained)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {REF}
    assert not {name for name in hooks if (trained.root / name).exists()}
    snapshot = latest(trained)["train"]["snapshot"]
    assert trained.git("show", f"{snapshot}:staged.txt").stdout == "more\n"


def _git_files(project: Project) -> dict[str, bytes]:
    top = project.root / ".git"
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in top.rglob("*")
        if path.is_file() and "objects" not in path.relative_to(top).parts
    }


def test_a_restored_stage(trained: Project) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.3\n")
    trained.mlx("repro").ok()
    trained.write("params.yaml", "train:\n  lr: 0.1\nseed: 7\n")
    document = trained.mlx("repro", "--json").ok().json
    restored = {one["stage"]: one["run"] for one in document["stages"] if one["run"]}
    assert restored.keys() == {"train", "evaluate"}
    one = records(trained)[restored["train"]]
    assert (one["outcome"], one["exit_code"], one["env"]) == ("restored", None, None)
    assert [out["path"] for out in one["outs"]] == ["model"]


def test_a_failed_stage(training: Project) -> None:
    training.sh("sed -i 's/cat clean.csv params.yaml > model/exit 7/' dvc.yaml")
    document = training.mlx("repro", "--json")
    assert document.code == 1
    runs = {one["stage"]: one["run"] for one in document.json["stages"]}
    one = records(training)[runs["train"]]
    assert (one["outcome"], one["exit_code"], one["outs"]) == ("failed", 7, [])
    assert [dep["path"] for dep in one["deps"]] == ["clean.csv"]
    assert runs["evaluate"] is None
    training.pipeline({"train": {"cmd": "echo 1 > model", "deps": ["gone"], "outs": ["model"]}})
    before = len(records(training))
    assert training.mlx("repro", "train").code == 1
    assert len(records(training)) == before, "what never started is no run"


def test_data_that_changed(trained: Project) -> None:
    trained.write("extra.csv", "1\n")
    trained.mlx("add", "extra.csv").ok()
    trained.write("extra.csv", "22\n")
    trained.mlx("repro", "-P").ok()
    one = latest(trained)["extra.csv.dvc"]
    assert (one["outcome"], one["cmd"]) == ("committed", None)
    assert (one["outs"][0]["path"], one["outs"][0]["size"]) == ("extra.csv", 3)


def test_a_project_below_the_top(repository: Project, tools: Tools) -> None:
    """Paths are as from the top of the repository."""
    repository.write("shared/in.txt", "x\n")
    inner = Project(repository.root / "ml" / "one", tools)
    inner.root.mkdir(parents=True)
    inner.dvc("init", "-q", "--subdir").ok()
    cmd, dep = "cp ../../shared/in.txt out", "../../shared/in.txt"
    inner.pipeline({"a": {"cmd": cmd, "deps": [dep], "outs": ["out"]}})
    inner.mlx("repro").ok()
    one = latest(repository)["a"]
    assert (one["project"], one["commit"]) == ("ml/one", None), "before the first commit"
    assert [dep["path"] for dep in one["deps"]] == ["shared/in.txt"]
    assert [out["path"] for out in one["outs"]] == ["ml/one/out"]
    assert "shared/in.txt" in repository.git("ls-tree", "-r", "--name-only", one["snapshot"]).stdout


def test_without_git(repository: Project) -> None:
    repository.sh("rm -rf .git")
    repository.dvc("init", "-q", "--no-scm").ok()
    repository.pipeline({"a": {"cmd": "echo 1 > out", "outs": ["out"]}})
    document = repository.mlx("repro", "--json").ok().json
    assert [one["run"] for one in document["stages"]] == [None]


def test_large_files_are_only_listed(training: Project) -> None:
    training.write("mlx.yaml", "runs: {max_file_size: 1K}\n")
    training.write("big.bin", b"x" * 1025)
    training.write("small.bin", b"x" * 1024)
    training.mlx("repro").ok()
    one = latest(training)["prep"]
    md5 = hashlib.md5(b"x" * 1025).hexdigest()
    assert one["left_out"] == [{"path": "big.bin", "size": 1025, "md5": md5}]
    assert "small.bin" in training.git("ls-tree", "--name-only", one["snapshot"]).stdout


def test_settings(training: Project) -> None:
    training.write("mlx.yaml", "runs: {record: false}\n")
    assert training.mlx("repro", "prep").ok().stderr.count("record") <= 1  # the hint to `git add`
    assert not has_records(training)
    for wrong in ("runs: 5", "runs: {max_file_size: many}", "runs: {recrod: true}"):
        training.write("mlx.yaml", f"{wrong}\n")
        said = training.mlx("repro", "-f", "prep").ok().stderr
        assert "warning: this run is not on record: mlx.yaml:1: `runs" in said, said
        assert not has_records(training)


def test_a_failure_to_record_fails_nothing(training: Project) -> None:
    """It is said, and made up for by the next run."""
    training.write(".git/refs/mlx/runs.lock", "")
    result = training.mlx("repro", "--json").ok()
    assert "warning: run records wait for the next run" in result.stderr
    assert result.json["ok"] is True
    assert not has_records(training)
    (training.root / ".git/refs/mlx/runs.lock").unlink()
    training.mlx("repro").ok()
    assert {one["stage"] for one in records(training).values()} == {"prep", "train", "evaluate"}
    assert training.mlx("repro").ok().stderr == ""


def test_why_names_the_run(training: Project) -> None:
    training.mlx("repro").ok()
    (name,) = [name for name, one in records(training).items() if one["stage"] == "train"]
    assert name[:12] in training.mlx("why", "train").ok().stdout
    assert training.mlx("why", "train", "--json").ok().json["last"]["run"] == name


STAGES = 12


@pytest.mark.parametrize("number", range(4))
def test_killed(number: int, project: Project) -> None:
    """Whenever it is killed: every stage is on record in the end, and no run twice.

    Of one that is killed between run-cache and record only the restoring is on record.
    """
    chance = random.Random(number)
    ran = project.root.parent / "ran"
    project.write("in", "x\n")
    project.pipeline(
        {
            f"s{one}": {
                "cmd": f"echo s{one} >> {ran}; cat in > o{one}",
                "deps": ["in"],
                "outs": [f"o{one}"],
            }
            for one in range(STAGES)
        }
    )
    for _ in range(3):
        running = Running.mlx(project, "repro", "-j", "2")
        running.ends_within(chance.uniform(0.1, 0.5))
        running.kill(whole_tree=True)
        if has_records(project):
            assert len(records(project)) >= 1  # each whole
    project.mlx("repro").ok()
    done = {one["stage"] for one in records(project).values() if one["outcome"] != "failed"}
    assert done == {f"s{one}" for one in range(STAGES)}
    begun = ran.read_text().split()
    for stage in done:
        runs = [one for one in records(project).values() if one["stage"] == stage]
        assert sum(one["outcome"] == "ran" for one in runs) <= begun.count(stage)
    assert project.git("fsck", "--strict").code == 0
    assert not (project.root / ".mlx/runs/pending.jsonl").exists()


def test_a_journal_cut_short(training: Project) -> None:
    """After a crash of the system the last line may be half, or nonsense."""
    training.write(".git/refs/mlx/runs.lock", "")
    training.mlx("repro", "prep").ok()
    journal = training.root / ".mlx/runs/pending.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b"\0\0\nrun 00 {}\n" + whole[: len(whole) // 2])
    (training.root / ".git/refs/mlx/runs.lock").unlink()
    assert "3 run records were cut short" in training.mlx("repro", "prep").ok().stderr
    assert len(records(training)) == 1
    assert not journal.exists()


# Between clones

Clone = Callable[[str], Project]


@pytest.fixture
def origin(training: Project, tmp_path: Path) -> Path:
    """A bare repository with the pipeline, and a storage beside it."""
    training.dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    training.tools.commit(training.root, "a remote")
    training.git("clone", "-q", "--bare", str(training.root), str(tmp_path / "origin.git"))
    return tmp_path / "origin.git"


@pytest.fixture
def clone(origin: Path, tools: Tools, tmp_path: Path) -> Clone:
    def make(name: str) -> Project:
        tools.git(tmp_path, "clone", "-q", str(origin), name)
        return Project(tmp_path / name, tools)

    return make


def test_two_clones_in_turns_lose_nothing(origin: Path, clone: Clone) -> None:
    one, two = clone("one"), clone("two")
    for turn, project in enumerate([one, two, two, one, two, one]):
        project.write("params.yaml", f"train:\n  lr: {turn}\n")
        project.mlx("repro").ok()
        project.mlx("push").ok()
    for project in (one, two):
        project.mlx("fetch").ok()
    made = records(one)
    assert made == records(two)
    ran = [one for one in made.values() if one["stage"] == "train"]
    assert sorted(each["params"]["params.yaml"]["train.lr"] for each in ran) == list(range(6))
    at_origin = Project(origin, one.tools)
    assert records(at_origin).keys() == made.keys()
    for each in made.values():
        one.git("cat-file", "-e", each["snapshot"])
    at_origin.git("fsck", "--strict")


def test_push_says_what_went(clone: Clone) -> None:
    one = clone("one")
    one.mlx("repro").ok()
    assert one.mlx("push", "--json", "--no-records").ok().json == {"pushed": 2, "failed": []}
    assert one.mlx("push", "--json").ok().json == {"pushed": 0, "failed": [], "records": 3}
    assert one.mlx("push", "--json").ok().json == {"pushed": 0, "failed": [], "records": 0}
    two = clone("two")
    pulled = two.mlx("pull", "--json", "--allow-missing").ok().json
    assert pulled["records"] == 3
    assert "run record" not in two.mlx("fetch").ok().stdout
    one.mlx("repro", "-f", "prep").ok()
    assert "1 run record pushed to 'origin'" in one.mlx("push").ok().stdout
    assert "1 run record fetched from 'origin'" in two.mlx("fetch").ok().stdout


def test_records_go_their_way_without_a_remote_for_data(clone: Clone) -> None:
    one, two = clone("one"), clone("two")
    one.dvc("remote", "remove", "-q", "store").ok()
    one.mlx("repro").ok()
    result = one.mlx("push")
    assert result.code == 4 and "there is no default remote" in result.stderr
    assert "3 run records pushed to 'origin'" in result.stdout
    one.tools.commit(one.root, "run")
    one.git("push", "-q")
    two.git("pull", "-q")
    for verb in ("fetch", "pull"):
        result = two.mlx(verb, "--json")
        assert result.code == 4 and result.json["error"]["code"] == "project"
        assert records(two) == records(one)
    one.mlx("repro", "-f", "prep").ok()
    assert one.mlx("push", "nothing").code == 2
    assert records(Project(one.root.parent / "origin.git", one.tools)) != records(one)
    assert one.mlx("push", "--no-records").code == 4
    assert records(Project(one.root.parent / "origin.git", one.tools)) != records(one)


def test_a_remote_that_refuses(origin: Path, clone: Clone) -> None:
    """The data arrives; the records are a warning."""
    one = clone("one")
    one.mlx("repro").ok()
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    result = one.mlx("push", "--json").ok()
    assert result.json == {"pushed": 2, "failed": []}
    assert "warning: run records were not pushed: remote 'origin': " in result.stderr
    assert "pre-receive hook declined" in result.stderr


def test_a_remote_that_is_not_there(origin: Path, clone: Clone) -> None:
    one = clone("one")
    one.mlx("repro").ok()
    os.rename(origin, f"{origin}.away")
    for verb in ("push", "fetch", "pull"):
        result = one.mlx(verb).ok()
        assert "warning: run records were not " in result.stderr
        assert "does not appear to be a git repository" in result.stderr
    os.rename(f"{origin}.away", origin)
    assert one.mlx("push", "--json").ok().json["records"] == 3


def test_which_remote(clone: Clone, tmp_path: Path) -> None:
    """The branch's upstream, else origin, else the only one, else none."""
    one = clone("one")
    one.mlx("repro").ok()
    one.git("init", "-q", "--bare", str(tmp_path / "other.git"))
    one.git("remote", "add", "other", str(tmp_path / "other.git"))
    one.git("config", "branch.main.remote", "other")
    assert "to 'other'" in one.mlx("push").ok().stdout
    one.git("checkout", "-q", "--detach")
    assert "to 'origin'" in one.mlx("push").ok().stdout
    one.git("remote", "remove", "origin")
    one.mlx("repro", "-f", "prep").ok()
    assert "to 'other'" in one.mlx("push").ok().stdout
    one.git("remote", "remove", "other")
    one.mlx("repro", "-f", "prep").ok()
    result = one.mlx("push").ok()
    assert ("record" in result.stdout, result.stderr) == (False, "")


def test_records_that_are_not_what_they_say(origin: Path, clone: Clone) -> None:
    one = clone("one")
    one.mlx("repro").ok()
    one.mlx("push").ok()
    bare = Project(origin, one.tools)
    stream = f"commit {REF}\ncommitter x <x@x> 1700000000 +0000\ndata 1\nx\nfrom {REF}^0\n"
    stream += f"M 100644 inline runs/ab/{'0' * 62}.json\ndata 2\n{{}}\n"
    (origin / "stream").write_text(stream)
    bare.sh("git fast-import --quiet < stream")
    two = clone("two")
    result = two.mlx("fetch").ok()
    assert "warning: 1 file of 'origin' left out: no run record" in result.stderr
    assert records(two) == records(one)


def test_gc_keeps_what_records_name(trained: Project) -> None:
    """Also of runs whose lock file was never committed; nothing else names their objects."""
    for value in (0.5, 0.6):
        trained.write("params.yaml", f"train:\n  lr: {value}\nseed: 7\n")
        trained.mlx("repro").ok()
    trained.sh("rm -rf .dvc/cache/runs")
    trained.git("checkout", "-q", ".")
    trained.mlx("checkout").ok()
    assert trained.mlx("gc", "--yes", "--json").ok().json["removed"] == 0
    plan = trained.mlx("gc", "--all-commits", "--workspace", "--json").ok().json["plan"]
    assert [(one["reason"], one["objects"]) for one in plan] == [("run-record", 1)] or (
        sum(one["objects"] for one in plan) == 2
    )
    assert "run record" in trained.mlx("gc", "--all-commits", "--workspace").ok().stdout
