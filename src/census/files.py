"""Reading and writing the pipeline's files, the same bytes each time for the same content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 4
"""Decimals kept in metrics and plots: finer than sampling noise, coarser than rounding errors."""

SCORE_DIGITS = 6
"""Decimals kept in a probability: hides the last bits, in which processors may differ."""


def read_params(section: str) -> dict[str, Any]:
    """One top-level section of `params.yaml`."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(
        Path("params.yaml").read_text(encoding="utf-8")
    )
    return document[section]


def read_table(path: str, columns: list[str] | None = None) -> pd.DataFrame:
    """A Parquet file as a frame (rows, columns), in the file's own row order."""
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(path, columns=columns).to_pandas()
    return frame


def write_table(frame: pd.DataFrame, path: str) -> None:
    """Write a frame without its index as one zstd Parquet row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # pandas' own metadata names library versions, which would tie the digest to them.
    pq.write_table(
        table.replace_schema_metadata(None),
        path,
        compression="zstd",
        row_group_size=max(len(frame), 1),
    )


def read_json(path: str) -> Any:
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(content: Any, path: str, digits: int = DIGITS) -> None:
    """Write JSON with floats rounded to some decimals."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    document = rounded(content, digits)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def write_csv(frame: pd.DataFrame, path: str) -> None:
    """Write a plot's points as CSV with floats rounded to `DIGITS` decimals."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    frame.round(DIGITS).to_csv(path, index=False, lineterminator="\n")


def rounded(content: Any, digits: int) -> Any:
    """The same nested content with every float rounded."""
    if isinstance(content, dict):
        return {key: rounded(value, digits) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value, digits) for value in content]
    return round(content, digits) if isinstance(content, float) else content
