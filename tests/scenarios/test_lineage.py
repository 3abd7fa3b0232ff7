"""`mlx lineage` and `mlx log` as people use them, on projects made by dvc, mlx and git."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

STAGES: dict[str, Any] = {
    "prepare": {
        "cmd": "mkdir -p part && sort raw.csv > part/train.csv && tail -1 raw.csv > part/test.csv",
        "deps": ["raw.csv"],
        "outs": ["part"],
    },
    "train": {
        "cmd": "cat part/train.csv params.yaml > model.bin",
        "deps": ["part/train.csv"],
        "params": ["lr"],
        "outs": ["model.bin"],
    },
    "evaluate": {
        "cmd": 'echo "{\\"acc\\": 0.$(wc -c < model.bin)}" > metrics.json',
        "deps": ["model.bin", "part"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
}


def step(project: Project, tool: str, message: str, lr: float, raw: str = "b,1\na,2\n") -> str:
    """Run the pipeline with these inputs and commit; return the commit's id."""
    project.write("raw.csv", raw)
    project.write("params.yaml", f"lr: {lr}\n")
    run = getattr(project, tool)
    run("add", "raw.csv", "-q").ok()
    run("repro", "-q").ok()
    project.git("add", "-A")
    project.git("commit", "-q", "-m", message)
    return project.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def made(
    tools: Tools, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, list[str]]:
    """Three commits: a model, a better one, one of more data on a branch; not to be changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("made") / "project", tools)
    project.pipeline(STAGES, artifacts={"clf": {"path": "model.bin", "type": "model"}})
    first = step(project, "mlx", "first model", 0.1)
    second = step(project, "mlx", "raise the rate", 0.25)
    project.git("tag", "-a", "-m", "first", "clf@v1.0.0")
    project.git("checkout", "-q", "-b", "more")
    third = step(project, "mlx", "more data", 0.25, "b,1\na,2\nc,3\n")
    project.git("checkout", "-q", "main")
    project.mlx("checkout", "-q").ok()
    return project, [first, second, third]


@pytest.fixture
def history(made: tuple[Project, list[str]], tmp_path: Path) -> tuple[Project, list[str]]:
    """A copy of those commits."""
    project, commits = made
    return Project.copy(project.root, tmp_path / "project", project.tools), commits


def ask(project: Project, *args: str, code: int = 0) -> Any:
    found = project.mlx("lineage", *args, "--json")
    assert found.code == code, str(found)
    return found.json


def test_the_questions_of_one_model(history: tuple[Project, list[str]], tmp_path: Path) -> None:
    project, (first, second, third) = history
    told = ask(project, "model.bin")
    (made,) = told["producers"]
    assert (made["commit"], made["stage"], made["path"]) == (second, "train", "model.bin")
    assert made["changed"] == {"params.yaml": {"lr": {"old": 0.1, "new": 0.25}}}
    assert made["params"] == {"params.yaml": {"lr": 0.25}}
    assert set(made["refs"]) == {"main", "more", "clf@v1.0.0"}
    # The run that made it is on record, with the working tree as it was.
    assert made["run"]["commit"] == first and made["run"]["dirty"]
    tree = project.git("ls-tree", "--name-only", made["run"]["tree"]).stdout.split()
    assert "params.yaml" in tree
    assert [(one["path"], one["kind"]) for one in told["upstream"]] == [
        ("part/train.csv", "file"), ("part", "output"), ("raw.csv", "data")
    ]  # fmt: skip
    assert [(one["path"], one["metrics"]) for one in told["downstream"]] == [
        ("metrics.json", {"metrics.json": {"acc": 0.17}})
    ]
    # The same artifact, by other names.
    md5 = told["artifact"]["md5"]
    copied = tmp_path / "from a mail.bin"
    shutil.copy(project.root / "model.bin", copied)
    for name in (
        md5, md5[:6], str(copied), "clf@v1.0.0", "clf@1.0.0", "clf@latest", "HEAD:model.bin",
        "main:model.bin", f"{second}:model.bin", f"run:{made['run']['id'][:8]}",
    ):  # fmt: skip
        assert ask(project, name)["artifact"]["md5"] == md5, name
    assert ask(project, "more:model.bin")["producers"][0]["commit"] == third
    assert ask(project, "HEAD~1:model.bin")["producers"][0]["commit"] == first
    (project.root / "model.bin").unlink()  # not checked out: what is recorded counts
    assert ask(project, "model.bin")["artifact"]["md5"] == md5


def test_bad_data_reaches_which_models(history: tuple[Project, list[str]]) -> None:
    project, commits = history
    told = ask(project, "raw.csv", "--downstream")
    assert told["upstream"] == []
    models = {one["commit"] for one in told["downstream"] if one["path"] == "model.bin"}
    assert models == set(commits[:2])
    near = ask(project, "raw.csv", "--downstream", "--depth", "1")["downstream"]
    assert [one["path"] for one in near] == ["part"]


def test_a_file_inside_a_folder(history: tuple[Project, list[str]], tmp_path: Path) -> None:
    project, (first, *_) = history
    told = ask(project, "part/test.csv")
    assert told["producers"][0]["commit"] == first
    assert told["producers"][0]["path"] == "part"
    assert {one["path"] for one in told["upstream"]} == {"part", "raw.csv"}
    assert "metrics.json" in {one["path"] for one in told["downstream"]}
    copied = tmp_path / "test.csv"
    shutil.copy(project.root / "part" / "test.csv", copied)
    assert ask(project, str(copied))["producers"][0]["path"] == "part"
    assert ask(project, "HEAD:part/test.csv")["producers"][0]["path"] == "part"


def test_what_was_never_committed(history: tuple[Project, list[str]]) -> None:
    project, _ = history
    for lr in ("0.7", "0.8"):
        project.write("params.yaml", f"lr: {lr}\n")
        project.mlx("repro", "-q").ok()
        if lr == "0.7":
            lost = ask(project, "model.bin")["artifact"]["md5"]
    (now,) = ask(project, "model.bin")["producers"]
    assert (now["commit"], now["run"]["dirty"]) == (None, True)
    project.git("checkout", "-q", "--", ".")
    # Overwritten before anyone committed it; the run tells.
    (made,) = ask(project, lost)["producers"]
    assert made["commit"] is None and made["params"] == {"params.yaml": {"lr": 0.7}}
    assert ask(project, lost)["upstream"][0]["path"] == "part/train.csv"


def test_runs_of_another_clone(history: tuple[Project, list[str]], tmp_path: Path) -> None:
    project, _ = history
    project.write("params.yaml", "lr: 0.7\n")
    project.mlx("repro", "-q").ok()
    lost = ask(project, "model.bin")["artifact"]["md5"]
    project.git("clone", "-q", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", project.tools)
    assert ask(clone, lost, code=3)["producers"] == []
    clone.git("fetch", "-q", "origin", "refs/mlx/runs:refs/mlx/runs")
    assert ask(clone, lost)["producers"][0]["params"] == {"params.yaml": {"lr": 0.7}}


def test_a_project_that_never_heard_of_mlx(project: Project, tmp_path: Path) -> None:
    project.pipeline(STAGES)
    first = step(project, "dvc", "first model", 0.1)
    second = step(project, "dvc", "raise the rate", 0.25)
    project.dvc("exp", "run", "-q", "-n", "trial", "-S", "lr=0.5").ok()
    trial = (project.root / "model.bin").read_bytes()
    project.git("checkout", "-q", "--", ".")
    project.dvc("checkout", "-q").ok()
    project.git("clone", "-q", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", project.tools)
    log = clone.mlx("log", "model.bin", "--json").ok().json["versions"]
    assert [(one["commit"], one["run"]) for one in log] == [(second, None), (first, None)]
    assert clone.git("status", "--porcelain").stdout == ""
    project.write("trial.bin", trial)
    (made,) = ask(project, "trial.bin")["producers"]
    assert (made["refs"], made["params"]) == (["trial"], {"params.yaml": {"lr": 0.5}})


@pytest.mark.parametrize("side", [["--downstream"], ["--upstream"], ["--depth", "0"]], ids=str)
def test_who_made_a_file_in_a_folder_whatever_is_asked(
    history: tuple[Project, list[str]], side: list[str]
) -> None:
    project, (first, *_) = history
    (made,) = ask(project, "part/train.csv", *side)["producers"]
    assert (made["commit"], made["stage"], made["path"]) == (first, "prepare", "part")


def test_the_log_of_a_file_in_a_folder(history: tuple[Project, list[str]]) -> None:
    project, (first, _, third) = history
    found = project.mlx("log", "part/train.csv", "--all", "--json").ok().json["versions"]
    assert [one["commit"] for one in found] == [third, first]
    assert found[1]["md5"] == ask(project, f"{first}:part/train.csv")["artifact"]["md5"]
    assert {(one["stage"], one["path"]) for one in found} == {("prepare", "part/train.csv")}
    listed = ask(project, "part")["artifact"]["md5"]
    cached = project.root / ".dvc" / "cache" / "files" / "md5" / listed[:2] / listed[2:]
    cached.rename(project.root / "aside")
    result = project.mlx("log", "part/train.csv")
    (project.root / "aside").rename(cached)
    assert result.code == 3 and "the list of its files is not in the cache" in result.stderr


def test_the_log_of_a_path(history: tuple[Project, list[str]]) -> None:
    project, (first, second, third) = history
    log = project.mlx("log", "model.bin", "--json").ok().json["versions"]
    assert [one["commit"] for one in log] == [second, first]
    assert log[0]["changed"] == {
        "params": {"params.yaml": {"lr": {"old": 0.1, "new": 0.25}}},
        "metrics": {"metrics.json": {"acc": {"old": 0.16, "new": 0.17}}},
    }
    everywhere = project.mlx("log", "model.bin", "--all", "--json").ok().json["versions"]
    assert [one["commit"] for one in everywhere] == [third, second, first]
    on = project.mlx("log", "model.bin", "--rev", "more", "-n", "1", "--json").ok().json["versions"]
    assert [one["commit"] for one in on] == [third]
    # A file of Git's that a stage writes has a history, too.
    log = project.mlx("log", "metrics.json", "--json").ok().json["versions"]
    assert [one["metrics"]["metrics.json"]["acc"] for one in log] == [0.17, 0.16]
    text = project.mlx("log", "../model.bin", cwd=".dvc").ok().stdout
    assert text.startswith(f"commit {second}\nAuthor: Tester\nDate:   ")
    assert "params.yaml:lr 0.1 -> 0.25" in text and "metrics.json:acc 0.16 -> 0.17" in text
    assert project.mlx("log", "nothing").code == 3
    assert project.mlx("log", "model.bin", "--rev", "nowhere").code == 2


def test_the_text_of_an_answer(history: tuple[Project, list[str]]) -> None:
    project, (_, second, _) = history
    text = project.mlx("lineage", "model.bin").ok().stdout
    for line in (
        f"{second[:7]}  ", "  raise the rate\n", "  stage    train\n",
        "  params   params.yaml: lr 0.1 -> 0.25\n", "  run      ",
        "made of\n└─ part/train.csv  ", "      └─ raw.csv  ", "1 artifact was made of it",
    ):  # fmt: skip
        assert line in text, text
    assert "\033" not in text
    assert "made of it\n└─ metrics.json  " in project.mlx(
        "lineage", "model.bin", "--downstream"
    ).ok().stdout  # fmt: skip


def test_the_drawings(history: tuple[Project, list[str]]) -> None:
    project, _ = history
    assert project.mlx("lineage", "model.bin", "--mermaid").ok().stdout.startswith("flowchart")
    assert project.mlx("lineage", "model.bin", "--dot").ok().stdout.startswith("digraph")
    project.mlx("lineage", "model.bin", "--html", "page.html").ok()
    assert "raw.csv" in project.read("page.html")
    assert "model.bin" in project.mlx("lineage", "model.bin", "--openlineage").ok().stdout
    assert project.mlx("lineage", "model.bin", "--dot", "--mermaid").code == 2


def test_what_nobody_knows_and_what_is_nonsense(history: tuple[Project, list[str]]) -> None:
    project, _ = history
    project.write("note.txt", "nobody knows\n")
    assert ask(project, "note.txt", code=3)["producers"] == []
    assert ask(project, "0" * 32, code=3)["producers"] == []
    for what in (
        "nonsense",
        "HEAD:nothing",
        "nowhere:model.bin",
        "run:ffffffff",
        "run:x",
        "clf@v9",
    ):
        found = project.mlx("lineage", what)
        assert (found.code, found.stdout) == (2, ""), str(found)
        assert found.stderr.startswith("error:") and "hint:" in found.stderr
    assert project.mlx("lineage", "zzz", "--json").json["error"]["code"] == "usage"
    project.write("model.bin", "changed by hand\n")
    found = project.mlx("lineage", "model.bin")
    assert found.code == 3 and "mlx lineage HEAD:model.bin" in found.stderr


def test_an_ambiguous_digest_lists_what_it_may_be(project: Project) -> None:
    ids = [f"abcd{number:028x}" for number in range(3)]
    outs = [{"path": f"f{n}", "hash": "md5", "md5": one} for n, one in enumerate(ids)]
    lock = {"schema": "2.0", "stages": {"s": {"cmd": "x", "outs": outs}}}
    project.write("dvc.lock", json.dumps(lock))
    found = project.mlx("lineage", "abcd")
    assert found.code == 2 and "f0" in found.stderr and "f2" in found.stderr
    assert ask(project, ids[1])["artifact"]["paths"] == ["f1"]


def test_a_digest_of_dvc_2(project: Project) -> None:
    project.write("text.csv", "a\r\nb\r\n")
    out = {"md5": "dd8c6a395b5dd36c56d23275028f526c", "size": 6, "path": "text.csv"}
    project.write("text.csv.dvc", json.dumps({"outs": [out]}))
    assert ask(project, "text.csv")["producers"][0]["stage"] == "text.csv.dvc"


def test_a_project_below_the_repositorys_top(project: Project, tmp_path: Path) -> None:
    sub = project.root / "team" / "model"
    sub.mkdir(parents=True)
    inner = Project(sub, project.tools)
    project.dvc("init", "-q", "--subdir", cwd="team/model").ok()
    inner.pipeline(STAGES)
    commit = step(inner, "mlx", "inner", 0.1)
    (made,) = ask(inner, "model.bin")["producers"]
    assert (made["commit"], made["stage"]) == (commit, "train")
    assert made["path"] == "team/model/model.bin" and made["run"] is not None
