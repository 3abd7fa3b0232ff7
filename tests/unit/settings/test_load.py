"""`mlx.yaml` as a whole: what it may say, what is wrong in it, what is remembered."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.settings.load import section, settings, settings_of

DEFAULTS: dict[str, Any] = {
    "metrics": {},
    "runs": {"record": True, "max_file_size": 1 << 20},
    "cost": None,
    "verify": {"tolerance": {}},
    "attest": None,
    "leaderboard": None,
    "gates": {},
    "models": {},
}


@pytest.mark.parametrize(
    "text",
    [None, "", "# nothing\n", "metrics:\nruns:\ncost:\nverify:\nattest:\nleaderboard:\ngates:\n"],
)
def test_nothing_said(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "mlx.yaml").write_text(text)
    assert settings(str(tmp_path)) == DEFAULTS


RULES = """
- threshold: {metric: a, min: 1, max: 2.5}
- base: {metric: "m.json:a.b", against: main}
- baseline: {metric: a, over: {0: 5, trivial: "n.json:a", live: {metric: a, at: "m#prod#1"}}}
- slices: {file: s.json, metric: recall, gap: 0.1, leave_out: [age=9]}
- imbalance: {accuracy: acc, majority: maj}
- seeds: {metric: "s/*.json:a", spread: 0.1, inconclusive: pass}
"""


def _of(text: str, folder: Path) -> Any:
    return settings_of(text.encode(), "mlx.yaml", str(folder))


def test_every_rule_with_its_defaults(tmp_path: Path) -> None:
    lines = RULES.strip().splitlines()
    found = _of("gates:\n  test:\n  " + "\n  ".join(lines), tmp_path)["gates"]["test"]
    assert [list(one) for one in found] == [
        [line.removeprefix("- ").partition(":")[0]] for line in lines
    ]
    assert {inner.pop("when") for one in found for inner in one.values()} == {None}
    threshold, base, baseline, slices, _, seeds = (next(iter(one.values())) for one in found)
    assert threshold == {"metric": "a", "min": 1.0, "max": 2.5}
    assert base == {"metric": "m.json:a.b", "against": "main", "lose": 0.0, "better": None}
    assert baseline["over"] == {
        "0": 5.0, "trivial": "n.json:a", "live": {"metric": "a", "at": "m#prod#1"}
    }  # fmt: skip
    assert (slices["worst"], slices["rows"], slices["groups"]) == (None, "rows", None)
    assert (seeds["least"], seeds["confidence"], seeds["inconclusive"]) == (3, 0.95, "pass")


def _rule(text: str) -> str:
    return f"gates:\n  t:\n    - {text}\n"


WRONG = [
    ("- 1\n", "mlx.yaml", "is not a mapping", "write it as"),
    ("5\n", "mlx.yaml", "is not a mapping", "write it as"),
    ("metrcs: {}\n", "mlx.yaml:1", "there is an unknown key 'metrcs'", "did you mean 'metrics'?"),
    ("zzz: {}\n", "mlx.yaml:1", "there is an unknown key 'zzz'", "known: attest, cost, gates"),
    ("runs:\n  rekord: 1\n", "mlx.yaml:2", "`runs` has an unknown key 'rekord'", "'record'?"),
    ("metrics:\n  a: {better: up}\n", "mlx.yaml:2",
     "`metrics.a.better` is neither higher nor lower: 'up'", "write it as: metrics:"),
    ("gates: []\n", "mlx.yaml:1", "`gates` is not a mapping", "write it as: gates:"),
    ("gates:\n  t: {}\n", "mlx.yaml:2", "`gates.t` is not a list", "write it as"),
    ("gates:\n  t: []\n", "mlx.yaml:2", "`gates.t` is empty", "write it as"),
    (_rule("5"), "mlx.yaml:3", "`gates.t[0]` is not one rule", "write it as"),
    (_rule("{a: 1, b: 2}"), "mlx.yaml:3", "`gates.t[0]` is not one rule", "write it as"),
    (_rule("treshold: {metric: a, min: 1}"), "mlx.yaml:3",
     "`gates.t[0]`: there is no rule 'treshold'", "did you mean 'threshold'?"),
    (_rule("threshold:\n        metric: a\n        min: '1'"), "mlx.yaml:5",
     "`gates.t[0].threshold.min` is not a number: '1'", ""),
    (_rule("threshold: {metric: a, min: true}"), "mlx.yaml:3", "is not a number: true", ""),
    (_rule("threshold: {metric: a, min: .nan}"), "mlx.yaml:3", "is not a finite number: nan", ""),
    (_rule("threshold: {metric: a, min: .inf}"), "mlx.yaml:3", "is not a finite number: inf", ""),
    (_rule("threshold: {metric: a}"), "mlx.yaml:3",
     "`gates.t[0].threshold` says nothing: give min or max", ""),
    (_rule("threshold: {metrc: a, min: 1}"), "mlx.yaml:3",
     "`gates.t[0].threshold` has an unknown key 'metrc' (and 1 more)", "did you mean 'metric'?"),
    (_rule("threshold:"), "mlx.yaml:3", "`gates.t[0].threshold` is not a mapping", ""),
    (_rule("base: {metric: a}"), "mlx.yaml:3", "`gates.t[0].base.against` is missing", ""),
    (_rule("base: {metric: a, against: m, lose: -1}"), "mlx.yaml:3",
     "`gates.t[0].base.lose` is less than 0: -1", ""),
    (_rule("baseline: {metric: a, over: {}}"), "mlx.yaml:3",
     "`gates.t[0].baseline.over` is empty", ""),
    (_rule("baseline: {metric: a, over: {x: true}}"), "mlx.yaml:3",
     "`gates.t[0].baseline.over.x` is not a number: true", ""),
    (_rule("baseline: {metric: a, over: {x: {metric: b, on: c}}}"), "mlx.yaml:3",
     "`gates.t[0].baseline.over.x` has an unknown key 'on' (and 1 more)", "known: at, metric"),
    (_rule("seeds: {metric: a, min: 1}"), "mlx.yaml:3", "does not name files: FILES:KEY", ""),
    (_rule("seeds: {metric: 'f:a', min: 1, least: 1}"), "mlx.yaml:3", "is less than 2: 1", ""),
    (_rule("threshold: {metric: 'f:', min: 1}"), "mlx.yaml:3", "is not the name of a metric", ""),
    (_rule(f"threshold: {{metric: a, min: 1{'0' * 400}}}"), "mlx.yaml:3",
     f"is too large a number: 1{'0' * 59}...", ""),
    (_rule(f"size: {{path: a, max: 9{'9' * 400}}}"), "mlx.yaml:3", "is not a size: 999", ""),
    (_rule(f"threshold: {{metric: a, min: {'x' * 9000}}}"), "mlx.yaml:3",
     f"'{'x' * 59}...", ""),
    ("gates:\n  a: [{x: 1}]\n  '@b': [{x: 1}]\n", "mlx.yaml:2", "`gates.a[0]`: there is no", ""),
    ("gates:\n  '@b':\n    - size: {path: a}\n", "mlx.yaml:3", "`gates.@b[0].size.max` is", ""),
    ("metrics:\n  null: {unit: x}\n", "mlx.yaml:1", "`metrics.None` is no text", ""),
    ("metrics:\n  a: {unit: [x]}\n", "mlx.yaml:2", "`metrics.a.unit` is no text", ""),
    ("metrics:\n  1: {}\n  '1': {}\n", "mlx.yaml:1", "has a key twice, as number and as text", ""),
    ("gates:\n  t:\n    - size:\n        path: \"\\e\"\n", "mlx.yaml:4", "has a control", ""),
    (_rule("data: {path: a, label: {column: b, value: [1], share: {min: 0}}}"), "mlx.yaml:3",
     "label.value` is neither a text nor a number, true or false", ""),
    ("gates: {a: [\n", "mlx.yaml:", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "words", "hint"), WRONG)
def test_what_is_wrong_is_told_with_line_and_path(
    text: str, where: str, words: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(ProjectError) as caught:
        _of(text, tmp_path)
    assert (caught.value.where or "").startswith(where)
    assert words in caught.value.message
    assert hint in (caught.value.hint or "")


def test_the_wrong_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "mlx.yaml").write_text("metrics:\n  a: 1\n")
    monkeypatch.chdir(tmp_path / "sub")
    with pytest.raises(ProjectError, match=r"`metrics\.a` is not a mapping: 1") as caught:
        section(str(tmp_path), "runs")
    assert caught.value.where == "../mlx.yaml:2"


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "mlx.yaml").write_bytes(b"metrics: \xff\n")
    with pytest.raises(ProjectError, match="UTF-8"):
        settings(str(tmp_path))
    (tmp_path / "mlx.yaml").unlink()
    (tmp_path / "mlx.yaml").mkdir()
    with pytest.raises(ProjectError, match="cannot be read"):
        settings(str(tmp_path))


LOOK = """
import sys
from mlxkit.settings.load import settings
print(settings(sys.argv[1])["runs"]["record"], "pydantic" in sys.modules)
"""


def test_pydantic_is_imported_only_for_a_new_or_changed_file(tmp_path: Path) -> None:
    def look() -> str:
        argv = [sys.executable, "-c", LOOK, str(tmp_path)]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    assert look() == "True False"  # without the file
    (tmp_path / "mlx.yaml").write_text("runs: {record: false}\n")
    assert [look(), look()] == ["False True", "False False"]
    (tmp_path / "mlx.yaml").write_text("runs: {record: true}\n")
    assert [look(), look()] == ["True True", "True False"]
    (tmp_path / "mlx.yaml").write_text("runs: {record: false}\n")
    assert look() == "False False"


def test_a_damaged_memory_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "mlx.yaml").write_text("runs: {record: false}\n")
    memory = tmp_path / ".mlx" / "cache" / "settings.json"
    for damaged in ("", "[]", "{", '{"x": 1}'):
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(damaged)
        assert section(str(tmp_path), "runs")["record"] is False
    assert len(json.loads(memory.read_text())) == 2


def test_the_memory_does_not_grow_for_ever(tmp_path: Path) -> None:
    for number in range(20):
        settings_of(f"# {number}\n".encode(), "mlx.yaml", str(tmp_path))
    assert len(json.loads((tmp_path / ".mlx/cache/settings.json").read_text())) == 16


GATE = "gates: {{t: [{{size: {{path: {}, max: {}}}}}]}}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metrics: &m {a: *m}", "mlx.yaml: is nested too deeply"),
        (GATE.format("m", "0x" + "9" * 5000), "mlx.yaml: has a number that is too large"),
        ("? 0x" + "9" * 5000 + "\n: 1", "mlx.yaml: has a number that is too large"),
        (GATE.format("m", "9" * 400), "is not a size: 999"),
        (GATE.format("m", "9" * 400 + "G"), "is not a size: '999"),
        (GATE.format(r'"a\0b"', 1), r"mlx.yaml:1: has a control character: 'a\x00b'"),
        (r'gates: {"t\e[2J": []}', r"has a control character: 't\x1b[2J'"),
        (r'gates: {"\ud800": []}', r"has a control character: '\ud800'"),
    ],
)
def test_what_nobody_could_take_is_refused_at_once(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        _of(text, tmp_path)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 200


def test_any_number_of_errors_is_told_quickly(tmp_path: Path) -> None:
    text = "".join(f"k{number}: 1\n" for number in range(5000))
    with pytest.raises(ProjectError) as caught:
        _of(text, tmp_path)
    assert str(caught.value) == "mlx.yaml:1: there is an unknown key 'k0' (and 4999 more)"


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "mlx.yaml"
    os.mkfifo(path)
    with pytest.raises(ProjectError, match="cannot be read: it is neither a file nor a folder"):
        settings(str(tmp_path))
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ProjectError, match="cannot be read: it is neither a file nor a folder"):
        settings(str(tmp_path))
