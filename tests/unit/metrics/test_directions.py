"""Which direction is good without a word in mlx.yaml, and what is better then."""

import math
from typing import Any

import pytest

from mlxkit.metrics.directions import HIGHER, LOWER, usual_direction
from mlxkit.metrics.judgement import is_better
from mlxkit.metrics.preferences import Preference


@pytest.mark.parametrize("name", [
    "loss", "val_loss", "test.log_loss", "logLoss", "error", "word_error_rate", "RMSE", "mae",
    "brier", "ece", "cross_entropy", "mean_squared_error", "latency_ms", "p99-latency",
    "false_positive_rate", "negative_log_likelihood", "perplexity",
])  # fmt: skip
def test_less_is_better(name: str) -> None:
    assert usual_direction(name) == "lower"


@pytest.mark.parametrize("name", [
    "accuracy", "top_5_acc", "roc_auc", "ROC-AUC", "test.pr_auc", "f1", "F1Score", "f1_macro",
    "precision_at_5", "recall", "r2", "R2", "mAP", "BLEU", "log_likelihood", "throughput",
    "true_negative_rate", "explained_variance", "neg_mean_squared_error",
])  # fmt: skip
def test_more_is_better(name: str) -> None:
    assert usual_direction(name) == "higher"


@pytest.mark.parametrize("name", [
    "", "rows", "threshold", "accuracy_std", "loss_weight", "best_epoch", "loss.value", "é", "time",
])  # fmt: skip
def test_nobody_can_tell(name: str) -> None:
    assert usual_direction(name) is None


def test_no_word_is_both() -> None:
    assert not LOWER & HIGHER


@pytest.mark.parametrize(("name", "diff", "better"), [
    ("loss", -1, True), ("loss", 0.5, False), ("accuracy", 1, True), ("accuracy", -math.inf, False),
    ("rows", 1, None), ("loss", 0, None), ("loss", math.nan, None), ("loss", None, None),
    ("a", 1, False),
])  # fmt: skip
def test_a_change_is_judged_by_its_direction(name: str, diff: Any, better: bool | None) -> None:
    change = {"old": 1, "new": 2} | ({} if diff is None else {"diff": diff})
    assert is_better(name, change, {"a": Preference("lower")}) is better


def test_what_mlx_yaml_says_wins() -> None:
    assert is_better("loss", {"diff": 1}, {"loss": Preference("higher")}) is True
    assert is_better("test.loss", {"diff": 1}, {"loss": Preference(unit="s")}) is False
