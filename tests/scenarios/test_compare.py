"""`mlx metrics diff`, `mlx params diff` and their `show` over revisions, as a user calls them."""

import json
import os
from collections.abc import Callable

import pytest
from tests.support.project import Project
from tests.support.pseudo import answered

MLX_YAML = "metrics:\n  f1: {better: lower}\n  speed: {better: higher, unit: rows/s}\n"


def _measure(project: Project, name: str, values: dict[str, object], lr: float) -> None:
    project.write(
        "params.yaml", f"lr: {lr}\nunused: [1]\n" + "layers: [8, 4]\n" * (name == "second")
    )
    project.write("m.json", json.dumps(values))
    project.tools.commit(project.root, name)
    project.git("tag", name)


@pytest.fixture
def measured(project: Project) -> Project:
    """Three commits with tags; the last measured more, and not what it should have."""
    project.pipeline(
        {"s": {"cmd": "true", "params": ["lr"], "metrics": [{"m.json": {"cache": False}}]}}
    )
    project.write("mlx.yaml", MLX_YAML)
    _measure(project, "first", {"loss": 0.5, "f1": 0.5, "speed": 10, "note": "a", "n": 1}, 0.1)
    _measure(project, "second", {"loss": 0.25, "f1": 0.75, "speed": 12, "n": 1}, 0.2)
    return project


def _lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_old_new_difference_and_verdict(measured: Project) -> None:
    result = measured.mlx("metrics", "diff", "first", "second").ok()
    assert _lines(result.stdout) == [
        ["m.json"],
        ["f1", "↓", "0.50", "→", "0.75", "+0.25", "worse"],  # as mlx.yaml says
        ["loss", "↓", "0.50", "→", "0.25", "-0.25", "better"],
        ["note", "a", "→", "-", "gone"],
        ["speed", "↑", "10", "rows/s", "→", "12", "rows/s", "+2", "rows/s", "better"],
    ]
    assert not result.stderr


def test_json_says_what_is_better(measured: Project) -> None:
    found = measured.mlx("metrics", "diff", "first", "second", "--json").ok().json["m.json"]
    assert found["loss"] == {"old": 0.5, "new": 0.25, "diff": -0.25, "better": True}
    assert found["f1"]["better"] is False
    assert found["note"] == {"old": "a", "new": None, "better": None}
    assert "n" not in found
    every = measured.mlx("metrics", "diff", "first", "second", "--all", "--json").ok().json
    assert every["m.json"]["n"] == {"old": 1, "new": 1, "diff": 0, "better": None}


def test_markdown_has_dvcs_columns_and_a_verdict(measured: Project) -> None:
    shown = measured.mlx("metrics", "diff", "first", "second", "--md", "--no-path").ok().stdout
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()]
    assert lines[0] == ["Metric", "first", "second", "Change", "Verdict"]
    assert lines[3] == ["loss ↓", "0.5", "0.25", "-0.25", "better"]


def test_numbers_that_are_near_are_told_apart(measured: Project) -> None:
    measured.write("m.json", '{"loss": 0.25000001, "speed": 12}')
    shown = measured.mlx("metrics", "diff").ok().stdout
    assert "0.25000000 → 0.25000001" in shown


def test_what_is_no_number_or_gone(measured: Project) -> None:
    measured.write("m.json", '{"loss": NaN, "f1": Infinity, "speed": "fast", "n": true}')
    assert _lines(measured.mlx("metrics", "diff").ok().stdout)[1:] == [
        ["f1", "↓", "0.75", "→", "inf", "+inf", "worse"],
        ["loss", "↓", "0.25", "→", "nan", "nan", "no", "number"],
        ["speed", "↑", "12", "rows/s", "→", "fast"],
    ]
    measured.sh("rm m.json")
    result = measured.mlx("metrics", "diff").ok()
    assert "m.json: does not exist" in result.stderr
    assert ["loss", "↓", "0.25", "→", "-", "not", "read"] in _lines(result.stdout)


def test_a_long_file_is_shortened_on_a_terminal_alone(measured: Project) -> None:
    groups = {f"g{number}": {"f1": number / 20, "rows": number} for number in range(1, 12)}
    measured.write("m.json", json.dumps({"loss": 0.5, "f1": 0.5, "groups": groups}))
    shown = answered(measured, "", "metrics", "diff", "first")
    assert shown.splitlines()[-2:] == ["  and 17 more", "to see all: --full, or --targets FILE"]
    lines = _lines(shown)
    lines = lines[lines.index(["m.json"]) + 1 :]
    assert lines[0][0] == "speed"  # mlx.yaml names it
    assert {line[0].rpartition(".")[2] for line in lines[1:8]} == {"f1"}
    assert len(lines) == 8 + 2
    for more in (["--full"], ["--targets", "m.json"]):
        every = answered(measured, "", "metrics", "diff", "first", *more)
        assert "more" not in every and "g11.rows" in every and "g1.f1" in every
    assert "and 17 more" in answered(measured, "", "exp", "diff", "first")
    assert "more" not in answered(measured, "", "exp", "diff", "first", "--full")
    for command in ("metrics", "exp"):
        assert "more" not in measured.mlx(command, "diff", "first").ok().stdout


def test_nothing_differs(measured: Project) -> None:
    result = measured.mlx("metrics", "diff").ok()
    assert not result.stdout and "no metric differs between HEAD and workspace" in result.stderr
    assert measured.mlx("metrics", "diff", "--json").ok().json == {}
    assert measured.mlx("params", "diff", "-q").ok().stderr == ""


