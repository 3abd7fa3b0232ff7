"""What is made of states, lock entries and tables before anything is drawn."""

from typing import Any

from tests.support.report import make_report

from mlxkit.comparison.state import FileValues, Trouble
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.metrics.preferences import Preference
from mlxkit.reports.changes import (
    Gates,
    Value,
    Values,
)
from mlxkit.reports.document import document
from mlxkit.reports.lineage import choose
from mlxkit.reports.markdown import render
from mlxkit.reports.sections.words import signed
from mlxkit.reports.slices import slice_files, slice_tables, worse_of, worst_of
from mlxkit.reports.stages import Runs, outdated, stage_changes, stage_costs
from mlxkit.reports.tables import Column, Summary, shifts
from mlxkit.reports.values import leading_metrics, metric_values, param_values
from mlxkit.runs.prices import Prices
from mlxkit.runs.record import Item, Record

KNOWN = {"acc": Preference("higher"), "loss": Preference("lower")}
NAMES = ("main", "branch")
RULES: Any = {
    "test": [
        {"threshold": {"metric": "a.json:loss"}},
        {"base": {"metric": "b.json:acc"}},
        {"slices": {"file": "cut.json", "metric": "acc", "least_rows": 50, "rows": "n",
                    "groups": ["sex"], "leave_out": ["sex=x"], "better": None}},
    ]
}  # fmt: skip


def files(**values: Any) -> dict[str, FileValues]:
    return {f"{name}.json": FileValues(one) for name, one in values.items()}


def test_metrics_that_gates_judge_come_first_then_what_got_worse() -> None:
    old = files(a={"loss": 1.0, "acc": 0.5, "x": 1}, b={"acc": 0.5, "gone": 3, "same": 1})
    new = files(a={"loss": 0.5, "acc": 0.4, "x": 2}, b={"acc": 0.6, "same": 1, "new": 2})
    found = metric_values(old, new, NAMES, KNOWN, leading_metrics(RULES), ())
    assert [(one.file, one.name, one.better) for one in found.changed] == [
        ("b.json", "acc", True),
        ("a.json", "loss", True),
        ("a.json", "acc", False),
        ("b.json", "gone", None),
        ("a.json", "x", None),
        ("b.json", "new", None),
    ]
    assert [one.leading for one in found.changed[:3]] == [True, True, False]
    assert found.same == 1


def test_of_a_file_of_slices_what_is_no_slice_stays() -> None:
    old = files(cut={"acc": 0.5, "rows": 3, "sex": {"f": {"acc": 0.5}}}, odd=[1])
    new = files(cut={"acc": 0.4, "rows": 3, "sex": {"f": {"acc": 0.3}}}, odd=[1])
    found = metric_values(old, new, NAMES, KNOWN, (), ("cut.json", "odd.json"))
    assert [(one.file, one.name) for one in found.changed] == [("cut.json", "acc")]
    assert found.same == 2


def test_what_is_held_to_the_base_leads() -> None:
    baseline: Any = {"training": [{"baseline": {"metric": "a.json:x"}}], **RULES}
    assert leading_metrics(baseline, "auc") == ["b.json:acc", "a.json:x", "a.json:loss", "auc"]


def test_what_cannot_be_read_has_not_changed_and_is_told() -> None:
    old = files(a={"loss": 1.0})
    new = {"a.json": FileValues(error=Trouble("JSONFileCorruptedError", "a.json: is not JSON"))}
    found = metric_values(old, new, NAMES, KNOWN, (), ())
    assert (found.changed, found.same) == ([], 0)
    assert found.troubles == ["branch:a.json: is not JSON"]
    assert param_values(Trouble("X", "broken"), {}, NAMES).troubles == [
        "nothing of main could be read: broken"
    ]


def test_a_metric_that_is_nan_or_a_text_is_no_change_to_better() -> None:
    old, new = files(a={"acc": 0.5, "loss": 1.0}), files(a={"acc": float("nan"), "loss": "oops"})
    found = metric_values(old, new, NAMES, KNOWN, (), ())
    assert [(one.name, one.better, one.diff) for one in found.changed] == [
        ("acc", None, None), ("loss", None, None)
    ]  # fmt: skip
    told = render(make_report(metrics=found))
    assert told.count("🔴 no number") == 2
    again = metric_values(new, new, NAMES, KNOWN, (), ())
    assert (again.changed, again.same) == ([], 2)
    assert document(make_report(metrics=found))["metrics"]["changed"][0]["new"] == "nan"


def test_slices_are_judged_as_their_rules_say() -> None:
    def cut(f: float, m: float, x: float) -> dict[str, Any]:
        return {
            "sex": {"f": {"acc": f, "n": 60}, "m": {"acc": m, "n": 9}, "x": {"acc": x, "n": 99}}
        }

    chosen = slice_files(RULES, ["m.json", "some_slices.json"])
    assert set(chosen) == {"cut.json", "some_slices.json"}
    (table,) = slice_tables(
        files(cut=cut(0.5, 0.2, 0.1)), files(cut=cut(0.4, 0.1, 0.0)), chosen, KNOWN
    )
    assert [(one.title, one.small) for one in table.slices] == [
        ("sex=f", False), ("sex=m", True), ("sex=x", True)
    ]  # fmt: skip
    worst, before = worst_of(table), worst_of(table, old=True)
    assert worst is not None
    assert before is not None
    assert (worst.title, worst.new, before.old) == ("sex=f", 0.4, 0.5)
    assert [one.title for one in worse_of(table)] == ["sex=f", "sex=m", "sex=x"]


