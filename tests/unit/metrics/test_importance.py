"""Which metrics come first."""

from pathlib import Path

from mlxkit.metrics.importance import Interest, by_importance, load_interest


def test_what_the_project_names_then_usual_names_then_the_rest() -> None:
    interest = Interest("auc", names=("speed", "loss"))
    names = ["rows", "recall", "a.loss", "a.speed", "a.b.auc", "loss", "speed", "auc", "x.recall"]
    assert sorted(names, key=interest.rank) == [
        *("auc", "speed", "loss", "a.b.auc", "a.speed", "a.loss", "recall", "x.recall", "rows"),
    ]  # fmt: skip


def test_of_the_same_importance_what_changed_most_comes_first() -> None:
    changes = {
        "a.loss": {"old": 1.0, "new": 1.1, "diff": 0.1},
        "b.loss": {"old": 0.1, "new": 0.05, "diff": -0.05},
        "c.loss": {"old": None, "new": 1.0},
        "d.loss": {"old": 0, "new": 0, "diff": 0},
        "e.loss": {"old": 1.0, "new": float("nan"), "diff": float("nan")},
        "loss": {"old": 1.0, "new": 1.01, "diff": 0.01},
    }
    order = ["loss", "c.loss", "e.loss", "b.loss", "a.loss", "d.loss"]
    assert by_importance(changes, Interest()) == order


def test_read_from_the_file(tmp_path: Path) -> None:
    assert load_interest(str(tmp_path)) == Interest()
    text = "metrics: {loss: {better: lower}}\n"
    text += "leaderboard: {metric: auc, models: {mine: ./m/test.json}}\n"
    (tmp_path / "mlx.yaml").write_text(text)
    assert load_interest(str(tmp_path)) == Interest("auc", ("m/test.json",), ("loss",))
