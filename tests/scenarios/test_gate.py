"""`mlx gate` on real repositories: verdicts, what is not judged, what is kept and carried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.commands import Result
from tests.support.project import Project
from tests.support.tools import Tools

MLX_YAML = """\
metrics: {acc: {better: higher}}
gates:
  test:
    - threshold: {metric: "m.json:acc", min: 0.5}
    - base: {metric: "m.json:acc", against: main}
  deployment:
    - slices: {file: slices.json, metric: acc, gap: 0.3}
"""
KEYS = {"gate", "rule", "verdict", "value", "threshold", "baseline", "why"}


def measure(project: Project, acc: float | str, gap: float = 0.1) -> None:
    project.write("in.json", json.dumps({"acc": acc} if isinstance(acc, float) else acc))
    project.write("cut.json", json.dumps({"sex": {"f": {"acc": 0.5}, "m": {"acc": 0.5 + gap}}}))
    project.mlx("repro", "-q").ok()


@pytest.fixture(scope="module")
def judged_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.copy(template, tmp_path_factory.mktemp("gate") / "project", tools)
    project.pipeline(
        {
            "measure": {
                "cmd": "cp in.json m.json",
                "deps": ["in.json"],
                "metrics": [{"m.json": {"cache": False}}],
            },
            "cut": {
                "cmd": "cp cut.json slices.json", "deps": ["cut.json"], "metrics": ["slices.json"]
            },
        }
    )  # fmt: skip
    project.write("mlx.yaml", MLX_YAML)
    measure(project, 0.8)
    tools.commit(project.root, "measured")
    return project.root


@pytest.fixture
def judged(judged_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A project that was measured and committed on main, and passes its gates."""
    return Project.copy(judged_once, tmp_path / "project", tools)


def records(project: Project) -> list[dict[str, Any]]:
    listed = project.git("ls-tree", "-r", "--name-only", "refs/mlx/gates").stdout.split()
    return [json.loads(project.git("show", f"refs/mlx/gates:{one}").stdout) for one in listed]


