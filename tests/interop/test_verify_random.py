"""Random projects after a run of either tool and a commit: `mlx verify` has nothing to say."""

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.support.edits import Scenario, scenarios
from tests.support.project import Project
from tests.support.tools import Tools

QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    max_examples=2,
)

# Which seeds to play; more of them find more: VERIFIED=0:200.
SEEDS = [int(number) for number in os.environ.get("VERIFIED", "0:4").split(":")]

# Neither tool takes out of the lock what a stage does not declare any more.
LEFT_BEHIND = "not declared now"


@pytest.mark.parametrize("number", range(*SEEDS))
def test_clean_after_a_run(number: int, tools: Tools, template: Path, tmp_path: Path) -> None:
    seen = count()

    @seed(number)
    @QUIET
    @given(scenario=scenarios(max_steps=4))
    def check(scenario: Scenario) -> None:
        if next(seen):  # Hypothesis always begins with the smallest one
            _play(scenario, Project.copy(template, tmp_path / f"p{next(seen)}", tools), number)

    check()


def _play(scenario: Scenario, project: Project, number: int) -> None:
    scenario.steps[0].apply(project.root)
    for path in scenario.tracked:
        project.dvc("add", path).ok()
    for place, step in enumerate(scenario.steps):
        if place:
            step.apply(project.root)
        run = project.mlx if (place + number) % 2 else project.dvc
        if run("repro", "-P").code:
            return
        project.git("add", "-A")
        project.git("commit", "-q", "--allow-empty", "-m", "a run")
        for args in ((), ("HEAD",)):
            result = project.mlx("verify", "--json", *args)
            assert result.code in (0, 3), str(result)
            wrong = [one for one in result.json["problems"] if not (place and _is_left_behind(one))]
            assert not wrong, f"{args}: {wrong}\n{scenario!r}"


def _is_left_behind(one: dict[str, str]) -> bool:
    return one["kind"] == "orphan" or LEFT_BEHIND in one["why"]
