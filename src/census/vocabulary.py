"""Stage `vocabulary`: which answers become a level of their own, learnt on train alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census.columns import LABEL, ROW, WEIGHT, YEAR
from census.files import read_params, read_table, write_json

if TYPE_CHECKING:
    import pandas as pd

FORBIDDEN = frozenset({LABEL, ROW, WEIGHT, YEAR})
"""Never features: the label, the row's number, the survey's sampling weight and the year."""


def levels(answers: pd.Series[str], min_count: int) -> list[str]:
    """The answers that at least `min_count` rows gave, sorted; "?" (not known) is one of them."""
    counts = answers.value_counts()
    return sorted(str(answer) for answer in counts[counts >= min_count].index)


def refuse_forbidden(features: list[str]) -> None:
    """Raise ValueError when a column that must not be a feature is listed as one."""
    if wrong := sorted(FORBIDDEN.intersection(features)):
        raise ValueError(f"params.yaml: features must not list {', '.join(wrong)}")


def main() -> None:
    """Read the training rows and write the levels of each categorical feature."""
    params = read_params("features")
    names: list[str] = params["categorical"]
    refuse_forbidden([*params["numeric"], *params["money"], *names])
    train = read_table("data/split/train.parquet", names).astype(str)
    vocabulary = {name: levels(train[name], params["min_count"]) for name in names}
    write_json(vocabulary, "models/vocabulary.json")


if __name__ == "__main__":
    main()
