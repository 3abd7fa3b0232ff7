"""The settings of rules about data, noise and cost: defaults, and what is refused with its line."""

from pathlib import Path
from typing import Any

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.settings import load as loading
from mlxkit.settings.load import settings_of


def rule(text: str, folder: Path) -> Any:
    told = settings_of(f"gates:\n  t:\n    - {text}\n".encode(), "mlx.yaml", str(folder))
    ((found,),) = (one.values() for one in told["gates"]["t"])
    return found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data: {path: t.csv, label: {column: y, share: {min: 0.1}}}",
         {"label": {"column": "y", "value": 1, "share": {"min": 0.1, "max": None}}}),
        ("data: {path: t.csv, label: {column: y, value: yes it is, share: {max: 1}}}",
         {"label": {"column": "y", "value": "yes it is", "share": {"min": None, "max": 1.0}}}),
        ("data: {path: t.csv, label: {column: y, value: true, share: {max: 1}}}",
         {"label": {"column": "y", "value": True, "share": {"min": None, "max": 1.0}}}),
        ("data: {path: t.csv, duplicates: {}}",
         {"duplicates": {"max": 0.0, "columns": None, "leave_out": []}}),
        ("data: {path: t.csv, nulls: {404: 0}}", {"nulls": {"404": 0.0}}),
        ("schema: {path: t.csv, schema: s.yaml}", {"schema_": "s.yaml"}),
        ("overlap: {train: a, test: b}", {"max": 0.0, "columns": None}),
        ("shift: {path: t.csv}", {"first": "fail", "psi": 0.2, "wasserstein": 0.1, "bins": 10}),
        ("noise: {metric: f1, predictions: p.csv, against: main}",
         {"want": "no worse", "lose": 0.0, "resamples": 1000, "positive": 1}),
        ("cost: {metric: m, against: main, more: 40%, for: 0.01}", {"more": 0.4, "for_": 0.01}),
        ("cost: {metric: m, against: main, more: 0.5, for: 0}", {"more": 0.5, "stages": None}),
    ],
)  # fmt: skip
def test_defaults(text: str, told: dict[str, Any], tmp_path: Path) -> None:
    found = rule(text, tmp_path)
    assert {key: found[key] for key in told} == told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data: {path: t.csv}", "data"),
        ("data: {path: t.csv, rows: {}}", "data.rows"),
        ("data: {path: t.csv, nulls: {a: 1.5}}", "data.nulls.a"),
        ("data: {path: t.csv, nulls: {a: .nan}}", "data.nulls.a"),
        ("data: {path: t.csv, nulls: {}}", "data.nulls"),
        ("data: {path: t.csv, ranges: {a: {min: low}}}", "data.ranges.a.min"),
        ("data: {path: t.csv, rows: {min: -1}}", "data.rows.min"),
        ("data: {path: t.csv, label: {column: y}}", "data.label.share"),
        ("data: {path: t.csv, label: {column: y, value: [1], share: {min: 0}}}", "label.value"),
        ("schema: {path: t.csv}", "schema.schema"),
        ("schema: {path: t.csv, schema_: s.yaml}", "unknown key 'schema_'"),
        ("overlap: {train: a}", "overlap.test"),
        ("shift: {path: t.csv, first: yes}", "shift.first"),
        ("noise: {metric: f1, predictions: p}", "against or other"),
        ("noise: {metric: auc, predictions: p, against: m}", "noise.metric"),
        (
            "noise: {metric: f1, predictions: p, against: m, by: 1}",
            "says `by`, which goes with `want: better`",
        ),
        (
            "noise: {metric: f1, predictions: p, against: m, want: better, lose: 1}",
            "says `lose`, which",
        ),
        ("noise: {metric: f1, predictions: p, against: m, resamples: 5}", "noise.resamples"),
        (
            "noise: {metric: roc_auc, predictions: p, against: m, threshold: 0.5}",
            "says `threshold`",
        ),
        ("seeds: {metric: 's/*:a', min: 1, lose: 1}", "says `lose`, which goes with `against`"),
        ("data: {path: t.csv, rows: {min: 2, max: 1}}", "data.rows` has a min above its max"),
        ("cost: {metric: m, against: main, more: much, for: 0}", "is no share: write 40% or 0.4"),
        ("cost: {metric: m, against: main, more: -5%, for: 0}", "is no share"),
        ("cost: {metric: m, against: main, more: inf%, for: 0}", "is no share"),
        ("cost: {metric: m, against: main, more: 40%}", "cost.for"),
    ],
)
def test_what_is_refused(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        rule(text, tmp_path)
    assert why in str(caught.value)
    assert "mlx.yaml:3" in str(caught.value)


def test_what_is_remembered_depends_on_them() -> None:
    assert "data_rules.py" in loading._MODEL
