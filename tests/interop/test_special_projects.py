"""Settings and stages that random projects do not have: the same result as with dvc."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.project import Project
from tests.support.tools import Tools
from tests.support.twin import Twin

PIPELINE = """
stages:
  a:
    cmd: mkdir -p d/n && cat in > d/x && cat in > d/n/y && cat in > a.out && chmod +x a.out
    deps: [in]
    outs: [d, a.out]
  b:
    cmd: cat d/x a.out > b.out; echo 1 > m.json
    deps: [d/x, a.out]
    params: [lr]
    outs: [b.out]
    metrics: [{m.json: {cache: false}}]
"""
CHANGES = ["echo 2 >> in; echo 'lr: 2' > params.yaml", "rm -rf d a.out b.out; echo 1 > in"]

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "special_projects.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", CASES)
def test_same_as_dvc(name: str, template: Path, tools: Tools, tmp_path: Path) -> None:
    case = CASES[name]
    umask = f"umask {case.get('umask', '022')}\n"
    flags = ["-P", *case.get("flags", "").split()]
    # A folder each: what a project has beside it is its own.
    places = [tmp_path / tool / "p" for tool in ("dvc", "mlx")]
    left, right = (Project.copy(template, place, tools) for place in places)
    twin = Twin(left, right)
    twin.change(umask + "echo 1 > in; echo 1 > other; echo 'lr: 1' > params.yaml")
    for project in (twin.left, twin.right):
        project.write("dvc.yaml", case.get("pipeline", PIPELINE))
    twin.change(umask + case.get("setup", ":"))
    twin.change("git add -A; git commit -qm made")
    assert twin.run(*flags, again=False), twin.refusal
    changes = case.get("changes", CHANGES)
    for number, change in enumerate(changes, 1):
        twin.change(umask + change)
        done = twin.run(*flags, swapped=number % 2 == 0, again=number == len(changes))
        assert done, f"{change}\n{twin.refusal}"


def _made(project: Project, folder: str = "") -> Project:
    inner = Project(project.root / folder, project.tools)
    inner.write("in", "1\n")
    inner.write("params.yaml", "lr: 1\n")
    inner.write("dvc.yaml", PIPELINE)
    project.tools.commit(project.root, "made")
    return inner


def test_autostage_leaves_the_same_index(new_project: Callable[[str], Project]) -> None:
    by_dvc, by_mlx = (_made(new_project(name)) for name in ("dvc", "mlx"))
    for project in (by_dvc, by_mlx):
        project.dvc("config", "core.autostage", "true").ok()
    by_dvc.dvc("repro").ok()
    by_mlx.mlx("repro").ok()
    status = by_dvc.git("status", "--porcelain").stdout
    assert "A  dvc.lock" in status
    assert by_mlx.git("status", "--porcelain").stdout == status


def test_project_in_a_subfolder_of_the_repository(new_project: Callable[[str], Project]) -> None:
    projects = []
    for name in ("dvc", "mlx"):
        outer = new_project(name)
        outer.sh("rm -rf .dvc .dvcignore; mkdir -p inner/deep; cd inner; dvc init -q --subdir")
        projects.append(_made(outer, "inner"))
    twin = Twin(projects[0], projects[1])
    assert twin.run("-P")
    for change in CHANGES:
        twin.change(change)
        assert twin.run("-P")
    by_dvc, by_mlx = (project.git("status", "--porcelain").stdout for project in projects)
    assert by_mlx == by_dvc
