"""A sample of the real data, taken from the remote folder that the repository ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROWS = 6000


@pytest.fixture(scope="session")
def pointer() -> dict[str, Any]:
    """What `data/census.parquet.dvc` says of the data: md5, size in bytes, path."""
    document = yaml.safe_load((ROOT / "data/census.parquet.dvc").read_text(encoding="utf-8"))
    entry: dict[str, Any] = document["outs"][0]
    return entry


@pytest.fixture(scope="session")
def source(pointer: dict[str, Any]) -> Path:
    """The object in `data/remote` that the pointer means."""
    md5: str = pointer["md5"]
    return ROOT / "data/remote/files/md5" / md5[:2] / md5[2:]


@pytest.fixture(scope="session")
def census(source: Path) -> pd.DataFrame:
    """A fixed sample of the 299,285 rows (ROWS, 42), of both years."""
    frame: pd.DataFrame = pq.read_table(source).to_pandas()
    return frame.sample(ROWS, random_state=0).reset_index(drop=True)
