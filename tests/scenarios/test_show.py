"""`mlx metrics show` and `mlx params show`."""

import pytest
from tests.support.project import CopyOf, Project

MLX_YAML = "metrics:\n  loss: {better: lower}\n  accuracy: {better: higher}\n"


def measure(project: Project) -> None:
    """Two models with the same metrics, a file of another kind, parameters of three kinds."""
    metrics = '{"accuracy": %s, "deep": {"loss": 0.123456789, "n": 1234567}, "log": [1, 2]}'
    stages = {
        name: {
            "cmd": f"echo '{metrics % value}' > {name}.json",
            "params": ["lr", {f"{name}.toml": ["depth"]}],
            "metrics": [{f"{name}.json": {"cache": False}}],
        }
        for name, value in (("small", "0.5"), ("large", "0.75"))
    }
    project.pipeline(stages, metrics=["other.yaml"])
    project.write("params.yaml", "lr: 0.1\nnot-used: {a: [1, 2]}\n")
    project.write("small.toml", "depth = 1\nextra = 2\n")
    project.write("large.toml", "depth = 9\n")
    project.write("other.yaml", "rows: 3\n")
    project.write("mlx.yaml", MLX_YAML)
    project.mlx("repro").ok()


@pytest.fixture
def measured(copy_of: CopyOf) -> Project:
    return copy_of(measure)


def test_metrics_side_by_side_with_the_good_direction(measured: Project) -> None:
    shown = measured.mlx("metrics", "show").ok().stdout
    assert [line.split() for line in shown.splitlines()] == [
        ["metric", "small.json", "large.json"],
        ["accuracy", "↑", "0.5", "0.75"],
        ["deep.loss", "↓", "0.12346", "0.12346"],
        ["deep.n", "1234567", "1234567"],
        [],
        ["metric", "other.yaml"],
        ["rows", "3"],
        [],
    ]


def test_chosen_files(measured: Project) -> None:
    shown = measured.mlx("metrics", "show", "large.json").ok().stdout
    assert "0.75" in shown and "small.json" not in shown and "rows" not in shown


def test_a_file_that_is_not_there_or_broken_does_not_hide_the_others(measured: Project) -> None:
    measured.sh("rm small.json; echo '{' > other.yaml")
    result = measured.mlx("metrics", "show").ok()
    assert "0.75" in result.stdout
    assert "small.json: does not exist" in result.stderr
    assert "other.yaml" in result.stderr


def test_nothing_to_show(training: Project, project: Project) -> None:
    training.pipeline({"s": {"cmd": "x", "outs": ["o"]}})
    assert "add `metrics:`" in training.mlx("metrics", "show").ok().stderr


def test_preferences_that_are_wrong_are_told_with_their_line(measured: Project) -> None:
    measured.write("mlx.yaml", MLX_YAML.replace("lower", "smaller"))
    result = measured.mlx("metrics", "show")
    assert result.code == 4
    assert "mlx.yaml:2: `metrics.loss.better` is neither higher nor lower" in result.stderr


def test_metrics_between_commits(measured: Project) -> None:
    measured.tools.commit(measured.root, "small")
    measured.sh("sed -i 's/0.75/0.875/' dvc.yaml")
    measured.mlx("repro").ok()
    assert "0.125" in measured.mlx("metrics", "diff").ok().stdout
    assert measured.mlx("metrics", "show", "-A", "--json").ok().json["workspace"]


def test_parameters_of_the_working_tree(measured: Project) -> None:
    document = measured.mlx("params", "show", "--json").ok().json
    files = {path: one["data"] for path, one in document[""]["data"].items()}
    assert files == {
        "params.yaml": {"lr": 0.1, "not-used": {"a": [1, 2]}},
        "small.toml": {"depth": 1},  # what stages use of it
        "large.toml": {"depth": 9},
    }


def test_parameters_of_a_stage(measured: Project) -> None:
    document = measured.mlx("params", "show", "small", "--json").ok().json
    files = {path: one["data"] for path, one in document[""]["data"].items()}
    assert files == {"params.yaml": {"lr": 0.1}, "small.toml": {"depth": 1}}
    shown = measured.mlx("params", "show", "--deps").ok().stdout
    assert "extra" not in shown and "not-used" not in shown


def test_parameters_between_commits(measured: Project) -> None:
    measured.tools.commit(measured.root, "one")
    measured.write("params.yaml", "lr: 0.2\n")
    assert "0.2" in measured.mlx("params", "diff").ok().stdout
