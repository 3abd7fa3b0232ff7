"""The Tab key: verbs, stages, options."""

import pytest
from tests.support.project import Project


def _bash(project: Project, line: str, **env: str) -> list[str]:
    """What bash offers at the end of a line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), **env}
    result = project.mlx(_MLX_COMPLETE="complete_bash", **asked)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(("line", "offered"), [
    ("mlx repro ", ["prep", "train", "evaluate"]),
    ("mlx repro -j 2 tr", ["train"]),
    ("mlx status e", ["evaluate"]),
    ("mlx why p", ["prep"]),
    ("mlx logs t", ["train"]),
    ("mlx dag ", ["prep", "train", "evaluate"]),
    ("mlx repro nothing", []),
    ("mlx repro --force", ["--force", "--force-downstream"]),
    ("mlx stat", ["status"]),
    ("mlx pu", ["push", "pull"]),
    ("mlx metrics ", ["show", "diff"]),
])  # fmt: skip
def test_offered(line: str, offered: list[str], training: Project) -> None:
    assert _bash(training, line) == offered


def test_outside_a_project_and_in_a_broken_one_it_is_silent(training: Project) -> None:
    training.write("dvc.yaml", "stages: [")
    assert _bash(training, "mlx repro ") == []
    training.sh("rm -rf .dvc")
    assert _bash(training, "mlx repro ") == []


def test_the_script_to_install(training: Project) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = training.mlx(_MLX_COMPLETE=f"source_{shell}").ok().stdout
        assert "_MLX_COMPLETE" in script and "mlx" in script
