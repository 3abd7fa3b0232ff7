"""Random projects and edits: after each run mlx leaves on disk what dvc leaves, byte for byte."""

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.support.edits import Scenario, scenarios
from tests.support.long import sampled
from tests.support.project import Project
from tests.support.tools import Tools
from tests.support.twin import Twin, dvc_repro

# Shrinking runs a failing project a hundred times: on request only.
PHASES = [Phase.explicit, Phase.generate, *([Phase.shrink] if os.environ.get("SHRINK") else [])]
QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)

# Which seeds to play; more of them find more: SCENARIOS=0:500.
SCENARIOS = [int(number) for number in os.environ.get("SCENARIOS", "0:12").split(":")]

_numbers = count()


def _play(scenario: Scenario, tools: Tools, template: Path, folder: Path, **kind: object) -> None:
    root = folder / f"p{next(_numbers)}"
    project = Project.copy(template, root, tools)
    Twin.start(project, scenario, **kind).play(scenario)  # type: ignore[arg-type]
    shutil.rmtree(root)
    shutil.rmtree(f"{root}-twin")


def _check(number: int, play: Callable[[Scenario], None], **size: int) -> None:
    """Play the scenario of one seed. Hypothesis always begins with the smallest one: skipped."""
    seen = count()

    @seed(number)
    @settings(QUIET, max_examples=2)
    @given(scenario=scenarios(**size))
    def check(scenario: Scenario) -> None:
        if next(seen) or "SHRINK" in os.environ:
            play(scenario)

    check()


@pytest.mark.parametrize("number", sampled(range(*SCENARIOS), 3))
def test_same_bytes_as_dvc(number: int, tools: Tools, template: Path, tmp_path: Path) -> None:
    _check(number, lambda scenario: _play(scenario, tools, template, tmp_path))


@pytest.mark.parametrize("number", range(2))
def test_dvc_agrees_with_itself(number: int, tools: Tools, template: Path, tmp_path: Path) -> None:
    """The comparison itself is sound: two twins under dvc never differ."""
    _check(number, lambda scenario: _play(scenario, tools, template, tmp_path, other=dvc_repro))
