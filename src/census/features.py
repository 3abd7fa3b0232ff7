"""Stage `features@<split>`: numbers and level codes, the same for all models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from census.columns import LABEL, POSITIVE, ROW
from census.files import read_json, read_params, read_table, write_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

OTHER = 0
"""The code of every answer that is not in the vocabulary: rare in train, or never seen there."""


def encode(answers: pd.Series[str], levels: list[str]) -> NDArray[np.int16]:
    """Level codes (rows,): 1 for the first level, and so on; `OTHER` for any other answer."""
    codes = {level: code for code, level in enumerate(levels, start=OTHER + 1)}
    return np.array([codes.get(answer, OTHER) for answer in answers], dtype=np.int16)


def features(
    frame: pd.DataFrame,
    vocabulary: dict[str, list[str]],
    *,
    numeric: list[str],
    money: list[str],
) -> pd.DataFrame:
    """One column per feature (rows, features): plain numbers, log(1 + amount), level codes."""
    columns = {name: frame[name].to_numpy(dtype=np.float64) for name in numeric}
    # Amounts span five powers of ten; trees do not mind, the logistic regression does.
    # Processors differ in the last bit of a logarithm: six decimals are the same on all.
    columns |= {name: np.log1p(frame[name].to_numpy(dtype=np.float64)).round(6) for name in money}
    coded = {name: encode(frame[name].astype(str), vocabulary[name]) for name in vocabulary}
    return frame[[ROW]].reset_index(drop=True).assign(**columns, **coded)


def main(name: str) -> None:
    """Turn one split into features and its label (int8, 1 = over 50,000 dollars)."""
    params = read_params("features")
    frame = read_table(f"data/split/{name}.parquet")
    vocabulary: dict[str, list[str]] = read_json("models/vocabulary.json")
    table = features(frame, vocabulary, numeric=params["numeric"], money=params["money"])
    label = (frame[LABEL] == POSITIVE).to_numpy(dtype=np.int8)
    write_table(table.assign(label=label), f"data/features/{name}.parquet")


if __name__ == "__main__":
    main(sys.argv[1])
