"""Stage `plot@<model>-<split>`: the points of the curves that `dvc plots` draws."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from census.columns import SLICES
from census.files import read_json, read_params, read_table, write_csv
from census.measures import at_threshold, calibration, precision_recall

if TYPE_CHECKING:
    import pandas as pd

    from census.measures import Curve, Labels, Scores


def curve_points(curve: Curve, points: int) -> pd.DataFrame:
    """Precision at evenly spaced recalls (points, 2): the full curve has a point per score."""
    import pandas as pd

    wanted = np.linspace(0, 1, points + 1)[1:]
    place = np.searchsorted(curve.recall, wanted, side="left")
    return pd.DataFrame({"recall": wanted, "precision": curve.precision[place]})


def calibration_points(label: Labels, score: Scores, bins: int) -> pd.DataFrame:
    """Mean score and share of positives of each calibration bin (bins, 3)."""
    import pandas as pd

    return pd.DataFrame(calibration(label, score, bins)._asdict())


def slice_points(table: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    """Recall and precision of each slice that has a positive row, at the common threshold."""
    import pandas as pd

    points = []
    for column in SLICES:
        for value, rows in table[["label", "score"]].groupby(table[column], sort=True):
            shares = at_threshold(rows["label"].to_numpy(), rows["score"].to_numpy(), threshold)
            points.append({"slice": f"{column}={value}", **shares})
    wanted = ["slice", "recall", "precision"]
    return pd.DataFrame(points).reindex(columns=wanted).dropna(subset="recall")


def main(model_name: str, split_name: str) -> None:
    """Write the three plots of one model on one split."""
    params = read_params("evaluate")
    table = read_table(f"predictions/{model_name}/{split_name}.parquet")
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    threshold: float | None = read_json(f"models/{model_name}.threshold.json")["threshold"]
    folder = f"plots/{model_name}/{split_name}"
    curve = precision_recall(label, score)
    write_csv(curve_points(curve, params["curve_points"]), f"{folder}/precision_recall.csv")
    write_csv(calibration_points(label, score, params["bins"]), f"{folder}/calibration.csv")
    write_csv(slice_points(table, threshold), f"{folder}/slices.csv")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