def events(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.mlx("audit", "--json").ok().json["events"]
    return [one for one in found if one["kind"] in ("gate-verdict", "override")]


def test_gates_that_pass_are_kept_once(judged: Project) -> None:
    done = judged.mlx("gate").ok()
    assert done.stdout.splitlines() == [
        "test: passed (2 passed)",
        "  ✓ threshold  acc 0.8 >= 0.5",
        "  ✓ base       acc 0.8, main has 0.8: unchanged, may lose 0; "
        "main is this very commit: nothing was compared",
        "deployment: passed (1 passed)",
        "  ✓ slices  slices.json: acc of sex=f 0.5 and sex=m 0.6: gap 0.1, maximum 0.3",
    ]
    assert done.stderr == ""
    judged.mlx("gate", "--rev", "HEAD", "test").ok()
    head = judged.git("rev-parse", "HEAD").stdout.strip()
    kept = {one["gate"]: one for one in records(judged)}
    assert len(records(judged)) == len(kept) == 2, "the second time nothing was new"
    assert {(one["commit"], one["passed"]) for one in kept.values()} == {(head, True)}
    assert [one["what"]["gate"] for one in events(judged)] == ["deployment", "test"]
    judged.mlx("audit", "verify").ok()


def test_json_has_all_that_programs_rely_on(judged: Project) -> None:
    document = judged.mlx("gate", "--json").ok().json
    assert document["passed"] is True
    assert [(one["gate"], one["rule"], one["verdict"]) for one in document["gates"]] == [
        ("test", "threshold", "pass"), ("test", "base", "pass"), ("deployment", "slices", "pass")
    ]  # fmt: skip
    assert all(one.keys() >= KEYS for one in document["gates"])
    threshold, base, slices = document["gates"]
    assert (threshold["value"], threshold["threshold"], threshold["baseline"]) == (0.8, 0.5, None)
    assert base["baseline"] == 0.8
    head = judged.git("rev-parse", "HEAD").stdout.strip()
    assert set(base["evidence"]) == {"m.json", f"{head}:m.json"}
    assert slices["figures"] == {"sex=f": 0.5, "sex=m": 0.6}
    assert (document["commit"], set(document["records"])) == (head, {"test", "deployment"})


def test_one_that_is_worse_fails_and_is_not_kept_before_it_is_committed(judged: Project) -> None:
    judged.git("checkout", "-q", "-b", "worse")
    measure(judged, 0.7, gap=0.4)
    done = judged.mlx("gate")
    assert done.code == 3
    assert "test: failed (1 passed, 1 failed)\n  ✗ base       acc 0.7, main has 0.8: -0.1" in (
        done.stdout
    )
    assert "gap 0.4, maximum 0.3" in done.stdout
    assert "not kept: m.json, or what the lock records of it, is not committed" in done.stderr
    assert events(judged) == []
    judged.tools.commit(judged.root, "worse")
    assert judged.mlx("gate", "test", "--no-record").code == 3
    assert events(judged) == []
    assert judged.mlx("gate", "test").code == 3
    (event,) = events(judged)
    assert (event["what"]["passed"], event["what"]["gate"]) == (False, "test")
    assert event["what"]["failed"] == ["acc 0.7, main has 0.8: -0.1, may lose 0"]
    assert judged.mlx("gate", "test", "--base", "worse").code == 0
    assert judged.mlx("gate", "test", "--rev", "main").code == 0
    assert judged.mlx("gate", "-q").stdout == ""


def test_the_same_verdict_elsewhere(judged: Project, tmp_path: Path, tools: Tools) -> None:
    mine = judged.mlx("gate", "test", "--json", "--no-record").ok().json
    tools.git(tmp_path, "clone", "-q", str(judged.root), "clone")
    clone = Project(tmp_path / "clone", tools)
    assert clone.mlx("gate", "test", "--json", "--no-record").ok().json == mine
    done = clone.mlx("gate", "deployment")
    assert (done.code, "mlx pull" in done.stderr) == (1, True)
    assert "slices.json" in done.stderr and done.stdout == ""


def test_explain_shows_figures_and_files(judged: Project) -> None:
    told = judged.mlx("gate", "--explain").ok().stdout
    assert "value 0.8, threshold 0.5" in told
    assert "sex=m         0.6  █" in told
    md5 = judged.lock()["measure"]["outs"][0]["md5"]
    head = judged.git("rev-parse", "HEAD").stdout.strip()
    assert f"{md5[:12]}  m.json" in told and f"{md5[:12]}  {head[:12]}:m.json" in told


def test_what_is_not_what_the_lock_records_is_refused(judged: Project) -> None:
    judged.write("m.json", '{"acc": 0.99}')
    done = judged.mlx("gate", "test")
    assert (done.code, done.stdout) == (1, "")
    assert "m.json is not what the lock records" in done.stderr and "mlx repro" in done.stderr
    (judged.root / "m.json").unlink()
    done = judged.mlx("gate", "test", "--json")
    assert done.code == 1 and "m.json is not there" in done.json["error"]["message"]
    judged.write("m.json", '{"acc": 0.99}')
    judged.tools.commit(judged.root, "cheated")
    found = judged.mlx("gate", "test", "--rev", "HEAD", "--base", "HEAD~1", "--json")
    assert found.code == 3
    assert "m.json is not what the lock there records" in found.json["gates"][0]["why"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("NaN", "acc is NaN"), ("Infinity", "acc is infinite"), ('"0.9"', "a text: '0.9'"),
        ("true", "acc is no number but true"), ("[0.9]", "acc is no number but a list"),
        ("null", "acc is no number but empty"), (None, "no 'acc'"),
    ],
)  # fmt: skip
def test_odd_metrics_never_pass(judged: Project, content: str | None, why: str) -> None:
    judged.write("in.json", f'{{"acc": {content}}}' if content else '{"loss": 1}')
    judged.mlx("repro", "-q").ok()
    done = judged.mlx("gate", "test", "--json")
    assert done.code == 3 and not done.json["passed"]
    assert {one["verdict"] for one in done.json["gates"]} == {"fail"}
    assert why in done.json["gates"][0]["why"]


def test_a_base_that_has_it_not(judged: Project) -> None:
    judged.git("branch", "old", "HEAD~1")
    done = judged.mlx("gate", "test", "--base", "old")
    assert (done.code, "old has no metrics file m.json" in done.stdout) == (3, True)
    judged.write("mlx.yaml", MLX_YAML.replace("against: main", "against: gone"))
    done = judged.mlx("gate", "test")
    assert (done.code, "'gone' is no revision" in done.stdout) == (3, True)
    assert "not kept: mlx.yaml is not committed" in done.stderr


Case = tuple[tuple[str, ...], int, str]


@pytest.mark.parametrize(
    "case",
    [
        (("tset",), 2, "did you mean 'test'?"), (("--rev", "nope"), 2, "'nope' is no revision"),
        (("--base", "nope"), 2, "'nope' is no revision"),
        (("--override",), 2, "--override needs a reason"),
        (("--override", "--reason", " "), 2, "--override needs a reason"),
        (("--override", "--reason", "x", "--no-record"), 2, "must be on record"),
        (("--reason", "x"), 2, "go with --override"),
        (("--rev", "HEAD~1"), 4, "HEAD~1:mlx.yaml: there are no gates in it"),
    ],
)  # fmt: skip
def test_wrong_arguments(judged: Project, case: Case) -> None:
    arguments, code, said = case
    done = judged.mlx("gate", *arguments)
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr


