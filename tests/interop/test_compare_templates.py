"""Metrics of commits whose dvc.yaml has templates: values that matter change, and others."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project

DVC_YAML = """\
vars:
  - greeting: hello
  - more.yaml
metrics:
  - ${top}.json
stages:
  each:
    foreach: ${models}
    do:
      cmd: echo ${greeting} ${item}
      params: [lr]
      metrics:
        - ${item}/m.json: {cache: false}
"""
PLAIN = DVC_YAML.replace("  - more.yaml\n", "")
CHANGES = [
    ("params.yaml", "models: [a]\ntop: t\nlr: 1\n"),
    ("params.yaml", "models: [a]\ntop: t\nlr: 2\n"),
    ("params.yaml", "models: [a, b]\ntop: t\nlr: 2\n"),
    ("more.yaml", "unused: 2\n"),
    ("params.yaml", "models: [b]\ntop: u\nlr: 2\ngreeting: clash\n"),
    ("params.yaml", "models: [b]\nlr: 2\n"),
    ("params.yaml", "models: [b]\ntop: u\nlr: 3\n"),
]


@pytest.mark.parametrize("text", [DVC_YAML, PLAIN])
@pytest.mark.parametrize("folder", ["", "sub"])
def test_all_commits_as_in_dvc(text: str, folder: str, project: Project) -> None:
    base = f"{folder}/" if folder else ""
    project.write(f"{base}dvc.yaml", text)
    project.write(f"{base}more.yaml", "unused: 1\n")
    for number, (path, content) in enumerate(CHANGES):
        project.write(base + path, content)
        for name in ("a/m", "b/m", "t", "u"):
            project.write(f"{base}{name}.json", f'{{"loss": {number}}}')
        project.tools.commit(project.root, str(number))
    for command in ("metrics", "params"):
        if command == "metrics":
            expected = project.dvc("metrics", "show", "-A", "--json").ok().json
            actual = project.mlx("metrics", "show", "-A", "--json").ok().json
            data = {rev: told.get("data") for rev, told in expected.items()}
            assert {rev: told.get("data") for rev, told in actual.items()} == data
        for old in ("HEAD~1", "HEAD~4", "HEAD~5", "HEAD~6"):
            expected = project.dvc(command, "diff", old, "--json").ok().json
            actual = project.mlx(command, "diff", old, "--json").ok().json
            for names in actual.values():
                for one in names.values():
                    one.pop("better", None)
            assert actual == expected


def test_what_is_no_plain_file(project: Project, tmp_path: Path) -> None:
    """Links and submodules of Git's, data in folders of a project inside, ignored declarations."""
    project.pipeline({"s": {"cmd": "x", "metrics": [{"d/m.json": {"cache": False}}]}})
    project.write("d/m.json", '{"a": 1}')
    project.write("real.json", '{"b": 1}')
    os.symlink("real.json", project.root / "link.json")
    project.write("inner/.dvc/config", "")
    project.write("inner/dvc.yaml", "metrics: [own.json]\n")
    project.write("inner/own.json", "{}")
    project.write("hidden/dvc.yaml", "metrics: [own.json]\n")
    project.write(".dvcignore", "hidden\n")
    shutil.copytree(project.root / ".git", tmp_path / "module" / ".git")
    project.git("-c", "protocol.file.allow=always", "submodule", "add", str(tmp_path / "module"))
    project.tools.commit(project.root)
    project.write("d/m.json", '{"a": 2}')
    expected = project.dvc("metrics", "show", "-A", "--json").ok().json
    actual = project.mlx("metrics", "show", "-A", "--json").ok().json
    assert actual == expected
    args = ("metrics", "diff", "--targets", "link.json", "d", "--json", "--all")
    assert _olds(project.mlx(*args).ok().json) == _olds(project.dvc(*args).ok().json)


def _olds(found: dict[str, Any]) -> dict[str, Any]:
    return {
        path: {name: one["old"] for name, one in names.items()} for path, names in found.items()
    }
