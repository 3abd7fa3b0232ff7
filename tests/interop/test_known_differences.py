"""Where dvc is wrong and mlx differs on purpose; each test shows both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.long import sampled
from tests.support.outcome import RESTORED, of_dvc, of_mlx
from tests.support.project import Project

NewProject = Callable[..., Project]

PLACES: list[tuple[str, dict[str, Any], Any]] = [
    # tracked key, parameters (VALUE is replaced), entry of `params`
    ("at the top", {"size": "VALUE"}, "size"),
    ("nfiles", {"nfiles": "VALUE"}, "nfiles"),
    ("by dotted key", {"net": {"size": "VALUE"}}, "net"),
    ("deep in a table", {"net": {"a": {"b": [{"size": "VALUE"}]}}}, "net"),
    ("whole file", {"x": {"nfiles": "VALUE"}}, {"params.yaml": None}),
]


def _put(value: Any, tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _put(value, inner) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [_put(value, inner) for inner in tree]
    return value if tree == "VALUE" else tree


def _set(project: Project, tree: Any, value: int) -> None:
    project.write("params.yaml", yaml.safe_dump(_put(value, tree)))


def _make(project: Project, entry: Any) -> None:
    project.write("in", "in\n")
    stage = {"cmd": "cat params.yaml > model", "deps": ["in"], "params": [entry], "outs": ["model"]}
    project.pipeline({"train": stage})


@pytest.mark.parametrize(("tree", "entry"), sampled([p[1:] for p in PLACES], 2))
def test_run_cache_knows_every_parameter(tree: Any, entry: Any, new_project: NewProject) -> None:
    by_dvc, by_mlx = new_project("dvc"), new_project("mlx")
    for project in (by_dvc, by_mlx):
        _make(project, entry)
        _set(project, tree, 1)
        project.dvc("repro").ok()
        _set(project, tree, 2)
    # dvc leaves such keys out of the run-cache's key and restores the model of another value.
    assert of_dvc(by_dvc.dvc("repro").ok()).only(RESTORED) == {"train"}
    assert by_dvc.read("model") != by_dvc.read("params.yaml")

    by_mlx.mlx("repro").ok()
    assert by_mlx.read("model") == by_mlx.read("params.yaml")
    # dvc accepts what was done, and so it stays when a value comes back.
    assert by_mlx.dvc("status", "--json").json == {}
    for value in (1, 2, 3, 1):
        _set(by_mlx, tree, value)
        by_mlx.mlx("repro").ok()
        assert by_mlx.read("model") == by_mlx.read("params.yaml"), value
        assert by_mlx.dvc("status", "--json").json == {}


def test_run_cache_still_restores_beside_such_a_parameter(project: Project) -> None:
    tree = {"size": "VALUE", "lr": 1}
    _make(project, "size")
    _set(project, tree, 1)
    project.mlx("repro").ok()
    (project.root / "dvc.lock").unlink()
    (project.root / "model").unlink()
    assert of_mlx(project.mlx("repro", "--json").ok()).only(RESTORED) == {"train"}
    assert project.read("model") == project.read("params.yaml")


OLD = {
    "cmd": "mkdir -p d && cat in > d/x && cat in > f && cat in > g",
    "deps": ["in"],
    "outs": ["d", "f", {"g": {"cache": False}}],
}


def test_a_failing_stage_keeps_its_earlier_outputs(new_project: NewProject) -> None:
    by_dvc, by_mlx = new_project("dvc"), new_project("mlx")
    for project in (by_dvc, by_mlx):
        project.write("in", "good\n")
        project.pipeline({"s": OLD})
        project.dvc("repro").ok()
        project.pipeline(
            {"s": {**OLD, "cmd": "mkdir -p d; echo half > d/y; echo half > f; exit 3"}}
        )
    lock = by_mlx.read("dvc.lock")

    assert by_dvc.dvc("repro").code != 0
    assert not (by_dvc.root / "g").exists()

    result = by_mlx.mlx("repro")
    assert result.code == 1, str(result)
    files = {path: by_mlx.read(path) for path in ("d/x", "f", "g")}
    assert files == dict.fromkeys(files, "good\n"), str(result)
    assert not (by_mlx.root / "d" / "y").exists()
    assert by_mlx.read("dvc.lock") == lock
    kept = [
        p for p in (by_mlx.root / ".mlx").rglob("*") if p.is_file() and p.read_bytes() == b"half\n"
    ]
    assert len(kept) == 2, "the failed run's own outputs are kept aside for a look"


def test_a_first_failing_run_leaves_no_output(project: Project) -> None:
    project.write("in", "in\n")
    project.pipeline({"s": {**OLD, "cmd": "mkdir -p d; echo half > d/y; echo half > f; exit 3"}})
    assert project.mlx("repro").code == 1
    assert not (project.root / "dvc.lock").exists()
    again = of_mlx(project.mlx("repro", "--json"))
    assert dict(again.stages) == {"s": "failed"}


def test_ignored_outputs_stay_ignored_when_a_later_stage_fails(new_project: NewProject) -> None:
    by_dvc, by_mlx = new_project("dvc"), new_project("mlx")
    for project in (by_dvc, by_mlx):
        project.write("in", "in\n")
        project.pipeline(
            {
                "good": {"cmd": "cat in > good.out", "deps": ["in"], "outs": ["good.out"]},
                "bad": {"cmd": "false", "deps": ["good.out"], "outs": ["bad.out"]},
            }
        )
    assert by_dvc.dvc("repro").code != 0
    assert not (by_dvc.root / ".gitignore").exists()  # good.out would be committed to Git

    assert by_mlx.mlx("repro").code == 1
    assert by_mlx.read(".gitignore") == "/good.out\n"
    assert list(by_mlx.lock()) == ["good"]
    assert "good.out" not in by_mlx.git("status", "--porcelain").stdout


def test_a_failed_command_list_stops_at_the_failure(project: Project, tmp_path: Path) -> None:
    cmd = ["echo 1 > out", "false", f"echo too far > {tmp_path}/marker"]
    project.pipeline({"s": {"cmd": cmd, "outs": ["out"]}})
    assert project.mlx("repro").code == 1
    assert not (tmp_path / "marker").exists()


def test_a_dep_edited_while_its_stage_runs(new_project: NewProject) -> None:
    by_dvc, by_mlx = new_project("dvc"), new_project("mlx")
    for project in (by_dvc, by_mlx):
        project.write("in", "read\n")
        edit = "test -e edited || { touch edited; echo 'written later' >> in; }"
        project.pipeline({"s": {"cmd": f"cat in > out; {edit}", "deps": ["in"], "outs": ["out"]}})
    # dvc records what the file is afterwards, as if the command had read that.
    by_dvc.dvc("repro").ok()
    assert by_dvc.dvc("status", "--json").json == {}
    assert by_dvc.read("out") != by_dvc.read("in")

    by_mlx.mlx("repro").ok()
    assert by_mlx.mlx("status", "--json").ok().json["clean"] is False
    by_mlx.mlx("repro").ok()
    assert by_mlx.read("out") == by_mlx.read("in")
    assert by_mlx.dvc("status", "--json").json == {}


def test_a_tsv_without_names_has_columns(project: Project) -> None:
    """DVC takes the whole first line for one column, and then finds no point."""
    project.write("t.tsv", "1\t10\n2\t20\n")
    words = ("plots", "show", "t.tsv", "--no-header", "--json")
    assert project.dvc(*words).ok().json["data"] == {"t.tsv": []}
    (drawn,) = project.mlx(*words).ok().json["data"]["t.tsv"]
    assert [row["1"] for row in drawn["content"]["data"]["values"]] == ["10", "20"]