def test_a_malformed_file(judged: Project) -> None:
    judged.write("mlx.yaml", MLX_YAML.replace("min: 0.5", "min: high"))
    done = judged.mlx("gate")
    assert done.code == 4
    assert "mlx.yaml:4: `gates.test[0].threshold.min` is not a number: 'high'" in done.stderr
    judged.write("mlx.yaml", "metrics: {}\n")
    assert judged.mlx("gate").code == 4
    (judged.root / "mlx.yaml").unlink()
    assert "there are no gates" in judged.mlx("gate").stderr
    judged.write("mlx.yaml/in", "it")
    judged.tools.commit(judged.root, "a folder")
    done = judged.mlx("gate", "--rev", "HEAD")
    assert (done.code, "HEAD:mlx.yaml: is a folder" in done.stderr) == (4, True)


def test_a_rule_for_some_paths_sees_what_nobody_added_yet(judged: Project) -> None:
    rule = '{metric: "m.json:acc", min: 0.5, when: {paths: [src/], against: HEAD}}'
    judged.write("mlx.yaml", f"gates:\n  t:\n    - threshold: {rule}\n")
    done = judged.mlx("gate").ok()
    assert "only where src/ changed: it did not since HEAD" in done.stdout
    judged.write("src/new.py", "")
    assert "acc 0.8 >= 0.5" in judged.mlx("gate").ok().stdout


def test_what_is_wrong_in_head_only_is_not_in_the_way(judged: Project) -> None:
    judged.write("mlx.yaml", "gatez: {}\n")
    judged.tools.commit(judged.root, "slip")
    judged.write("mlx.yaml", MLX_YAML)
    done = judged.mlx("gate").ok()
    assert "not kept: HEAD is not like the working tree: HEAD:mlx.yaml:1: " in done.stderr
    done = judged.mlx("gate", "--rev", "HEAD")
    assert (done.code, "HEAD:mlx.yaml:1: there is an unknown key" in done.stderr) == (4, True)


def test_an_override_is_on_record_and_void_for_the_next_verdict(judged: Project) -> None:
    judged.git("checkout", "-q", "-b", "worse")
    measure(judged, 0.9)
    judged.tools.commit(judged.root, "better")
    measure(judged, 0.7)
    override = ("gate", "test", "--override", "--reason", "the old one leaks", "--name", "Ann")
    done = judged.mlx(*override)
    assert done.code == 1 and "verdicts cannot be kept" in done.stderr
    judged.tools.commit(judged.root, "worse")
    done = judged.mlx(*override).ok()
    assert "test: failed" in done.stdout and "let through by Ann on 2" in done.stdout
    assert [one["kind"] for one in events(judged)] == ["override", "gate-verdict"]
    assert events(judged)[0]["what"]["reason"] == "the old one leaks"
    again = judged.mlx("gate", "test", "--json")
    assert (again.code, again.json["passed"]) == (3, False)
    (told,) = again.json["overrides"]
    assert (told["gate"], told["name"], told["reason"]) == ("test", "Ann", "the old one leaks")
    accept = ("gate", "test", "--accept-overrides", "--no-record")
    judged.mlx(*accept).ok()
    assert judged.mlx(*accept, "--base", "HEAD~1").code == 3, "another verdict, not on record"
    measure(judged, 0.6)
    judged.tools.commit(judged.root, "worse still")
    assert judged.mlx("gate", "test", "--json").json["overrides"] == []
    done = judged.mlx("gate", "deployment", "--override", "--reason", "x").ok()
    assert "nothing was overridden" in done.stderr


def test_verdicts_go_with_push_and_fetch(judged: Project, tmp_path: Path, tools: Tools) -> None:
    tools.git(tmp_path, "init", "-q", "--bare", "origin.git")
    judged.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    judged.git("push", "-q", "origin", "main")
    judged.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    judged.tools.commit(judged.root, "a remote")
    judged.git("push", "-q", "origin", "main")
    judged.mlx("gate").ok()
    judged.mlx("push").ok()
    tools.git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), "clone")
    clone = Project(tmp_path / "clone", tools)
    clone.mlx("pull").ok()
    assert sorted(map(str, records(clone))) == sorted(map(str, records(judged)))
    kept = len(records(clone))
    assert clone.mlx("gate", "--json").ok().json["records"]
    assert len(records(clone)) == kept, "the same verdict is not kept twice"


