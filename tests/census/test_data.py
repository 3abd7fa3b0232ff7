"""The versioned data is what its pointer and its documentation say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from census.columns import COLUMNS, INTEGER, TEXT, WEIGHT

README = Path(__file__).parents[2] / "data/README.md"


def test_the_shipped_object_is_the_one_pointed_to(pointer: dict[str, Any], source: Path) -> None:
    content = source.read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == pointer["md5"]
    assert len(content) == pointer["size"]


def test_its_columns_are_the_documented_ones(source: Path) -> None:
    schema = pq.read_schema(source)
    assert tuple(schema.names) == COLUMNS
    types = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    assert types == {
        **dict.fromkeys(TEXT, "string"),
        **dict.fromkeys(INTEGER, "int32"),
        WEIGHT: "double",
    }
    assert pq.read_metadata(source).num_rows == 199_523 + 99_762


def test_the_readme_describes_every_column() -> None:
    readme = README.read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"| `{name}` |" not in readme] == []
