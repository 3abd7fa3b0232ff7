"""Several stages at once: as many as asked for, never two that must not meet."""

from typing import Any

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project

# Each waits until the other has begun: only both at once can end well.
MEET = "touch ../began.{me}; for i in $(seq 600); do [ -e ../began.{other} ] && break; sleep 0.05; done; [ -e ../began.{other} ] && echo 1 > {me}"  # noqa: E501
# Only one at a time can hold the folder.
ALONE = "mkdir ../room && sleep 0.02 && rmdir ../room && echo 1 > {me}"


def meeting(me: str, other: str, **more: Any) -> dict[str, Any]:
    return {"cmd": MEET.format(me=me, other=other), "outs": [me], **more}


def alone(me: str, **more: Any) -> dict[str, Any]:
    return {"cmd": ALONE.format(me=me), "outs": [me], **more}


def test_independent_stages_run_at_once(project: Project, repro: Outcomes) -> None:
    project.pipeline({"a": meeting("a", "b"), "b": meeting("b", "a")})
    assert repro(project, "-j", "2") == {"a": "ran", "b": "ran"}


def test_so_do_stages_in_different_branches(project: Project, repro: Outcomes) -> None:
    project.pipeline(
        {
            "start": {"cmd": "echo 1 > s", "outs": ["s"]},
            "left": meeting("left", "right", deps=["s"]),
            "right": meeting("right", "left", deps=["s"]),
            "end": {"cmd": "cat left right > e", "deps": ["left", "right"], "outs": ["e"]},
        }
    )
    assert list(repro(project, "-j", "2").values()) == ["ran"] * 4
    assert list(project.lock()) == ["start", "left", "right", "end"]


FOUR = ["a", "b", "c", "d"]


@pytest.mark.parametrize("meta", [{"exclusive": True}, {"cpus": 1000}, {"memory": "999T"}])
def test_what_a_stage_asks_for_is_not_shared(
    meta: dict[str, Any], project: Project, repro: Outcomes
) -> None:
    project.pipeline({name: alone(name, meta={"mlx": meta}) for name in FOUR})
    assert set(repro(project, "-j", "4").values()) == {"ran"}


def test_one_at_a_time(project: Project, repro: Outcomes) -> None:
    project.pipeline({name: alone(name) for name in FOUR})
    assert set(repro(project, "-j", "1").values()) == {"ran"}


def test_stages_that_ask_for_little_run_at_once(project: Project, repro: Outcomes) -> None:
    little = {"mlx": {"cpus": 0.1, "memory": "1M"}}
    project.pipeline({"a": meeting("a", "b", meta=little), "b": meeting("b", "a", meta=little)})
    assert set(repro(project, "-j", "2").values()) == {"ran"}


def test_a_failure_lets_what_runs_end_and_starts_no_more(project: Project, repro: Outcomes) -> None:
    # The good one ends when the record of the failure is there.
    told = "for i in $(seq 600); do [ -e .mlx/runs/bad.json ] && break; sleep 0.05; done"
    bad = "while ! [ -e ../began.good ]; do sleep 0.02; done; exit 1"
    project.pipeline(
        {
            "bad": {"cmd": bad, "outs": ["x"]},
            "good": {"cmd": f"touch ../began.good; {told}; echo 1 > y", "outs": ["y"]},
            "later": {"cmd": "echo 1 > z", "deps": ["y"], "outs": ["z"]},
        }
    )
    assert repro(project, "-j", "2", code=1) == {
        "bad": "failed", "good": "ran", "later": "not-reached"
    }  # fmt: skip
    assert project.read("y") == "1\n"
    assert list(project.lock()) == ["good"], "it is recorded"


def test_nonsense_in_meta_is_told_with_its_place(project: Project) -> None:
    project.pipeline({"s": {"cmd": "x", "meta": {"mlx": {"cpus": "many"}}}})
    result = project.mlx("repro")
    assert result.code == 4
    assert "dvc.yaml:2" in result.stderr and "'s'" in result.stderr and "cpus" in result.stderr
    assert "hint:" in result.stderr