def test_what_nothing_records_fails(judged: Project) -> None:
    judged.write("dvc.yaml", judged.read("dvc.yaml") + "metrics: [by_hand.json]\n")
    judged.write("by_hand.json", '{"auc": 0.9}')
    judged.write("table/in/t.csv", "a\n1\n")
    rules = ('threshold: {metric: "by_hand.json:auc", min: 0}', "size: {path: table, max: 1M}")
    judged.write("mlx.yaml", "gates:\n  t:\n" + "".join(f"    - {one}\n" for one in rules))
    done = judged.mlx("gate", "--json")
    assert (done.code, [one["why"].partition(":")[0] for one in done.json["gates"]]) == (
        3, ["by_hand.json is not recorded", "table is not recorded"]
    )  # fmt: skip
    judged.write(".gitignore", judged.read(".gitignore") + "by_hand.json\n")
    judged.git("add", "table")
    judged.write("table/in/more.csv", "a\n")
    done = judged.mlx("gate", "--json")
    assert [one["verdict"] for one in done.json["gates"]] == ["fail", "fail"]
    (judged.root / "table/in/more.csv").unlink()
    judged.git("add", "-f", "by_hand.json")
    assert "not kept: mlx.yaml is not committed" in judged.mlx("gate").ok().stderr


def test_what_cannot_be_read_is_committed_all_the_same(judged: Project) -> None:
    measure(judged, "text")
    judged.write("in.json", "{")
    judged.mlx("repro", "-q").ok()
    judged.tools.commit(judged.root, "damaged")
    done = judged.mlx("gate", "test")
    assert (done.code, done.stderr) == (3, "")
    assert {one["passed"] for one in records(judged)} == {False}


def test_names_cannot_paint_the_terminal(judged: Project) -> None:
    judged.write("mlx.yaml", MLX_YAML.replace("against: main", 'against: "\\u202e[red]x"'))
    done = judged.mlx("gate", "test")
    assert done.code == 3 and "\u202e" not in done.stdout and "[red]x" in done.stdout
    judged.write("mlx.yaml", MLX_YAML.replace("against: main", 'against: "\\e[31m[red]x"'))
    done = judged.mlx("gate", "test")
    assert done.code == 4 and "\x1b" not in done.stderr and "[red]x" in done.stderr


def test_a_project_below_the_top_with_metrics_in_folders(repository: Project, tools: Tools) -> None:
    repository.write("readme", "first")
    tools.commit(repository.root, "before the project")
    (repository.root / "sub" / "deep").mkdir(parents=True)
    tools.dvc(repository.root / "sub", "init", "-q", "--subdir").ok()
    make = 'mkdir -p {0}/in; echo "{{\\"acc\\": $(cat n)}}" > {0}/in/a.json'
    stages = {
        name: {"cmd": make.format(name), "deps": ["n"], "metrics": [{name: {"cache": cache}}]}
        for name, cache in (("kept", True), ("plain", False))
    }
    repository.pipeline(stages, "sub/dvc.yaml")
    repository.write("sub/n", "0.7")
    rules = [f'{{base: {{metric: "{name}/in/a.json:acc", against: HEAD}}}}' for name in stages]
    text = f"metrics: {{acc: {{better: higher}}}}\ngates: {{t: [{', '.join(rules)}]}}\n"
    repository.write("sub/mlx.yaml", text)
    repository.mlx("repro", "-q", cwd="sub").ok()
    tools.commit(repository.root, "measured")
    for _ in range(2):  # read from Git, then remembered
        document = repository.mlx("gate", "--json", cwd="sub/deep").ok().json
        assert [one["baseline"] for one in document["gates"]] == [0.7, 0.7]
        assert document["records"]
    assert {one["project"] for one in records(repository)} == {"sub"}
    done = repository.mlx("gate", "--base", "HEAD~1", cwd="sub")
    assert (done.code, "HEAD~1" in done.stdout) == (3, True)
    repository.write("sub/plain/in/more.json", "{}")
    done = repository.mlx("gate", cwd="sub")
    assert (done.code, "is not what the lock records" in done.stderr) == (1, True)
    repository.write("sub/mlx.yaml", "gates: {t: [{size: {path: plain, max: 1M}}]}\n")
    tools.commit(repository.root, "more than was recorded")
    done = repository.mlx("gate", "--rev", "HEAD", cwd="sub")
    assert (done.code, "plain is not what the lock there records" in done.stdout) == (3, True)


def test_without_git(new_project: Callable[..., Project]) -> None:
    project = new_project("plain")
    project.write("m.json", '{"acc": 1}')
    project.write("dvc.yaml", "metrics: [m.json]\n")
    project.write("mlx.yaml", 'gates: {test: [{threshold: {metric: "m.json:acc", min: 1}}]}\n')
    project.dvc("config", "core.no_scm", "true").ok()
    done: Result = project.mlx("gate").ok()
    assert "not in a Git repository" in done.stderr
