"""Stage `split`: 1994 into train, valid and test; 1995 is what came later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from census.columns import ANSWERS, ROW, YEAR
from census.files import read_params, read_table, write_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def answers_to_unit(frame: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each row (rows,), the same for rows with the same answers.

    A quarter of the rows repeat another row's answers (most are children, whose answers are
    nearly all "not in universe"). They are different people, so they stay; but people with the
    same answers must fall on the same side, or a model could score well by remembering.
    A hash also keeps each row where it is when rows are added.
    """
    from pandas.util import hash_pandas_object

    hashes = hash_pandas_object(frame[list(ANSWERS)], index=False, hash_key=f"{seed:016d}")
    # 53 bits are what a float64 holds exactly.
    return np.asarray(hashes.to_numpy() >> np.uint64(11), dtype=np.float64) / 2.0**53


def split(frame: pd.DataFrame, *, seed: int, train: float, valid: float) -> dict[str, pd.DataFrame]:
    """The rows of each split, with their position in the source as column `row`."""
    numbered = frame.assign(**{ROW: np.arange(len(frame), dtype=np.int32)})
    earlier = numbered[numbered[YEAR] == 94]
    place = answers_to_unit(earlier, seed)
    return {
        "train": earlier[place < train],
        "valid": earlier[(place >= train) & (place < train + valid)],
        "test": earlier[place >= train + valid],
        "later": numbered[numbered[YEAR] == 95],
    }


def main() -> None:
    """Read the versioned data and write one file per split."""
    params = read_params("split")
    parts = split(
        read_table("data/census.parquet"),
        seed=params["seed"],
        train=params["train"],
        valid=params["valid"],
    )
    for name, rows in parts.items():
        write_table(rows, f"data/split/{name}.parquet")


if __name__ == "__main__":
    main()
