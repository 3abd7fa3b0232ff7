"""The score: points from evidence, the least of four, the cheapest next."""

import pytest

from mlxkit.core.yaml import load
from mlxkit.gates.score.evidence import Evidence, Kept, Workflow
from mlxkit.gates.score.questions import PARTS, QUESTIONS
from mlxkit.gates.score.score import advice, score
from mlxkit.gates.score.workflows import read_workflows
from mlxkit.settings.model import Settings

SLICES = {"worst": 0.3, "gap": None}


def points(evidence: Evidence, text: str) -> float:
    (found,) = [one for one in score(evidence).answers if text in one.question.text]
    return found.found.points


def test_four_parts_of_seven() -> None:
    assert [sum(one.part == part for one in QUESTIONS) for part in PARTS] == [7, 7, 7, 7]


def test_nothing_on_record_is_no_point() -> None:
    found = score(Evidence("c"))
    assert (found.total, [found.of(part) for part in PARTS]) == (0, [0, 0, 0, 0])
    assert found.next is not None and found.next.question.part == "data"


def test_a_rule_that_passed_is_half_and_a_workflow_makes_it_whole() -> None:
    kept = [Kept("test", "slices", SLICES)]
    assert points(Evidence("c", kept), "slices") == 0.5
    assert points(Evidence("c", kept), "groups") == 0, "it has no gap"
    for gates, told in (({"test": "w.yml"}, 1), ({"*": "w.yml"}, 1), ({"other": "w.yml"}, 0.5)):
        assert points(Evidence("c", kept, Workflow(gates)), "slices") == told


def test_baselines_are_told_apart() -> None:
    other = {"metric": "m", "at": "v1"}
    over = {"linear": "m", "old": other, "without_age": "n"}
    evidence = Evidence("c", [Kept("t", "baseline", {"over": over})])
    for text in ("simpler", "old model", "of use"):
        assert points(evidence, text) == 0.5
        assert points(Evidence("c", [Kept("t", "baseline", {"over": {"h": 1.0}})]), text) == 0


def test_only_a_rebuild_shows_that_training_is_reproducible() -> None:
    for part, told in (("verify", 0), ("rebuild", 0.5)):
        kept = [Kept("t", "reproducible", {"rebuild": True}, frozenset({part}))]
        assert points(Evidence("c", kept), "same again") == told


def test_runs_tests_experiments_tags_and_the_log() -> None:
    bare = Evidence("c", [], Workflow(), True, 3, True, {"census": 2}, True)
    every = Workflow({}, repro="w", tests="w", sweeps="w", deploys="w")
    for text, half in (
        ("whole pipeline", 0.5), ("hyperparameters", 0.5), ("code is unit-tested", 0),
        ("makes features", 0), ("serves a few", 0.5), ("rolled back", 0.5),
    ):  # fmt: skip
        assert points(bare, text) == half
        assert points(bare._replace(workflow=every), text) == 1
        assert points(Evidence("c", [], every), text) == 0, "a workflow alone is no evidence"


def test_the_next_point_is_in_the_least_part_that_can_earn_one() -> None:
    kept = [Kept("t", "data", {}), Kept("t", "cost", {}), Kept("t", "slices", SLICES)]
    found = score(Evidence("c", kept)).next
    assert found is not None and found.question.part == "infrastructure"
    half = score(Evidence("c", [Kept("t", "slices", {"worst": 1, "gap": 1})]))
    assert half.of("model") == 1 and half.total == 0


def test_monitoring_earns_nothing_yet() -> None:
    assert all(one.effort == 0 for one in QUESTIONS if one.part == "monitoring")


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.earn.startswith("gates:")])
def test_lines_that_would_earn_a_point_are_right(question: object) -> None:
    text = question.earn  # type: ignore[attr-defined]
    Settings.model_validate(load(text))


def test_advice_says_what_is_missing_yet() -> None:
    first, *_ = score(Evidence("c")).answers
    assert advice(first, False).endswith("then a workflow: mlx ci init")
    assert "ci init" not in advice(first, True)
    half, *_ = score(Evidence("c", [Kept("t", "data", {})])).answers
    assert "a workflow that repeats it" in advice(half, True)


WORKFLOW = b"""
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
      - run: |
          # mlx repro is not run here
          mlx -C sub gate test --base "$BASE" && make test
      - run: mlx model promote x@1 --to prod; mlx exp run -S a=1
      - if: false
        run: mlx repro
  b:
    if: ${{ false }}
    steps: [{run: mlx gate training}]
"""


def test_what_workflows_run() -> None:
    found = read_workflows({"w.yml": WORKFLOW, "bad.yml": b"{", "n.yml": b"- 1", "e.yml": b""})
    assert found == Workflow({"test": "w.yml"}, "", "w.yml", "w.yml", "w.yml")
    assert found.judges("test") == "w.yml" and found.judges("training") == ""
    assert read_workflows({"a": b"jobs: {x: {steps: [{run: mlx gate}]}}"}).judges("any") == "a"
    assert read_workflows({"a": b"jobs: {x: {steps: [{run: echo pytests}, 1]}, y: 2}"}) == (
        Workflow()
    )
