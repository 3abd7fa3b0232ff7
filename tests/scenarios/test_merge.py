"""Branches that changed the pipeline, brought together by Git with `mlx merge-driver`."""

from pathlib import Path

import pytest
from tests.support.commands import Result, run
from tests.support.project import Project
from tests.support.tools import Tools

PIPELINE = {
    name: {
        "cmd": f"cat {name}.in {name}.more > {name}.out",
        "deps": [f"{name}.in", f"{name}.more"],
        "outs": [f"{name}.out"],
    }
    for name in ("left", "middle", "right")
}


def git(project: Project, *args: str, code: int = 0, path: str = "") -> Result:
    """`git ARGS`; its trace tells whom it calls to merge."""
    env = {**project.tools.env, "GIT_TRACE": "1", "GIT_EDITOR": "true"}
    result = run(["git", *args], project.root, {**env, "PATH": path} if path else env)
    assert result.code == code, str(result)
    return result


def branch(project: Project, name: str, file: str) -> None:
    """A branch of main on which one input is another, and the pipeline has run."""
    project.git("checkout", "-q", "-b", name, "main")
    project.write(file, f"{file} of {name}\n")
    project.mlx("repro").ok()
    project.tools.commit(project.root, name)


@pytest.fixture(scope="session")
def branches_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.copy(template, tmp_path_factory.mktemp("branches") / "project", tools)
    project.mlx("init").ok()
    for name in PIPELINE:
        project.write(f"{name}.in", f"{name}\n")
        project.write(f"{name}.more", f"more {name}\n")
    project.pipeline(PIPELINE)
    project.mlx("repro").ok()
    project.write("data.csv", "1\n")
    project.mlx("add", "data.csv").ok()
    project.tools.commit(project.root, "main")
    branch(project, "ours", "left.in")
    branch(project, "theirs", "right.in")
    branch(project, "third", "middle.in")
    branch(project, "clash", "left.more")
    project.git("checkout", "-q", "ours")
    project.mlx("repro").ok()
    return project.root


