"""Which mlx a server installs: one version, from where the one that runs here came; or it asks."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project

from mlxkit.ci.fitting import UNSAID, doubts
from mlxkit.ci.installed import renewed, requirement


def test_a_server_never_gets_whatever_bears_the_name(project: Project) -> None:
    """Where only this machine knows its mlx, the workflows fail until somebody says how."""
    project.write("requirements.txt", "# mlxkit\nmlxkit-tools\n")
    done = project.mlx("ci", "init", "--only", "test").ok()
    assert "warning: this mlx is from a place that only this machine knows" in done.stderr
    text = (project.root / ".github/workflows/mlx-test.yml").read_text()
    assert UNSAID in text and "pip install" not in text
    project.write("requirements.txt", "pandas\nmlxkit[gates] # ours\n")
    done = project.mlx("ci", "init").ok()
    text = (project.root / ".github/workflows/mlx-test.yml").read_text()
    assert UNSAID not in text and "pip install --requirement requirements.txt" in text


def test_a_project_that_names_no_libraries_is_told(tmp_path: Path) -> None:
    [said] = doubts(str(tmp_path), "python -m pip install 'mlxkit[gates]==0.1.0'")
    assert said.startswith("no requirements.txt and no [project] in pyproject.toml")
    assert doubts(str(tmp_path), "python -m pip install --editable .") == []


@pytest.mark.parametrize(
    ("direct", "word"),
    [
        (None, "mlxkit[gates]==0.1.0"),
        (
            {"url": "https://h/mlx.git", "vcs_info": {"vcs": "git", "commit_id": "8e6"}},
            "mlxkit[gates] @ git+https://h/mlx.git@8e6",
        ),
        (
            {"url": "https://h/mlx", "vcs_info": {"vcs": "git", "commit_id": "8e6"},
             "subdirectory": "py"},
            "mlxkit[gates] @ git+https://h/mlx@8e6#subdirectory=py",
        ),
        (
            {"url": "https://h/m.whl", "archive_info": {"hashes": {"sha256": "ab"}}},
            "mlxkit[gates] @ https://h/m.whl#sha256=ab",
        ),
        ({"url": "https://h/m.whl", "archive_info": {}}, None),
        ({"url": "https://h/it's.git", "vcs_info": {"vcs": "git", "commit_id": "8e6"}}, None),
        ({"url": "ssh://h/mlx", "vcs_info": {"vcs": "git", "commit_id": "8e6"}}, None),
        ({"url": "file:///home/ann/mlx", "dir_info": {"editable": True}}, None),
        ({"url": "file:///home/ann/mlx", "vcs_info": {"vcs": "git", "commit_id": "8"}}, None),
    ],
)  # fmt: skip
def test_the_mlx_that_runs_here_as_a_requirement(direct: Any, word: str | None) -> None:
    """As pip notes where it installed from: always one version, never what only we can reach."""
    noted = None if direct is None else json.dumps(direct)
    assert requirement("0.1.0", noted) == word


@pytest.mark.parametrize(
    ("install", "then"),
    [
        ("pip install 'mlxkit[gates]==0.0.9' dvc-s3 && x", "pip install 'new' dvc-s3 && x"),
        ("pip install 'mlxkit[gates] @ git+https://h/m@8e6'", "pip install 'new'"),
        ('pip install "mlxkit[gates]"', "pip install 'new'"),
        ("pip install mlxkit==0.0.9", "pip install mlxkit==0.0.9"),
        ("make install", "make install"),
    ],
)
def test_what_an_earlier_mlx_wrote_installs_this_one(install: str, then: str) -> None:
    assert renewed(install, "'new'") == then
    assert renewed(install, None) == install
