"""Which version of the test set a metrics file was measured on, by what locks record."""

import pytest

from mlxkit.leaderboard.measured import Recorded, measured, version_of
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.recipe import Recipe, Used

A, B, C = "a" * 32, "b" * 32, "c" * 32
Paths = dict[str, str]


def stage(name: str, deps: Paths, outs: Paths, cmd: str | None = "run") -> Placed:
    read = tuple(Used(path, md5) for path, md5 in deps.items())
    made = tuple(Used(path, md5) for path, md5 in outs.items())
    return Placed(name.encode(), "dvc.yaml", Recipe(name, cmd, read, {}, made))


def nowhere(folder: str, part: str) -> str | None:
    return None


def test_through_what_other_stages_made() -> None:
    recorded = Recorded(
        [
            stage("evaluate", {"preds": B, "code.py": C}, {"m.json": C}),
            stage("predict", {"model": C, "test": A}, {"preds": B}),
            stage("train", {"data": C}, {"model": C}),
        ]
    )
    found = measured(recorded, "m.json", "test", nowhere)
    assert (found.digest, found.reason) == (A, "")


def test_changed_code_is_the_same_measurement_and_other_predictions_are_not() -> None:
    def key(code: str, preds: str) -> str:
        recipes = [
            stage("evaluate", {"preds": preds, "code.py": code}, {"m.json": C}),
            stage("predict", {"test": A}, {"preds": preds}),
        ]
        return measured(Recorded(recipes), "m.json", "test", nowhere).key

    assert key(A, B) == key(C, B) != key(A, C)


def test_a_stage_that_does_everything_is_known_by_all_it_reads() -> None:
    def key(code: str) -> str:
        recipes = [stage("all", {"test": A, "code.py": code}, {"m.json": C})]
        return measured(Recorded(recipes), "m.json", "test", nowhere).key

    assert key(A) == key(A) != key(B)


@pytest.mark.parametrize(
    ("recipes", "reason"),
    [
        ([], "no stage is on record that wrote m.json"),
        ([stage("m.json.dvc", {}, {"m.json": C}, None)], "no stage is on record that wrote m.json"),
        ([stage("e", {"other": A}, {"m.json": C})], "m.json was not measured on test"),
        ([stage("e", {"test": ""}, {"m.json": C})], "the digest of test is not on record"),
        (
            [
                stage("e", {"test": A, "preds": B}, {"m.json": C}),
                stage("p", {"test": B}, {"preds": B}),
            ],
            "m.json was measured on 2 versions of test",
        ),
        (
            [
                stage("e", {"preds": A}, {"m.json": C}),
                stage("p", {"test": A}, {"preds": B}),
            ],
            "preds changed after it was used: run mlx repro",
        ),
        (
            [stage("e", {"data": "a.dir"}, {"m.json": C})],
            "the digest of data/test is not on record",
        ),
    ],
)
def test_what_cannot_be_known(recipes: list[Placed], reason: str) -> None:
    test = "data/test" if "data/test" in reason else "test"
    assert measured(Recorded(recipes), "m.json", test, nowhere).reason == reason


def test_inside_of_folders() -> None:
    def inside(folder: str, part: str) -> str | None:
        return {("d.dir", "test/x.csv"): A}.get((folder, part))

    recorded = Recorded(
        [
            stage("evaluate", {"out/preds": B}, {"metrics": "m.dir"}),
            stage("predict", {"data": "d.dir"}, {"out": "o.dir"}),
            stage("data.dvc", {}, {"data": "d.dir"}, None),
        ]
    )
    found = measured(recorded, "metrics/m.json", "data/test/x.csv", inside)
    assert (found.digest, found.reason) == (A, "")
    assert version_of(recorded, "data/test/x.csv", inside) == A
    assert version_of(recorded, "data/test/y.csv", inside) is None


def test_a_circle_ends() -> None:
    recipes = [stage("e", {"x": A}, {"m.json": C, "y": A}), stage("f", {"y": A}, {"x": A})]
    assert measured(Recorded(recipes), "m.json", "test", nowhere).reason


def test_a_test_set_that_only_git_has() -> None:
    recorded = Recorded([stage("e", {"test": A}, {"m.json": C})])
    assert version_of(recorded, "test", nowhere) == A
    twice = Recorded([stage("e", {"test": A}, {"m": C}), stage("f", {"test": B}, {"n": C})])
    assert version_of(twice, "test", nowhere) is None
