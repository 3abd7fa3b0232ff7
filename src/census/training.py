"""What the three training stages share: the feature table, and one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census.columns import ROW
from census.files import read_table

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def read_features(name: str) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Features (rows, features), indexed by row number, and labels (rows,) of one split."""
    table = read_table(f"data/features/{name}.parquet").set_index(ROW)
    return table.drop(columns="label"), table["label"].to_numpy()


def one_thread() -> AbstractContextManager[object]:
    """A context in which BLAS and OpenMP use one thread.

    The order in which threads add their parts changes the last bits of a sum, and with them the
    model's digest; and stages that run at once then do not compete for cores.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits
