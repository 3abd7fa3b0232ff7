"""The commands that workflows call: what a run began from, what it wrote, what a tag asks for."""

import json
from pathlib import Path

import pytest
from tests.support.expressions import NotUnderstood, evaluate, fill, holds
from tests.support.project import Project
from tests.support.tools import Tools
from tests.support.workflow_event import Event, triggered

STAGE = {"copy": {"cmd": "cp a b && cp a m.json", "deps": ["a"], "outs": ["b"],
                  "metrics": [{"m.json": {"cache": False}}]}}  # fmt: skip


def commit(project: Project, text: str) -> str:
    project.write("a", text)
    project.tools.commit(project.root, text)
    return project.git("rev-parse", "HEAD").stdout.strip()


def base(project: Project, tmp_path: Path, document: object = None, ref: str = "") -> str:
    """What `mlx ci base` says, on its output and to later steps."""
    env = {"GITHUB_REF": ref, "GITHUB_OUTPUT": str(tmp_path / "out")}
    if document is not None:
        (tmp_path / "event.json").write_text(json.dumps(document))
        env["GITHUB_EVENT_PATH"] = str(tmp_path / "event.json")
    (tmp_path / "out").write_text("")
    found = project.mlx("ci", "base", **env).ok().stdout.strip()
    assert (tmp_path / "out").read_text() == f"rev={found}\n"
    return found


def test_what_work_is_compared_with(project: Project, tmp_path: Path) -> None:
    one, two = commit(project, "1"), commit(project, "2")
    about = {"repository": {"default_branch": "main"}}
    main = "refs/heads/main"
    assert base(project, tmp_path) == one
    commit(project, "3")
    assert base(project, tmp_path, {**about, "before": one}, main) == one
    assert base(project, tmp_path, {**about, "before": "0" * 40}, main) == two
    assert base(project, tmp_path, {**about, "before": "ab" * 20}, main) == two  # it is gone
    three = project.git("rev-parse", "HEAD").stdout.strip()
    project.git("checkout", "-q", "-b", "work")
    commit(project, "4")
    four = commit(project, "5")
    assert base(project, tmp_path) == three
    assert base(project, tmp_path, {**about, "before": four}, "refs/heads/work") == three
    project.git("checkout", "-q", "main")
    later = commit(project, "6")
    project.git("checkout", "-q", "--detach", "work")
    request = {"pull_request": {"base": {"sha": later}}}
    assert base(project, tmp_path, {**about, **request}, "refs/pull/1/merge") == three


def test_nothing_to_compare_with(project: Project, tools: Tools, tmp_path: Path) -> None:
    done = project.mlx("ci", "base")
    assert done.code == 1
    assert done.stderr.startswith("error: there is no earlier commit to compare with")
    commit(project, "2")
    tools.git(tmp_path, "clone", "-q", "--depth=1", project.root.as_uri(), "shallow")
    done = tools.mlx(tmp_path / "shallow", "ci", "base")
    assert (done.code, "git fetch --unshallow" in done.stderr) == (1, True)
    (tmp_path / "empty").mkdir()
    tools.git(tmp_path / "empty", "init", "-q")
    assert tools.mlx(tmp_path / "empty", "ci", "base").code == 2


@pytest.fixture
def ran(project: Project) -> Project:
    """A stage that ran on something new, and files that are nobody's."""
    project.pipeline(STAGE)
    commit(project, "1")
    project.mlx("repro", "-q").ok()
    project.write("notes [1].txt", "mine")
    return project


def test_what_a_run_wrote_is_committed_and_nothing_else(ran: Project) -> None:
    ran.write("staged", "by a person")
    ran.git("add", "staged")
    assert ran.mlx("ci", "commit", "--check").code == 3
    output = ran.root.parent / "out"
    done = ran.mlx("ci", "commit", "-m", "from a server", GITHUB_OUTPUT=str(output)).ok()
    assert output.read_text() == "changed=true\n"
    lines = done.stdout.splitlines()
    assert [line.strip() for line in lines[1:]] == [".gitignore", "dvc.lock", "m.json"]
    assert "left alone:" in done.stderr and "notes [1].txt" in done.stderr
    shown = ran.git("show", "--name-only", "--format=%s").stdout.split("\n\n")
    assert shown[0] == "from a server"
    assert set(shown[1].split()) == {".gitignore", "dvc.lock", "m.json"}
    status = ran.git("status", "--porcelain").stdout
    assert "A  staged" in status and "?? " in status
    again = ran.mlx("ci", "commit", "--json").ok().json
    assert (again["commit"], again["changed"]) == (None, [])
    assert ran.mlx("ci", "commit", "--check").code == 0


def test_an_output_that_is_gone_is_committed_as_gone(ran: Project) -> None:
    ran.mlx("ci", "commit", "-q").ok()
    ran.pipeline({"copy": {**STAGE["copy"], "cmd": "cp a b", "metrics": []}})
    ran.tools.commit(ran.root, "no metrics")
    (ran.root / "m.json").unlink()
    ran.mlx("repro", "-q").ok()
    assert ran.mlx("ci", "commit", "--json").ok().json["changed"] == ["dvc.lock"]


def test_a_hook_that_says_no_is_heard(ran: Project) -> None:
    hook = ran.write(".git/hooks/pre-commit", "#!/bin/sh\necho no lock today >&2\nexit 1\n", 0o755)
    done = ran.mlx("ci", "commit")
    assert (done.code, "no lock today" in done.stderr) == (1, True), str(done)
    assert hook.exists() and "dvc.lock" in ran.git("status", "--porcelain").stdout


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("census#prod!#5", "it takes the stage back"),
        ("a#b#c#d", "the tag promotes no model"),
        ("v1.0", "the tag promotes no model"),
    ],
)
def test_tags_that_deploy_nothing(tag: str, said: str, project: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    env = {"GITHUB_REF": f"refs/tags/{tag}", "GITHUB_OUTPUT": str(out)}
    done = project.mlx("ci", "promotion", **env).ok()
    assert done.stdout == f"{tag}: nothing to deploy: {said}\n"
    assert out.read_text().startswith("deploy=false\n")


def test_a_tag_that_is_not_here(project: Project) -> None:
    assert project.mlx("ci", "promotion", "census#prod#5").code == 2
    done = project.mlx("ci", "promotion", GITHUB_REF="refs/heads/main")
    assert (done.code, "no tag was pushed" in done.stderr) == (2, True)


def test_what_is_deployed_is_what_is_checked_out(project: Project) -> None:
    for tag in ("census@v1.0.0", "census#prod#1", "sub=census#prod#1"):
        project.git("tag", "-a", "-m", "it", tag)
    done = project.mlx("ci", "promotion", "census#prod#1", "--check").ok()
    assert done.stdout == "census@v1.0.0 to prod\n"
    told = project.mlx("ci", "promotion", "sub=census#prod#1").ok().stdout
    assert "it is of another project" in told
    commit(project, "later")
    done = project.mlx("ci", "promotion", "census#prod#1", "--check")
    assert (done.code, "which is not checked out" in done.stdout) == (3, True)


def test_a_stage_that_looks_itself(project: Project, tmp_path: Path) -> None:
    project.pipeline({"ask": {"cmd": "true", "always_changed": True, "deps": ["a"]}})
    done = project.mlx("ci", "update", GITHUB_OUTPUT=str(tmp_path / "out")).ok()
    assert done.stdout == "no new data (0 imports)\nlooks for itself when it runs: ask\n"
    assert (tmp_path / "out").read_text() == "new=true\n"


@pytest.mark.parametrize("verb", ["push", "fetch"])
def test_records_that_cannot_be_carried(verb: str, ran: Project) -> None:
    """A gate that asks what was accepted before must not be judged without them."""
    assert ran.mlx(verb, "--only-records").code == 2  # no remote
    ran.git("remote", "add", "origin", "nowhere")
    done = ran.mlx(verb, "--only-records")
    assert (done.code, f"not {verb}ed: run records" in done.stderr) == (6, True), str(done)
    assert ran.mlx(verb, "--only-records", "b").code == 2
    ran.git("init", "-q", "--bare", "nowhere")
    done = ran.mlx(verb, "--only-records", "--json").ok()
    assert (done.json["failed"], done.json["records"]) == ([], 1 if verb == "push" else 0)


def test_a_source_that_is_gone(project: Project, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("1")
    project.dvc("import-url", str(tmp_path / "source"), "data").ok()
    (tmp_path / "source").unlink()
    done = project.mlx("ci", "update")
    assert (done.code, "data.dvc: no update" in done.stderr) == (6, True), str(done)


def test_the_runner_guesses_nothing() -> None:
    known = {"github": {"ref": "x"}, "secrets": {}, "steps": {"a": {"outputs": {"new": "true"}}}}
    assert evaluate("steps.a.outputs.new == 'true' && !cancelled()", known, "success") is True
    assert fill("${{ secrets.NONE }}-${{ github.ref }}", known) == "-x"
    assert holds("steps.a.outputs.new == 'true'", known, "failure") is False
    assert holds("${{ always() }}", known, "failure") is True
    for text in (
        "github.actor",
        "format('x')",
        "1 < 2",
        "a['b']",
        "github.ref ==",
        "(true",
        "env.X",
    ):
        with pytest.raises(NotUnderstood):
            evaluate(text, known, "success")
    pushed = Event("push", "refs/tags/a/b#c#1", "", {})
    assert triggered({"push": {"tags": ["**#**#*"]}}, pushed)
    assert not triggered({"push": {"tags": ["*#*#*"]}}, pushed)
    assert not triggered({"push": {"branches": ["**"]}}, pushed)
    for on in ({"push": {"paths": ["x"]}}, {"issue_comment": None}, {"push": {"tags": ["[a]"]}}):
        with pytest.raises(NotUnderstood):
            triggered(on, pushed)