@pytest.fixture
def branches(branches_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """Branches from main that changed one stage each: `ours` and `clash` the same one."""
    return Project.copy(branches_once, tmp_path / "project", tools)


def called(result: Result) -> bool:
    return "mlx merge-driver --path=" in result.stderr


def assert_merged(project: Project, *sides: str) -> None:
    """Each side's stage is as it was there; nothing has to run, for mlx and for dvc."""
    for side, stage in zip(sides, ("left", "right"), strict=True):
        there = project.git("show", f"{side}:dvc.lock").stdout
        block = there[there.index(f"  {stage}:\n") :].split("\n  ")[0]
        assert block.rstrip("\n") in project.read("dvc.lock")
    project.mlx("checkout").ok()
    assert project.mlx("status", "--json").ok().json["clean"] is True
    assert project.dvc("status", "--json").ok().json == {}
    assert project.git("status", "--short").stdout == ""


def test_merge(branches: Project) -> None:
    assert called(git(branches, "merge", "--no-edit", "theirs"))
    assert_merged(branches, "ours", "theirs")


def test_rebase(branches: Project) -> None:
    assert called(git(branches, "rebase", "theirs"))
    assert_merged(branches, "ours", "theirs")


def test_cherry_pick(branches: Project) -> None:
    assert called(git(branches, "cherry-pick", "theirs"))
    assert_merged(branches, "ours", "theirs")


def test_revert(branches: Project) -> None:
    git(branches, "merge", "--no-edit", "theirs")
    assert called(git(branches, "revert", "--no-edit", "ours~1"))
    assert_merged(branches, "main", "theirs")


def test_stash(branches: Project) -> None:
    branches.write("right.in", "not committed\n")
    branches.mlx("repro").ok()
    kept = branches.lock()["right"]
    git(branches, "stash")
    git(branches, "checkout", "-q", "main")
    branches.write("left.in", "another\n")
    branches.mlx("repro").ok()
    branches.tools.commit(branches.root, "moved on")
    assert called(git(branches, "stash", "pop"))
    assert branches.lock()["right"] == kept
    branches.mlx("checkout").ok()
    assert branches.mlx("status", "--json").ok().json["clean"] is True


def test_octopus(branches: Project) -> None:
    """Git's own script merges these by lines, whatever attributes say."""
    assert not called(git(branches, "merge", "--no-edit", "theirs", "third"))
    assert_merged(branches, "ours", "theirs")


def test_stages_added_at_the_same_place(branches: Project) -> None:
    """New entries are last in the lock on both sides: Git alone would have a conflict."""

    def add(name: str, first: bool) -> str:
        branches.write(f"{name}.in", f"{name}\n")
        new = {"cmd": f"cp {name}.in {name}.out", "deps": [f"{name}.in"], "outs": [f"{name}.out"]}
        before, after = ({name: new}, {}) if first else ({}, {name: new})
        branches.pipeline({**before, **PIPELINE, **after})
        branches.mlx("repro").ok()
        branches.tools.commit(branches.root, name)
        return branches.read("dvc.lock")

    branches.git("checkout", "-q", "-b", "one", "main")
    ours = add("one", first=True)
    branches.git("checkout", "-q", "-b", "two", "main")
    theirs = add("two", first=False)
    branches.git("checkout", "-q", "one")
    rules = branches.read(".gitignore") + "/two.out\n"
    git(branches, "merge", "--no-edit", "-X", "ours", "two")
    assert branches.read("dvc.lock") == ours + theirs[theirs.index("  two:\n") :]
    branches.write(".gitignore", rules)
    branches.mlx("checkout").ok()
    assert branches.mlx("status", "--json").ok().json["clean"] is True
    assert branches.dvc("status", "--json").ok().json == {}


def test_merged_with_each_other_before(branches: Project) -> None:
    """Two common ancestors: Git merges those first."""
    git(branches, "merge", "--no-edit", "theirs")
    branches.git("checkout", "-q", "-b", "crossed", "theirs")
    git(branches, "merge", "--no-edit", "ours~1")
    branches.git("checkout", "-q", "ours")
    for name, file in (("ours", "left.in"), ("crossed", "middle.in")):
        branches.git("checkout", "-q", name)
        branches.mlx("checkout").ok()
        branches.write(file, "again\n")
        branches.mlx("repro").ok()
        branches.tools.commit(branches.root, f"{name} again")
    git(branches, "merge", "--no-edit", "ours")
    branches.mlx("checkout").ok()
    assert branches.mlx("status", "--json").ok().json["clean"] is True


# --- conflicts


def test_a_stage_changed_on_both_sides(branches: Project) -> None:
    git(branches, "checkout", "-q", "-b", "both", "theirs")
    branches.mlx("checkout").ok()
    branches.write("left.more", "more of both\n")
    branches.mlx("repro").ok()
    branches.tools.commit(branches.root, "left, too")
    git(branches, "checkout", "-q", "ours")
    branches.mlx("checkout").ok()
    result = git(branches, "merge", "both", code=1)
    assert "dvc.lock: both sides changed stage left\n" in result.stderr
    assert "mlx repro left\n" in result.stderr
    text = branches.read("dvc.lock")
    assert text.startswith("schema: '2.0'\nstages:\n<<<<<<< ")
    assert text.count("<<<<<<< ") == 1 and text.index(">>>>>>> ") < text.index("  middle:\n")

    status = branches.mlx("status", "--json").ok()
    assert [one["stage"] for one in status.json["stages"] if one["state"] == "stale"] == [
        "left",
        "right",  # its output is another one now, and not checked out yet
    ]
    assert "dvc.lock is in conflict" in status.stderr and "of left it has ours" in status.stderr
    branches.mlx("repro", "--dry").ok()
    assert branches.read("dvc.lock") == text, "looking changes nothing"
    problems = branches.mlx("doctor", "--json").json["problems"]
    assert [(one["kind"], one["hint"].split(": ")[-1]) for one in problems] == [
        ("lock-file", "mlx repro")
    ]

    outcome = branches.mlx("repro", "--json").ok().json["stages"]
    assert {one["stage"]: one["outcome"] for one in outcome} == {
        "left": "ran",
        "middle": "unchanged",
        "right": "restored",
    }
    assert branches.read("left.out") == "left.in of ours\nmore of both\n"
    branches.tools.commit(branches.root, "merged")
    assert branches.dvc("status", "--json").ok().json == {}
    assert branches.mlx("status", "--check").ok()


def test_their_side_was_right(branches: Project) -> None:
    """Whoever takes their inputs gets their outputs, without a run, and without the run-cache."""
    git(branches, "merge", "clash", code=1)
    branches.git("checkout", "main", "--", "left.in")
    branches.sh("rm -rf .dvc/cache/runs")
    outcome = branches.mlx("repro", "--json").ok().json["stages"]
    assert {one["stage"]: one["outcome"] for one in outcome}["left"] == "restored"
    assert branches.read("dvc.lock") == branches.git("show", "clash:dvc.lock").stdout


def test_our_side_was_right(branches: Project) -> None:
    git(branches, "merge", "clash", code=1)
    branches.git("checkout", "main", "--", "left.more")
    result = branches.mlx("repro").ok()
    assert "nothing to do" in result.stdout
    assert "git add dvc.lock" in result.stderr
    assert branches.read("dvc.lock") == branches.git("show", "ours:dvc.lock").stdout


def test_a_merge_by_lines_is_merged_again_by_stages(branches: Project) -> None:
    """Without the driver, Git mixes both sides' lines inside of an entry."""
    branches.git("config", "--remove-section", "merge.mlx")
    assert not called(git(branches, "merge", "clash", code=1))
    assert "<<<<<<<" in branches.read("dvc.lock")
    outcome = branches.mlx("repro", "--json").ok().json["stages"]
    assert {one["stage"]: one["outcome"] for one in outcome}["left"] == "ran"
    branches.tools.commit(branches.root, "merged")
    assert branches.dvc("status", "--json").ok().json == {}


@pytest.mark.parametrize("driver", [True, False])
def test_lines_would_tell_of_a_run_that_never_was(project: Project, driver: bool) -> None:
    """One side changed an input that made no difference then, and does with the other side's."""
    if driver:
        project.mlx("init").ok()
    inputs = [f"{name}.in" for name in "abcdefgh"]
    for name in inputs:
        project.write(name, "1\n")
    cmd = "if grep -q 1 a.in; then echo one > out; else cat a.in h.in > out; fi"
    project.pipeline({"s": {"cmd": cmd, "deps": inputs, "outs": ["out"]}})
    project.mlx("repro").ok()
    project.tools.commit(project.root)
    for name, file in (("theirs", "h.in"), ("ours", "a.in")):
        project.git("checkout", "-q", "-b", name, "main")
        project.write(file, "2\n")
        project.mlx("repro").ok()
        project.tools.commit(project.root)
    git(project, "merge", "--no-edit", "theirs", code=int(driver))
    if not driver:
        assert project.mlx("status", "--check").ok(), "as DVC says, too; and it is wrong"
        assert project.dvc("status", "--json").ok().json == {}
        assert project.read("out") == "2\n1\n"
        return
    assert project.mlx("repro").ok()
    assert project.read("out") == "2\n2\n"


def test_their_outputs_come_from_a_remote(branches: Project, tmp_path: Path) -> None:
    branches.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    branches.tools.commit(branches.root, "a remote")
    branches.git("checkout", "-q", "clash")
    branches.mlx("checkout").ok()
    branches.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    branches.mlx("push").ok()
    branches.git("checkout", "-q", "--", ".dvc/config")
    branches.git("checkout", "-q", "ours")
    branches.mlx("checkout").ok()
    git(branches, "merge", "clash", code=1)
    branches.git("checkout", "main", "--", "left.in")
    branches.sh("rm -rf .dvc/cache")
    outcome = branches.mlx("repro", "--pull", "--json", "left").ok().json["stages"]
    assert {one["stage"]: one["outcome"] for one in outcome} == {"left": "restored"}
    assert branches.read("left.out") == "left\nleft.more of clash\n"


def test_a_lock_that_only_dvc_can_judge(branches: Project) -> None:
    """With DVC 2's digests. DVC reads the file itself, so it has to be whole by then."""
    for name in ("main", "clash", "ours"):
        branches.git("checkout", "-q", name)
        branches.sh("sed -i '/hash: md5/d' dvc.lock")
        branches.tools.commit(branches.root, "as DVC 2 wrote it")
    git(branches, "merge", "clash", code=1)
    result = branches.mlx("status")
    assert result.code == 4
    assert "dvc.lock: must be mended before DVC can judge stage 'left'" in result.stderr
    assert "hint: run: mlx repro" in result.stderr
    outcome = branches.mlx("repro", "--json").ok().json["stages"]
    assert {one["stage"]: one["outcome"] for one in outcome}["left"] == "ran"
    assert branches.read("left.out") == "left.in of ours\nleft.more of clash\n"
    assert branches.dvc("status", "--json").ok().json == {}


def test_markers_of_which_git_knows_nothing(branches: Project) -> None:
    branches.write("dvc.lock", f"<<<<<<< HEAD\n{branches.read('dvc.lock')}=======\n>>>>>>> x\n")
    before = branches.read("dvc.lock")
    for verb in ("repro", "status"):
        result = branches.mlx(verb)
        assert result.code == 4
        assert "dvc.lock:1: has Git merge-conflict markers" in result.stderr
        assert "git checkout --ours dvc.lock" in result.stderr
    assert branches.read("dvc.lock") == before


def test_data_changed_on_both_sides(branches: Project) -> None:
    for name in ("ours", "theirs"):
        branches.git("checkout", "-q", name)
        branches.write("data.csv", f"{name}\n")
        branches.mlx("add", "data.csv").ok()
        branches.tools.commit(branches.root, "data")
    result = git(branches, "merge", "ours", code=1)
    assert "data.csv.dvc: both sides changed the data: " in result.stderr
    assert "(or --theirs), then: mlx checkout data.csv.dvc\n" in result.stderr
    text = branches.read("data.csv.dvc")
    assert text.count("  md5: ") + text.count("- md5: ") == 2 and "<<<<<<<" in text
    assert "<<<<<<<" not in branches.read("dvc.lock"), "that one is merged"
    branches.git("checkout", "--ours", "data.csv.dvc")
    branches.mlx("checkout", "data.csv.dvc").ok()
    assert branches.read("data.csv") == "theirs\n"


def test_a_side_that_is_no_lock_is_merged_by_lines(branches: Project) -> None:
    branches.git("checkout", "-q", "-b", "old", "main")
    branches.write("dvc.lock", branches.read("dvc.lock").replace("schema: '2.0'\n", ""))
    branches.tools.commit(branches.root, "as DVC 1 wrote it")
    branches.git("checkout", "-q", "ours")
    result = git(branches, "merge", "--no-edit", "old")
    assert "dvc.lock: merged by lines" in result.stderr and "'schema' is missing" in result.stderr


# --- installed, and not


def test_a_clone_has_to_be_told(branches: Project, tools: Tools, tmp_path: Path) -> None:
    tools.git(tmp_path, "clone", "-q", str(branches.root), "clone")
    clone = Project(tmp_path / "clone", tools)
    (problem,) = (
        one
        for one in clone.mlx("doctor", "--json").json["problems"]
        if one["kind"] == "merge-driver"
    )
    assert problem["fixable"] is True
    fixed = clone.mlx("doctor", "--fix", "--json").json["fixed"]
    assert "merge-driver" in [one["kind"] for one in fixed]
    assert called(git(clone, "merge", "--no-edit", "origin/theirs"))
    clone.git("config", "--remove-section", "merge.mlx")
    clone.mlx("init").ok()
    assert clone.git("config", "merge.mlx.driver").stdout.startswith("mlx merge-driver ")
    assert clone.git("status", "--short").stdout == ""


def test_without_mlx_git_leaves_a_conflict(branches: Project) -> None:
    result = git(branches, "merge", "theirs", code=1, path="/usr/bin:/bin")
    assert "CONFLICT" in result.stdout
    assert branches.read("dvc.lock") == branches.git("show", "ours:dvc.lock").stdout
    git(branches, "merge", "--abort")


def test_install_and_uninstall(project: Project) -> None:
    project.write(".gitattributes", "*.bin -text\n*.dvc merge=dvc")
    result = project.mlx("merge-driver", "--install").ok()
    assert "merge=dvc of *.dvc: left as it is" in result.stderr
    assert project.read(".gitattributes") == "*.bin -text\n*.dvc merge=dvc\ndvc.lock merge=mlx\n"
    again = project.mlx("merge-driver", "--install", "--json").ok()
    assert again.json == {"installed": True, "changed": False, "others": {"*.dvc": "dvc"}}
    project.mlx("merge-driver", "--uninstall").ok()
    assert project.read(".gitattributes") == "*.bin -text\n*.dvc merge=dvc\n"
    assert "merge" not in project.read(".git/config")
    project.mlx("merge-driver", "--uninstall", "-q").ok()
    (project.root / ".gitattributes").unlink()
    project.mlx("merge-driver", "--install").ok()
    project.mlx("merge-driver", "--uninstall").ok()
    assert not (project.root / ".gitattributes").exists()


# --- called by hand


def test_the_outcome_for_programs(branches: Project) -> None:
    for name in ("main", "ours", "clash"):
        branches.write(f"{name}.lock", branches.git("show", f"{name}:dvc.lock").stdout)
    call = ["merge-driver", "--path", "sub/dvc.lock", "main.lock", "ours.lock", "clash.lock"]
    result = branches.mlx(*call)
    assert result.code == 1 and result.stdout == ""
    assert "mlx -C sub repro left" in result.stderr
    branches.write("ours.lock", branches.git("show", "ours:dvc.lock").stdout)
    result = branches.mlx(*call, "--json")
    assert (result.code, result.stderr) == (1, "")
    assert result.json == {"merged": False, "conflicts": ["left"], "by_lines": False}
    branches.write("ours.lock", branches.git("show", "ours:dvc.lock").stdout)
    result = branches.mlx(*call, "--marker-size=9", "--ours=HEAD", "--theirs=%Y", "-q")
    assert (result.code, result.stdout, result.stderr) == (1, "", "")
    assert "<<<<<<<<< HEAD\n" in branches.read("ours.lock")
    assert ">>>>>>>>> theirs\n" in branches.read("ours.lock")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["a", "b"], 2, "BASE, OURS and THEIRS are missing"),
        (["--install", "--uninstall"], 2, "give --install or --uninstall"),
        (["--install", "a", "b", "c"], 2, "give --install or --uninstall"),
        (["none", "none", "none"], 129, "No such file"),
        (["--path=dvc.lock", "bin", "bin", "bin"], 129, "binary"),
        (["--path=x.dvc", "bin", "bin", "bin"], 129, "binary"),
    ],
)
def test_bad_input(project: Project, args: list[str], code: int, said: str) -> None:
    project.write("bin", b"\0\xff")
    result = project.mlx("merge-driver", *args)
    assert (result.code, result.stdout) == (code, "")
    assert said in result.stderr and "Traceback" not in result.stderr
