"""What GTO's tags say is deployed; GTO itself agrees."""

import json
import random
import subprocess
from pathlib import Path

import pytest
from tests.support.commands import isolated_env

from mlxkit.leaderboard.deployed import deployed, is_assignment


@pytest.mark.parametrize("name", ["v1", "m@v1.0.0", "#prod#1", "m#", "m#prod#x", "m#prod#1#2"])
def test_other_tags_assign_nothing(name: str) -> None:
    assert not is_assignment(name)


@pytest.mark.parametrize("seed", range(2))
def test_gto_agrees(seed: int, tmp_path: Path) -> None:
    env = isolated_env(tmp_path / "home")
    root = tmp_path / "r"
    root.mkdir()
    time = 1_700_000_000

    def run(*args: str) -> str:
        dates = dict.fromkeys(("GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"), f"{time} +0000")
        given = {**env, **dates}
        return subprocess.run(
            args, env=given, cwd=root, check=True, capture_output=True
        ).stdout.decode()

    run("git", "init", "-q", "-b", "main")
    rng = random.Random(seed)
    taken: set[tuple[str, str]] = set()
    for number in range(1, 9):
        time += 60
        run("git", "commit", "-q", "--allow-empty", "-m", str(number))
        for artifact in ("m", "sub/n"):
            time += 60
            back = rng.randrange(min(number, 3))
            stage = rng.choice(["prod", "dev"])
            # Once: of several, GTO goes by the first for a commit that never had the stage.
            sign = "!" if rng.random() < 0.3 and (artifact, stage) not in taken else ""
            taken |= {(artifact, stage)} if sign else set()
            target = f"HEAD~{back}"
            run("git", "tag", "-a", f"{artifact}#{stage}{sign}#{number}", "-m", "x", target)
    told = json.loads(run("gto", "show", "--json", "--sort", "timestamp", "--av", "-1"))
    for artifact in ("m", "sub/n"):
        for stage in ("prod", "dev"):
            found = deployed(str(root), f"{artifact}#{stage}")
            there = told[artifact]["stage"].get(stage)
            assert [one.commit for one in found] == ([there] if there else [])
