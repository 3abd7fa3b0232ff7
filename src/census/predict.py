"""Stage `predict@<model>`: the model's probability for each row it was not trained on."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from census.columns import ROW
from census.files import SCORE_DIGITS, read_params, read_table, write_table
from census.model_file import load_model
from census.training import one_thread, read_features

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def age_bands(ages: NDArray[np.int32], starts: list[int]) -> list[str]:
    """The band of each age in years (rows,): "0_14", "15_24", ..., "65_over"."""
    names = [f"0_{starts[0] - 1}"]
    names += [f"{low}_{high - 1}" for low, high in pairwise(starts)]
    names += [f"{starts[-1]}_over"]
    return [names[place] for place in np.searchsorted(starts, ages, side="right")]


def slice_key(answer: str) -> str:
    """An answer as a key for metrics files: lower case, words joined by "_"."""
    return "_".join(answer.lower().split())


def slices(split: pd.DataFrame, band_starts: list[int]) -> pd.DataFrame:
    """Row number and slices of each row (rows, 4)."""
    return split[[ROW]].assign(
        sex=split["sex"].map(slice_key),
        race=split["race"].map(slice_key),
        age_band=age_bands(split["age"].to_numpy(), band_starts),
    )


def main(model_name: str) -> None:
    """Score valid, test and later with one model."""
    import pandas as pd

    model = load_model(f"models/{model_name}.skops")
    band_starts: list[int] = read_params("slices")["age_bands"]
    for name in ("valid", "test", "later"):
        x, y = read_features(name)
        with one_thread():
            score = model.predict_proba(x)[:, 1].round(SCORE_DIGITS)
        split = read_table(f"data/split/{name}.parquet", [ROW, "sex", "race", "age"])
        scores = pd.DataFrame({ROW: x.index, "label": y, "score": score})
        table = slices(split, band_starts).merge(scores, on=ROW, validate="one_to_one")
        write_table(table, f"predictions/{model_name}/{name}.parquet")


if __name__ == "__main__":
    main(sys.argv[1])