@pytest.mark.parametrize("command", ["metrics", "params"])
def test_no_revision(command: str, measured: Project) -> None:
    result = measured.mlx(command, "diff", "nowhere")
    assert (result.code, result.stdout) == (2, "")
    assert "'nowhere' is no revision" in result.stderr
    failed = measured.mlx(command, "diff", "HEAD", "--oops=1", "--json")
    assert failed.code == 2 and failed.json["error"]["code"] == "usage"


def test_before_the_first_commit(project: Project) -> None:
    project.sh("rm -rf .git && git init -q")
    project.pipeline({"s": {"cmd": "true", "metrics": ["m.json"]}})
    result = project.mlx("metrics", "diff").ok()
    assert "nothing is committed yet" in result.stderr
    assert project.mlx("metrics", "diff", "--json").ok().json == {}
    assert project.dvc("metrics", "diff", "--json").ok().json == {}


def test_parameters_that_changed(measured: Project) -> None:
    shown = measured.mlx("params", "diff", "first", "second").ok().stdout
    assert _lines(shown) == [
        ["params.yaml"],
        ["layers", "-", "→", "[8,", "4]", "new"],
        ["lr", "0.1", "→", "0.2", "+0.1"],
    ]
    only = measured.mlx("params", "diff", "first", "second", "--deps", "--json").ok().json
    assert list(only["params.yaml"]) == ["lr"]


def test_metrics_of_all_tags(measured: Project) -> None:
    shown = measured.mlx("metrics", "show", "-T").ok().stdout
    assert _lines(shown)[:4] == [
        ["m.json"],
        ["revision", "loss", "↓", "f1", "↓", "speed", "↑", "n", "note"],
        ["workspace", "0.25", "0.75", "12", "1", "-"],
        ["first", "0.5", "0.5", "10", "1", "a"],
    ]
    found = measured.mlx("params", "show", "-T", "--json").ok().json
    assert found["first"] == {"data": {"params.yaml": {"data": {"lr": 0.1, "unused": [1]}}}}


def test_the_working_tree_is_left_out_where_it_is_the_branch(measured: Project) -> None:
    assert list(measured.mlx("metrics", "show", "-a", "--json").ok().json) == ["main"]
    measured.write("m.json", "{}")
    found = measured.mlx("metrics", "show", "-a", "--json").ok().json
    assert list(found) == ["workspace", "main"]


def test_control_characters_do_nothing(measured: Project) -> None:
    measured.write("m.json", json.dumps({"loss\033[2J": "\033]0;x\007"}))
    for args in (["diff"], ["diff", "--md"], ["show"], ["show", "-T"]):
        result = measured.mlx("metrics", *args).ok()
        assert "\033" not in result.stdout and "\007" not in result.stdout


def test_a_cached_metric_whose_data_is_gone(project: Project) -> None:
    cmd = "echo '{\"loss\": 0.5}' > m.json"
    project.pipeline({"s": {"cmd": cmd, "metrics": ["m.json"]}})
    project.mlx("repro").ok()
    project.tools.commit(project.root)
    project.pipeline({"s": {"cmd": cmd.replace("0.5", "0.25"), "metrics": ["m.json"]}})
    project.mlx("repro").ok()
    project.tools.commit(project.root)
    shown = project.mlx("metrics", "diff", "HEAD~1").ok()
    assert "better" in shown.stdout
    project.sh("rm -rf .dvc/cache .mlx")
    for _ in range(2):  # what was not there is not remembered
        result = project.mlx("metrics", "diff", "HEAD~1").ok()
        assert "HEAD~1:m.json: is not in the cache; run: mlx fetch" in result.stderr
        assert "not read" in result.stdout


def test_an_experiment_of_dvcs_is_a_revision(measured: Project) -> None:
    commit = measured.git("commit-tree", "-m", "x", "-p", "HEAD", "first^{tree}").stdout.strip()
    head = measured.git("rev-parse", "HEAD").stdout.strip()
    measured.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/odd-otter", commit)
    args = ("metrics", "diff", "odd-otter", "--json")
    found = measured.mlx(*args).ok().json
    expected = measured.dvc(*args).ok().json
    assert {name: one["old"] for name, one in found["m.json"].items()} == {
        name: one["old"] for name, one in expected["m.json"].items()
    }


def test_a_project_in_a_subfolder(new_project: Callable[..., Project]) -> None:
    project = new_project("outer")
    project.sh("git mv .dvc .dvcignore . 2>/dev/null || true; mkdir -p inner; mv .dvc inner/")
    inner = Project(project.root / "inner", project.tools)
    inner.pipeline({"s": {"cmd": "true", "metrics": [{"m.json": {"cache": False}}]}})
    inner.write("m.json", '{"loss": 1}')
    project.tools.commit(project.root)
    inner.write("m.json", '{"loss": 2}')
    project.tools.commit(project.root)
    for args in (["diff", "HEAD~1"], ["show", "-A"], ["diff", "HEAD~1", "HEAD", "--all"]):
        expected = inner.dvc("metrics", *args, "--json").ok().json
        actual = inner.mlx("metrics", *args, "--json").ok().json
        for names in actual.values() if args[0] == "diff" else ():
            for one in names.values():
                one.pop("better")
        assert actual == expected


def test_from_a_folder_below_paths_are_told_from_there(measured: Project) -> None:
    os.mkdir(measured.root / "below")
    found = measured.mlx("metrics", "diff", "first", "--json", cwd="below").ok().json
    assert list(found) == ["../m.json"]
    args = ("metrics", "diff", "first", "--targets", "../m.json", "--json")
    assert measured.mlx(*args, cwd="below").ok().json == found
    near = measured.mlx("params", "diff", "first", "--targets", "../params.yaml", cwd="below")
    assert near.ok().stdout == (
        measured.mlx("params", "diff", "first", "--targets", "params.yaml", cwd="below").ok().stdout
    )
