"""`mlx verify`: what is recorded fits together, or each thing that does not is named."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

STAGES: dict[str, Any] = {
    "prep": {"cmd": "cat in.csv src/a > p.csv", "deps": ["in.csv", "src"], "outs": ["p.csv"]},
    "train": {
        "cmd": "mkdir -p m && cat p.csv > m/w && echo '{\"n\": 1.5}' > n.json",
        "deps": ["p.csv"],
        "params": ["lr", {"more.json": ["deep.x"]}],
        "outs": ["m"],
        "metrics": [{"n.json": {"cache": False}}],
    },
    "use": {"cmd": "cat m/w > u", "deps": ["m/w"], "outs": ["u"]},
}


@pytest.fixture(scope="module")
def ready(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was run and committed; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("verify") / "ready", tools)
    project.write("in.csv", "1,2\n")
    project.write("src/a", "code\n")
    project.write("src/b/c", "more\n")
    project.write("params.yaml", "lr: 0.1\n")
    project.write("more.json", '{"deep": {"x": 1}}')
    project.pipeline(STAGES)
    project.mlx("add", "-q", "in.csv").ok()
    project.mlx("repro", "-q").ok()
    tools.commit(project.root, "run")
    return project


@pytest.fixture
def done(ready: Project, tmp_path: Path) -> Project:
    """A copy to change."""
    return Project.copy(ready.root, tmp_path / "done", ready.tools)


def problems(project: Project, *args: str) -> set[tuple[str, str | None, str | None]]:
    """Kind, stage and path of all problems; the exit code must say the same."""
    result = project.mlx("verify", *args, "--json")
    found = result.json
    assert result.code == (0 if found["ok"] else 3)
    assert found["ok"] == (not found["problems"])
    assert all(one["why"] for one in found["problems"])
    return {(one["kind"], one["stage"], one["path"]) for one in found["problems"]}


def test_nothing_is_wrong(ready: Project) -> None:
    for args in ((), ("HEAD",)):
        found = ready.mlx("verify", *args, "--json").ok().json
        assert found["problems"] == found["unchecked"] == []
        assert found["stages"] == 4
    assert ready.mlx("verify").ok().stdout == "verified: 4 stages\n"


def test_a_clone_without_data(ready: Project, tmp_path: Path) -> None:
    ready.tools.git(tmp_path, "clone", "-q", str(ready.root), "clone")
    clone = Project(tmp_path / "clone", ready.tools)
    assert problems(clone) == problems(clone, "HEAD") == set()
    # Whether `m/w` is what `m` holds is in the cache alone.
    (one,) = clone.mlx("verify", "--json").json["unchecked"]
    assert (one["stage"], one["path"]) == ("use", "m/w")


def _edit(path: str, old: str, new: str) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        text = project.read(path)
        assert old in text
        project.write(path, text.replace(old, new, 1))

    return edit


def _lock(change: Callable[[dict[str, Any]], None]) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        import yaml

        document = yaml.safe_load(project.read("dvc.lock"))
        change(document["stages"])
        project.write("dvc.lock", yaml.safe_dump(document, sort_keys=False))

    return edit


def _stages(change: Callable[[dict[str, Any]], None]) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        import copy

        stages = copy.deepcopy(STAGES)
        change(stages)
        project.pipeline(stages)

    return edit


WRONG = "0" * 32
PLANTED: dict[str, tuple[Callable[[Project], None], set[tuple[str, str | None, str]]]] = {
    "a changed command": (
        _stages(lambda s: s["use"].update(cmd="cat m/w m/w > u")),
        {("cmd", "use", "dvc.yaml")},
    ),
    "a new stage": (
        _stages(lambda s: s.update(new={"cmd": "echo > z", "outs": ["z"]})),
        {("not-locked", "new", "dvc.lock")},
    ),
    "a stage that went": (_stages(lambda s: s.pop("use")), {("orphan", "use", "dvc.lock")}),
    "a new dependency": (
        _stages(lambda s: s["use"]["deps"].append("src/a")),
        {("deps", "use", "src/a")},
    ),
    "a dependency that went": (
        _stages(lambda s: s["prep"].update(deps=["src"])),
        {("deps", "prep", "in.csv")},
    ),
    "a new output": (_stages(lambda s: s["use"]["outs"].append("v")), {("outs", "use", "v")}),
    "an output that went": (
        _stages(lambda s: s["train"].pop("metrics")),
        {("outs", "train", "n.json")},
    ),
    "a changed parameter": (
        _edit("params.yaml", "0.1", "0.2"),
        {("params", "train", "params.yaml")},
    ),
    "a parameter that went": (_edit("more.json", "x", "y"), {("params", "train", "more.json")}),
    "a new parameter": (
        _stages(lambda s: s["train"]["params"].append("rate")),
        {("params", "train", "params.yaml")},
    ),
    "a parameter declared no more": (
        _stages(lambda s: s["train"].update(params=["lr"])),
        {("params", "train", "more.json")},
    ),
    "changed code in a folder": (_edit("src/b/c", "more", "less"), {("content", "prep", "src")}),
    "a changed metric": (_edit("n.json", "1.5", "1.6"), {("content", "train", "n.json")}),
    "a broken chain": (
        _lock(lambda s: s["prep"]["outs"][0].update(md5=WRONG)),
        {("chain", "train", "p.csv"), ("record", "prep", "dvc.lock")},
    ),
    "a broken chain inside a folder": (
        _lock(lambda s: s["use"]["deps"][0].update(md5=WRONG)),
        {("chain", "use", "m/w")},
    ),
    "other data": (
        lambda project: project.write("in.csv", "3\n") and project.mlx("add", "-q", "in.csv").ok(),  # type: ignore[dict-item]
        {("chain", "prep", "in.csv")},
    ),
    "outputs that no run made": (
        _lock(lambda s: s["use"]["outs"][0].update(md5=WRONG)),
        {("record", "use", "dvc.lock")},
    ),
    "no lock": (
        lambda project: (project.root / "dvc.lock").unlink(),
        {("not-locked", name, "dvc.lock") for name in STAGES},
    ),
    "a lock that is cut": (
        lambda project: project.write("dvc.lock", project.read("dvc.lock")[:300]),  # type: ignore[dict-item]
        {("lock", None, "dvc.lock")},
    ),
    "a lock that is none": (
        lambda project: project.write("dvc.lock", "stages: [1]\n"),  # type: ignore[dict-item]
        {("lock", None, "dvc.lock")},
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_each_is_named(planted: str, done: Project) -> None:
    """In the working tree, where it is uncommitted besides, and in the commit."""
    change, wanted = PLANTED[planted]
    change(done)
    now = problems(done)
    assert {one for one in now if one[0] != "uncommitted"} == wanted
    assert {one[2] for one in now if one[0] == "uncommitted"}
    done.tools.commit(done.root)
    assert problems(done) == wanted
    assert problems(done, "HEAD") == wanted
    assert problems(done, "HEAD~1") == set()


def test_what_is_not_committed(done: Project) -> None:
    done.write("src/b/c", "other\n")
    done.write("params.yaml", "lr: 0.3\n")
    done.mlx("repro", "-q").ok()
    assert problems(done) == {
        ("uncommitted", None, "dvc.lock"),
        ("uncommitted", "train", "params.yaml"),
        ("uncommitted", "prep", "src/b/c"),
    }
    assert problems(done, "HEAD") == set()


def test_what_git_does_not_have(done: Project) -> None:
    done.write("secret.py", "x\n")
    done.write(".gitignore", done.read(".gitignore") + "secret.py\n")
    stage = {"cmd": "cat secret.py > s", "deps": ["secret.py"], "outs": ["s"]}
    done.pipeline({**STAGES, "s": stage})
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == {("uncommitted", "s", "secret.py")}


def test_traces_of_a_run_are_no_change(done: Project) -> None:
    """Bytecode that lies in a dependency is in its digest, and in no commit."""
    done.write(".gitignore", done.read(".gitignore") + "__pycache__/\n")
    done.write("src/__pycache__/a.pyc", "bytecode\n")
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == set()
    assert len(done.mlx("verify", "HEAD", "--json").json["unchecked"]) == 1
    shutil.rmtree(done.root / "src/__pycache__")
    assert problems(done) == set()


def test_templates_are_filled_in_from_the_commit(done: Project) -> None:
    template = {"cmd": "echo ${lr} ${item} > ${item}", "outs": ["${item}"]}
    done.pipeline({"g": {"foreach": ["a", "b"], "do": template}})
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    gone = {("orphan", name, "dvc.lock") for name in STAGES}
    assert problems(done, "HEAD") == gone
    done.write("params.yaml", "lr: 7\n")
    done.tools.commit(done.root)
    changed = {("cmd", f"g@{name}", "dvc.yaml") for name in "ab"}
    assert problems(done, "HEAD") == problems(done) == gone | changed
    assert problems(done, "HEAD~1") == gone


def test_digests_of_dvc_2(done: Project) -> None:
    """DVC 2 saw text with the line ends of Unix, and said nothing of the kind of a digest."""
    done.write("dos.txt", b"a\r\nb\r\n")
    done.pipeline({"d": {"cmd": "true", "deps": ["dos.txt"]}})
    unix = "dd8c6a395b5dd36c56d23275028f526c"  # of "a\nb\n"
    entry = {"cmd": "true", "deps": [{"path": "dos.txt", "md5": unix, "size": 6}]}
    _lock(lambda s: (s.clear(), s.update(d=entry)))(done)  # type: ignore[func-returns-value]
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == set()
    done.write("dos.txt", b"a\r\nc\r\n")
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == {("content", "d", "dos.txt")}


def test_a_frozen_stage_may_lag_behind(done: Project) -> None:
    stages = {**STAGES, "use": {**STAGES["use"], "frozen": True}}
    done.pipeline(stages)
    _lock(lambda s: s["use"]["deps"][0].update(md5=WRONG))(done)
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == set()


def test_what_the_remote_has(done: Project, tmp_path: Path) -> None:
    done.dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    (tmp_path / "store").mkdir()
    done.tools.commit(done.root)
    lacking = {(name, path) for _, name, path in problems(done, "--remote")}
    wanted = {("prep", "p.csv"), ("train", "m"), ("use", "u"), ("in.csv.dvc", "in.csv")}
    assert lacking == wanted
    done.mlx("push", "-q").ok()
    assert problems(done, "--remote") == problems(done, "HEAD", "-r", "store") == set()
    md5 = next(one["md5"] for one in done.lock()["use"]["outs"])
    inner = tmp_path / "store/files/md5" / md5[:2] / md5[2:]
    inner.unlink()  # also the only file in `m`
    assert problems(done, "--remote") == problems(done, "HEAD", "--remote") == {
        ("missing", "use", "u"), ("missing", "train", "m"), ("missing", "prep", "p.csv"),
    }  # fmt: skip
    result = done.mlx("verify", "--remote", "none")
    assert result.code == 2 and "there is no remote 'none'" in result.stderr


def test_bad_input(done: Project, tmp_path: Path) -> None:
    result = done.mlx("verify", "nothing")
    assert result.code == 2 and "'nothing' is no revision" in result.stderr
    result = done.mlx("verify", "HEAD", "train")
    assert result.code == 2 and "--rebuild" in result.stderr
    assert done.mlx("verify", "--remote").code == 4  # there is none
    assert done.tools.mlx(tmp_path, "verify").code == 4
    done.write("dvc.yaml", "stages: 5\n")
    assert done.mlx("verify").code == 4
    done.tools.commit(done.root)
    assert done.mlx("verify", "HEAD").code == 4


def test_a_project_in_a_folder_of_the_repository(tools: Tools, tmp_path: Path) -> None:
    """Files beside it are Git's, too; what lies outside of the repository is not checked."""
    root = tmp_path / "repo/proj"
    root.mkdir(parents=True)
    tools.git(tmp_path / "repo", "init", "-q")
    project = Project(root, tools)
    project.dvc("init", "-q", "--subdir").ok()
    (tmp_path / "far").write_text("far\n")
    project.write("../lib/a", "code\n")
    deps = ["../lib/a", "../lib", str(tmp_path / "far")]
    project.pipeline({"s": {"cmd": "cat ../lib/a > s", "deps": deps, "outs": ["s"]}})
    project.mlx("repro", "-q").ok()
    assert ("uncommitted", "s", "../lib") in problems(project)
    project.git("add", "-A", "..")
    project.git("commit", "-q", "-m", "all")
    assert problems(project) == problems(project, "HEAD") == set()
    unchecked = project.mlx("verify", "--json").json["unchecked"]
    assert [one["why"] for one in unchecked] == ["it lies outside of the repository"]
    project.write("../lib/a", "other\n")
    project.git("commit", "-q", "-a", "-m", "not run")
    wanted = {("content", "s", "../lib/a"), ("content", "s", "../lib")}
    assert problems(project) == problems(project, "HEAD") == wanted


