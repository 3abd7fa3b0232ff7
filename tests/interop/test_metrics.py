"""Metrics and parameters read as dvc reads them."""

from typing import Any

import pytest
from tests.support.project import CopyOf, Project

FILES = {
    "m.json": '{"acc": 0.5, "deep": {"n": 3, "list": [1, 2.5]}, "text": "ä", "none": null}\n',
    "m.yaml": "auc: 0.75\nsmall: 1e-05\nbig: 1.0\nflag: true\n",
    "sub/m.toml": 'loss = 1.5\n[t]\nx = 1\nname = "x"\n',
    "m.csv.json": "3.5\n",
}


def measure(project: Project) -> None:
    """A project with metrics of each format, two commits, and a change that is not committed."""
    stages: dict[str, Any] = {}
    for number, (path, content) in enumerate(FILES.items()):
        project.write(f"source{number}", content)
        folder = "mkdir -p sub; " if "/" in path else ""
        stages[f"s{number}"] = {
            "cmd": f"{folder}cat source{number} > {path}",
            "deps": [f"source{number}"],
            "params": ["lr"],
            "metrics": [{path: {"cache": bool(number % 2)}}],
        }
    project.write("params.yaml", "lr: 0.1\nnet:\n  size: 3\n")
    project.pipeline(stages, metrics=["extra.json"])
    project.write("extra.json", '{"extra": 1}')
    project.dvc("repro").ok()
    project.tools.commit(project.root, "first")
    project.git("tag", "v1")
    project.write("source0", FILES["m.json"].replace("0.5", "0.625"))
    project.write("params.yaml", "lr: 0.2\nnet:\n  size: 4\n")
    project.dvc("repro").ok()
    project.tools.commit(project.root, "second")
    project.write("source1", FILES["m.yaml"].replace("0.75", "0.25"))
    project.write("params.yaml", "lr: 0.3\nnet:\n  size: 4\n")
    project.dvc("repro").ok()


@pytest.fixture
def measured(copy_of: CopyOf) -> Project:
    return copy_of(measure)


@pytest.mark.parametrize("args", [
    "metrics show", "metrics show m.json", "metrics show -A", "metrics show -T",
    "metrics show -R sub", "metrics show extra.json m.yaml",
    "metrics show -a", "metrics show -aT", "metrics show sub",
    "params diff", "params diff v1", "params diff v1 HEAD", "params diff --all --deps",
    "params diff v1 --targets params.yaml nowhere.toml", "params diff HEAD HEAD",
])  # fmt: skip
def test_same_json_as_dvc(args: str, measured: Project) -> None:
    words = args.split()
    expected = measured.dvc(*words, "--json").ok()
    actual = measured.mlx(*words, "--json").ok()
    assert actual.json == expected.json, f"{expected}\n{actual}"


@pytest.mark.parametrize("revs", [
    "", "v1", "v1 HEAD", "HEAD v1", "workspace v1", "HEAD workspace --all", "v1 -R --targets sub",
    "v1 --targets m.json m.yaml", "--targets nowhere.json", "main^{/first} main --no-path --md",
])  # fmt: skip
def test_diff_adds_only_the_direction(revs: str, measured: Project) -> None:
    expected = measured.dvc("metrics", "diff", *revs.split(), "--json").ok().json
    actual = measured.mlx("metrics", "diff", *revs.split(), "--json").ok().json
    for metrics in actual.values():
        for entry in metrics.values():
            entry.pop("better", None)
    assert actual == expected


def test_from_a_subfolder(measured: Project) -> None:
    expected = measured.dvc("metrics", "show", "--json", cwd="sub").ok()
    assert measured.mlx("metrics", "show", "--json", cwd="sub").ok().json == expected.json


def test_a_broken_metric_is_an_error_there_only(measured: Project) -> None:
    measured.write("m.yaml", "a: [1\n")
    expected = measured.dvc("metrics", "show", "--json")
    actual = measured.mlx("metrics", "show", "--json")
    assert bool(actual.code) == bool(expected.code), f"{expected}\n{actual}"
    data = {path: entry.get("data") for path, entry in _files(expected.json).items()}
    assert {path: entry.get("data") for path, entry in _files(actual.json).items()} == data


def _files(document: dict[str, Any]) -> dict[str, Any]:
    (revision,) = document.values()
    files: dict[str, Any] = revision["data"]
    return files
