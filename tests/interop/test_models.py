"""Versions of models: what mlx writes GTO and DVC read, what GTO writes mlx reads; same answers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gto import api
from tests.support.project import Project
from tests.support.tools import Tools

STAGES: dict[str, Any] = {
    "train": {"cmd": "cp in model.bin", "deps": ["in"], "outs": ["model.bin"]},
}
TOP: dict[str, Any] = {
    "vars": [{"out": "model.bin"}],
    "artifacts": {"census": {"path": "${out}", "type": "model"}},
}
REASON = ("--no-gate", "--reason", "no gate here")


@pytest.fixture(scope="module")
def once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.copy(template, tmp_path_factory.mktemp("gto") / "project", tools)
    project.pipeline(STAGES, **TOP)
    for number in range(4):
        project.write("in", f"{number}\n")
        project.mlx("repro", "-q").ok()
        tools.commit(project.root, f"state {number}")
    return project.root


@pytest.fixture
def project(once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A project with a model and four commits, and no version yet."""
    return Project.copy(once, tmp_path / "project", tools)


def of_gto(project: Project) -> dict[str, Any]:
    """What GTO says, in mlx's words."""
    root = str(project.root)
    found = {}
    for name, state in api.show(root).items():
        versions = [one for one in api.show(root, name) if one["is_active"]]
        found[name] = {
            "latest": state["version"],
            "stages": {stage: one for stage, one in state["stage"].items() if one},
            "versions": {
                one["version"]: one["commit_hexsha"] for one in versions if one["registrations"]
            },
            "events": [one["ref"] for one in api.history(root, name)],
        }
    return found


def of_mlx(project: Project) -> dict[str, Any]:
    """What mlx says."""
    found = {}
    for one in project.mlx("model", "list", "--json").ok().json["models"]:
        told = project.mlx("model", "history", one["name"], "--json").ok().json["events"]
        found[one["name"]] = {
            "latest": one["latest"],
            "stages": {
                stage: each["version"] or each["commit"] for stage, each in one["stages"].items()
            },
            "versions": {each["version"]: each["commit"] for each in one["versions"]},
            "events": [each["tag"] for each in told],
        }
    return found


def test_gto_and_dvc_read_what_mlx_wrote(project: Project) -> None:
    for number, version in enumerate(("1.0.0", "1.10.0", "1.9.0")):
        project.mlx(
            "model", "register", "census", "--rev", f"HEAD~{2 - number}", "--version", version
        ).ok()
    for version, stage in (
        ("1.0.0", "dev"),
        ("1.10.0", "prod"),
        ("1.9.0", "prod"),
        ("1.9.0", "dev"),
    ):
        project.mlx("model", "promote", f"census@{version}", "--to", stage, *REASON).ok()
    project.mlx("model", "rollback", "census", "prod", "--reason", "bad").ok()
    mine = of_mlx(project)
    assert mine["census"]["stages"] == {"dev": "v1.9.0", "prod": "v1.10.0"}
    assert mine["census"]["latest"] == "v1.10.0"
    assert mine == of_gto(project)
    project.dvc("artifacts", "get", ".", "census", "--rev", "v1.0.0", "-o", "by-dvc").ok()
    project.mlx("model", "fetch", "census@v1.0.0", "-o", "by-mlx").ok()
    assert project.read("by-dvc") == project.read("by-mlx/model.bin") == "1\n"
    assert project.mlx("lineage", "census@v1.0.0", "--json").ok().json["artifact"]["size"] == 2


def test_mlx_reads_what_gto_wrote(project: Project) -> None:
    """GTO takes the time from the clock: here its tags are made by Git, a second apart."""
    ids = project.git("rev-list", "--reverse", "HEAD").stdout.split()[-4:]
    for second, (tag, commit) in enumerate(
        [
            ("census@v1.0.0", 0), ("census@v2.0.0", 1), ("census#prod#1", 0), ("census#prod#2", 1),
            ("census#dev#3", 1), ("census#prod!#4", 1), ("census@v3.0.0", 2), ("census@v3.0.0!", 2),
            ("census#dev#5", 2), ("census#test#6", 3), ("sub=other@v0.1.0-rc.1", 0),
            ("sub=other#a/b", 0), ("old@v1.0.0", 0), ("old@deprecated", 0), ("nonsense@v1", 0),
        ]
    ):  # fmt: skip
        subprocess.run(
            ["git", "tag", "-a", "-m", f"gto: {tag}", tag, ids[commit]],
            cwd=project.root, check=True,
            env={**project.tools.env, "GIT_COMMITTER_DATE": f"@{1_900_000_000 + second} +0000"},
        )  # fmt: skip
    mine = of_mlx(project)
    assert mine["census"]["stages"] == {"dev": "v2.0.0", "prod": "v1.0.0", "test": ids[3]}
    assert mine["sub:other"]["stages"] == {"a/b": "v0.1.0-rc.1"}
    assert mine == of_gto(project)
    project.git("tag", "census#dev#8")
    done = project.mlx("model", "promote", "census@v2.0.0", "--to", "prod", *REASON, "--json")
    assert done.ok().json["tag"] == "census#prod#9", "one row of numbers, as in GTO"
    assert of_mlx(project) == of_gto(project)


def test_both_take_turns(project: Project) -> None:
    root = str(project.root)
    api.register(root, "census", "HEAD", version="v1.0.0", author="a", author_email="a@x.org")
    told = json.loads(project.mlx("model", "show", "census@1.0.0", "--json").ok().stdout)
    assert told["content"]["path"] == "model.bin", "from dvc.yaml: GTO's tag does not say"
    project.mlx("model", "promote", "census@1.0.0", "--to", "prod", *REASON).ok()
    api.assign(root, "census", "dev", version="v1.0.0", author="a", author_email="a@x.org")
    mine = of_mlx(project)
    assert mine["census"]["stages"] == {"dev": "v1.0.0", "prod": "v1.0.0"}
    assert set(mine["census"]["events"]) == {"census@v1.0.0", "census#prod#1", "census#dev#2"}
    assert of_gto(project)["census"]["stages"] == mine["census"]["stages"]