def test_a_slice_without_a_value_got_worse() -> None:
    def cut(**women: float) -> dict[str, FileValues]:
        return files(some_slices={"sex": {"f": {"acc": 0.5, "n": 60}, "m": women}})

    (table,) = slice_tables(cut(acc=0.9), cut(), {"some_slices.json": []}, KNOWN)
    assert [one.title for one in worse_of(table)] == ["sex=m"]
    told = render(make_report(slices=[table]))
    assert "| `sex=m` | `acc` ↑ | 0.9 | – |  | 🔴 no value |" in told


def test_small_changes_are_not_rounded_to_nothing() -> None:
    assert [signed(diff, 2) for diff in (0.5, -0.0006, 0.000002, 30, 0.0)] == [
        "+0.5 (+25.0%)", "-0.0006 (-0.03%)", "+2e-06 (+0.0001%)", "+30 (+1,500%)", "+0 (+0.0%)"
    ]  # fmt: skip


def entry(out: str = "1", dep: str = "2", lr: float = 0.1, cmd: str = "go") -> dict[str, Any]:
    return {
        "cmd": cmd,
        "deps": [{"path": "d", "hash": "md5", "md5": dep}],
        "params": {"params.yaml": {"lr": lr}},
        "outs": [{"path": "o", "hash": "md5", "md5": out}],
    }


def record(out: str, seconds: float, *, outcome: str = "ran", lr: float = 0.1) -> Record:
    return Record(
        stage="train", outcome=outcome, started="2026", seconds=seconds, cost={"cpu_seconds": 3600},
        outs=(Item("p/o", out),), deps=(Item("p/d", "2"),), params={"p/params.yaml": {"lr": lr}},
    )  # fmt: skip


def test_stages_say_why_they_ran_and_which_run_it_was() -> None:
    runs = Runs({"r1": record("1", 5), "r2": record("9", 7, lr=0.2),
                 "r3": record("9", 0, lr=0.2, outcome="restored")})  # fmt: skip
    old = {"train": entry(), "same": entry(), "gone": entry("7"), "was": entry(cmd="a")}
    new = {"train": entry("9", lr=0.2), "same": entry(), "more": entry(), "cmd": entry(cmd="b"),
           "is": entry(cmd="a")}  # fmt: skip
    found = stage_changes({**old, "cmd": entry()}, new, runs)
    assert [(one.stage, one.kind, one.reasons, one.run) for one in found] == [
        ("train", "ran", ["parameter lr (0.1 → 0.2)"], "r2"),
        ("more", "new", [], None),
        ("cmd", "ran", ["command changed"], None),
        ("is", "renamed", ["was was"], None),
        ("gone", "gone", (), None),
    ]
    costs = stage_costs(old, new, runs, Prices(cpu_hour=2.0))
    (train,) = costs.stages
    assert (train.old_seconds, train.new_seconds, train.new_price) == (5, 7, 2.0)
    assert costs.unknown == 6


def test_stages_that_read_what_is_no_longer_made_are_outdated() -> None:
    make = {**entry(), "outs": [{"path": "sub/d", "md5": "2"}]}
    assert outdated({"make": make, "sub/dvc.yaml:use": entry(), "far": entry()}) == []
    late = outdated({"make": make, "sub/dvc.yaml:use": entry(dep="3"), "far": entry(dep="3")})
    assert late == ["sub/dvc.yaml:use"]


def test_columns_that_shifted_most_come_first() -> None:
    number, text = Column("int64", 0, 1.0, 2.0), Column("text", 0.1)
    same = {"still": number}
    old = {"a": number, "b": text, "c": number._replace(mean=9.0), "gone": text, "typed": text}
    new = {"a": number._replace(mean=2.0), "b": text._replace(nulls=0.3), "c": number, "new": text}
    before, after = Summary(10, {**same, **old}), Summary(9, {**same, **new, "typed": number})
    assert [tuple(one) for one in shifts(before, after)] == [
        ("new", "new column"),
        ("typed", "type text → int64"),
        ("gone", "gone"),
        ("c", "mean 9 → 1 (-4.00 σ)"),
        ("a", "mean 1 → 2 (+0.50 σ)"),
        ("b", "without value 10.0% → 30.0%"),
    ]


WORSE = Values([Value("m.json", "acc", 0.5, 0.4, -0.1, False, "higher")])


def test_noise_is_told_below_the_metrics() -> None:
    noise = Verdict("noise", "inconclusive", "acc +0.1, 95% interval -0.1 to 0.3", "acc")
    told = render(make_report(gates=Gates([Outcome("test", [noise])]), metrics=WORSE))
    metrics = told[told.index("### Metrics") :]
    assert "- ❔ noise: acc +0.1, 95% interval -0.1 to 0.3\n" in metrics


def test_the_model_that_gates_judge_is_drawn() -> None:
    rules: Any = {"deployment": [{"size": {"path": "models/a.skops"}}, {"base": {"metric": "acc"}}]}
    assert choose(rules, ["d"], ["m.json:acc", "acc"], ["models/b", "c"]) == [
        "models/a.skops", "d", "m.json", "models/b"
    ]  # fmt: skip
