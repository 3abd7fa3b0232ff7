"""Where libraries of the extra `gates` are not installed, rules that need them say so."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from mlxkit.core.errors import MlxError

from .tables import Folder, judge, write

RULES = {
    "data: {path: t.csv, rows: {min: 1}}": "duckdb",
    "overlap: {train: t.csv, test: t.csv}": "duckdb",
    "shift: {path: t.csv}": "numpy",
    "noise: {metric: roc_auc, predictions: t.csv, other: u.csv}": "numpy",
    "schema: {path: t.csv, schema: s.yaml}": "pandera",
}
OWN = ("bootstrap", "distributions", "effects", "measures", "pandera_schema", "predictions",
       "schema_file")  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_missing_library_is_no_verdict(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("t.csv", "u.csv", "v1/t.csv"):
        write(pd.DataFrame({"label": [0, 1], "score": [0.1, len(name)]}), tmp_path / name)
    (tmp_path / "s.yaml").write_text("columns: {label: {dtype: int64}}\n")
    for name in OWN:
        monkeypatch.delitem(sys.modules, f"mlxkit.gates.{name}", raising=False)
    for name in {RULES[rule], f"{RULES[rule]}.pandas"}:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MlxError) as caught:
        judge(rule, Folder(tmp_path), accepted=Folder(tmp_path / "v1", "v1"))
    assert "which needs" in caught.value.message
    assert caught.value.hint == "run: pip install 'mlxkit[gates]'"