def test_links_and_files_elsewhere_are_not_checked(done: Project) -> None:
    done.write("real/x", "x\n")
    (done.root / "link").symlink_to("real/x")
    done.write("big", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    stage = {"cmd": "cat link big > s", "deps": ["link", "big"], "outs": ["s"]}
    done.pipeline({**STAGES, "s": stage})
    done.mlx("repro", "-q").ok()
    done.tools.commit(done.root)
    assert problems(done) == problems(done, "HEAD") == set()
    unchecked = done.mlx("verify", "HEAD", "--json").json["unchecked"]
    assert {one["path"] for one in unchecked} == {"link", "big"}


def test_from_a_folder_of_the_project(done: Project) -> None:
    _edit("params.yaml", "0.1", "0.2")(done)
    found = done.mlx("verify", "--json", cwd="src").json["problems"]
    assert {one["path"] for one in found} == {"../params.yaml"}
    assert {one["stage"] for one in found} == {"../dvc.yaml:train"}


def test_nothing_is_written(done: Project) -> None:
    """Lock files that are cut are mended by a run, not by a look."""
    done.write("dvc.lock", done.read("dvc.lock")[:300])
    before = done.snapshot()
    refs = done.git("for-each-ref").stdout
    assert done.mlx("verify").code == 3
    assert done.mlx("verify", "HEAD").code == 0
    assert done.snapshot() == before
    assert done.git("for-each-ref").stdout == refs
