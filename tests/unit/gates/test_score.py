"""The score: points from evidence, the least of four, the cheapest next."""

import pytest

from mlxkit.core.yaml import load
from mlxkit.gates.score.evidence import Evidence, Kept, Workflow
from mlxkit.gates.score.gather import passed
from mlxkit.gates.score.projects import projects
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
    for text in ("simpler", "old model", "useful"):
        assert points(evidence, text) == 0.5
        assert points(Evidence("c", [Kept("t", "baseline", {"over": {"h": 1.0}})]), text) == 0


def test_nobody_reviews_their_own() -> None:
    for others, told in ((True, 0.5), (False, 0)):
        kept = [Kept("t", "approval", {"not_author": others})]
        assert points(Evidence("c", kept), "reviewed") == told


def test_only_a_rebuild_shows_that_training_is_reproducible() -> None:
    for part, told in (("verify", 0), ("rebuild", 0.5)):
        kept = [Kept("t", "reproducible", {"rebuild": True}, frozenset({part}))]
        assert points(Evidence("c", kept), "training is reproducible") == told


def test_runs_tests_experiments_tags_and_the_log() -> None:
    bare = Evidence("c", [], Workflow(), True, 3, True, {"census": 2}, True)
    every = Workflow({}, repro="w", tests="w", sweeps="w", deploys="w")
    for text, half in (
        ("end to end", 0.5), ("hyperparameters", 0.5), ("code is unit-tested", 0),
        ("feature code", 0), ("staged before", 0.5), ("rolled back", 0.5),
    ):  # fmt: skip
        assert points(bare, text) == half
        assert points(bare._replace(workflow=every), text) == 1
        assert points(Evidence("c", [], every), text) == 0, "a workflow alone is no evidence"


def test_the_next_point_is_in_the_least_part_that_can_earn_one() -> None:
    kept = [Kept("t", "data", {}), Kept("t", "cost", {}), Kept("t", "slices", SLICES)]
    found = score(Evidence("c", kept)).next
    assert found is not None and found.question.part == "infrastructure"
    kinds = ("data", "schema", "cost", "threshold", "noise")
    costly = score(Evidence("c", [Kept("t", one, {}) for one in kinds], experiments=2)).next
    assert costly is not None and (costly.question.part, costly.found.points) == ("model", 0), (
        "no workflow of mlx ci init's tunes"
    )
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
    assert advice(first, Workflow()).endswith("; then a workflow that runs mlx gate: mlx ci init")
    assert advice(first, Workflow({"t": "w"})) == first.question.earn
    half, *_ = score(Evidence("c", [Kept("t", "data", {})])).answers
    assert advice(half, Workflow()) == "a workflow that runs mlx gate: mlx ci init (data in gate t)"
    tuned = next(one for one in score(Evidence("c", experiments=2)).answers if one.found.points)
    assert advice(tuned, Workflow()) == "a workflow that runs mlx exp run (2 experiments)"
    for one in score(Evidence("c")).answers:
        assert ("then" in advice(one, Workflow())) == bool(
            one.question.effort and one.question.again
        )


WORKFLOW = b"""
on: {push: , workflow_dispatch: }
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
      - run: |
          # mlx repro is not run here
          echo "to do: mlx gate other"; echo mlx gate other, pytest
          CI=1 uv run mlx -C sub gate \\
            test --base "$BASE" --report "$TMP/r.md" && make test
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
    runs = b"{on: %s, jobs: {x: {steps: [{run: mlx gate}]}}}"
    for events, file in ((b"push", "a"), (b"[schedule]", "a"), (b"workflow_dispatch", "")):
        assert read_workflows({"a": runs % events}).judges("any") == file
    assert read_workflows({"a": runs % b""}) == Workflow()
    odd = b"{on: push, jobs: {x: {steps: [{run: echo pytest}, {run: pytests}, 1]}, y: 2}}"
    assert read_workflows({"a": odd}) == Workflow()


def test_what_other_projects_of_the_repository_run_is_theirs() -> None:
    files = ("dvc.yaml", ".dvc/config", "a/.dvc/config", "a/b/.dvc/config", "ab/x")
    top, a = (projects(own, files) for own in ("", "a"))
    assert [top.has(one) for one in ("", "x/y", "ab", "a/x", "a/b")] == [True] * 3 + [False] * 2
    assert [a.has(one) for one in ("", "ab", "a", "a/x", "a/b/x")] == [
        False,
        False,
        True,
        True,
        False,
    ]
    text = "on: push\ndefaults: {run: {working-directory: %s}}\njobs: {j: {steps: [{run: '%s'}]}}\n"
    for place, script, by_top, by_a in (
        (".", "mlx repro", True, False), ("a", "mlx repro", False, True),
        ("./a/", "mlx -C .. repro", True, False), (".", 'mlx -C "a" repro', False, True),
        (".", "cd a && mlx repro", False, True), (".", "cd a/b\n\n mlx repro", False, False),
        ("$HERE", "mlx repro", False, False), ("..", "mlx repro", False, False),
    ):  # fmt: skip
        data = {"w": (text % (place, script)).encode()}
        found = [bool(read_workflows(data, one).repro) for one in (top, a)]
        assert found == [by_top, by_a], (place, script)
    tested = [
        read_workflows({"w": (text % (".", "pytest")).encode()}, one).tests for one in (top, a)
    ]
    assert tested == ["w", "w"], "tests of the top are those of all below"
    assert not read_workflows({"w": (text % ("a", "pytest")).encode()}, top).tests


def test_a_rule_that_may_have_been_skipped_did_not_pass() -> None:
    rules = [{"slices": {"when": None}}, {"slices": {"when": {"branches": ["main"]}}}]
    ran, skipped, wrong = ({"rule": "slices", "what": "w", "verdict": one}
                           for one in ("pass", "skipped", "fail"))  # fmt: skip
    for told, number in (([ran, ran], 2), ([ran, skipped], 1), ([ran, wrong], 0), ([skipped], 0)):
        assert len(list(passed("g", rules, told))) == number
    assert [one.settings for one in passed("g", rules, [ran, skipped])] == [{"when": None}]
