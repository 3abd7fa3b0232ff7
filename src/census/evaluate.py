"""Stage `evaluate@<model>-<split>`: one model on one split, over all rows and slice by slice."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from census import measures
from census.columns import SLICES
from census.files import read_json, read_params, read_table, write_json

if TYPE_CHECKING:
    import pandas as pd

    from census.measures import Labels, Scores


def overall(
    label: Labels, score: Scores, *, threshold: float | None, precision: float, bins: int
) -> dict[str, float]:
    """What a reviewer looks at first; shares and areas 0 to 1, log loss in nats."""
    curve = measures.precision_recall(label, score)
    binned = measures.calibration(label, score, bins)
    return {
        "rows": len(label),
        "positive_share": float(label.mean()),
        "pr_auc": measures.average_precision(curve),
        "roc_auc": measures.roc_auc(label, score),
        "log_loss": measures.log_loss(label, score),
        "brier": measures.brier(label, score),
        "ece": measures.expected_calibration_error(binned),
        "recall_at_precision": measures.recall_at_precision(curve, precision),
        **measures.at_threshold(label, score, threshold),
        "accuracy": measures.accuracy(label, score, threshold),
        "majority_accuracy": measures.majority_accuracy(label),
    }


def one_slice(
    label: Labels, score: Scores, *, threshold: float | None, bins: int
) -> dict[str, float]:
    """A slice's measures at the common threshold; without the area if it has no positive row."""
    result: dict[str, float] = {"rows": len(label), "positive_share": float(label.mean())}
    if label.any():
        curve = measures.precision_recall(label, score)
        result["pr_auc"] = measures.average_precision(curve)
    binned = measures.calibration(label, score, bins)
    result["ece"] = measures.expected_calibration_error(binned)
    return result | measures.at_threshold(label, score, threshold)


def by_slice(table: pd.DataFrame, *, threshold: float | None, bins: int) -> dict[str, Any]:
    """Measures by slice column and value, such as `["sex"]["female"]["recall"]`."""
    return {
        column: {
            str(value): one_slice(
                rows["label"].to_numpy(), rows["score"].to_numpy(), threshold=threshold, bins=bins
            )
            for value, rows in table.groupby(column, sort=True)
        }
        for column in SLICES
    }


def main(model_name: str, split_name: str) -> None:
    """Write both metrics files of one model on one split."""
    table = read_table(f"predictions/{model_name}/{split_name}.parquet")
    threshold: float | None = read_json(f"models/{model_name}.threshold.json")["threshold"]
    bins: int = read_params("evaluate")["bins"]
    metrics = overall(
        table["label"].to_numpy(),
        table["score"].to_numpy(),
        threshold=threshold,
        precision=read_params("operating_point")["precision"],
        bins=bins,
    )
    write_json(metrics, f"metrics/{model_name}/{split_name}.json")
    slices = by_slice(table, threshold=threshold, bins=bins)
    write_json(slices, f"metrics/{model_name}/{split_name}_slices.json")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
