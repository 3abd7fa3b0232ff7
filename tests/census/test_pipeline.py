"""dvc.yaml names every module that a stage runs; the code knows nothing of mlx."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "census"


def stages() -> dict[str, dict[str, Any]]:
    """The stages as written, a `foreach` stage by its `do`."""
    document = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    return {name: stage.get("do", stage) for name, stage in document["stages"].items()}


def imported(module: str) -> set[str]:
    """The modules of this package that a module imports, itself included, at any depth."""
    found: set[str] = set()
    todo = {module}
    while todo:
        name = todo.pop()
        found.add(name)
        for node in ast.walk(ast.parse((CODE / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "census":
                todo |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("census."):
                todo.add(str(node.module).removeprefix("census."))
        todo -= found
    return found


@pytest.mark.parametrize("name", stages())
def test_a_stage_depends_on_the_modules_it_imports_and_no_other(name: str) -> None:
    stage = stages()[name]
    module = stage["cmd"].split()[2].removeprefix("census.")
    declared = {dep for dep in stage["deps"] if dep.startswith("src/")}
    assert declared == {f"src/census/{name}.py" for name in imported(module)}


@pytest.mark.parametrize("name", stages())
def test_a_stage_says_what_it_is_for(name: str) -> None:
    assert stages()[name]["desc"]


def test_the_parameters_that_a_stage_names_exist() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for stage in stages().values():
        for key in stage.get("params", []):
            value = params
            for part in key.removesuffix(".${item}").split("."):
                value = value[part]


def test_the_code_imports_no_mlx() -> None:
    for path in CODE.glob("*.py"):
        assert "mlx" not in path.read_text(encoding="utf-8"), path.name


def test_committed_metrics_and_plots_are_those_of_the_lock() -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]
    shown = [out for out in outs if out["path"].startswith(("metrics/", "plots/"))]
    assert len(shown) == 4 + 12 + 18 + 1
    for out in shown:
        content = (ROOT / out["path"]).read_bytes()
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == out["md5"], out["path"]
