"""`mlx report` on real repositories: branches that improve, worsen, add, remove; bad input."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

from mlxkit.reports.fit import LIMIT, size

MLX_YAML = """\
metrics: {acc: {better: higher}}
gates:
  test:
    - threshold: {metric: "m.json:acc", min: 0.5}
    - base: {metric: "m.json:acc", against: main, lose: 0.05}
  deployment:
    - slices: {file: slices.json, metric: acc, worst: 0.4, least_rows: 100}
"""
KEYS = {
    "project", "base", "head", "headline", "gates", "metrics", "slices", "params", "data",
    "stages", "costs", "lineage", "notes",
}  # fmt: skip


def slices(female: float, male: float, rare: float = 0.1) -> str:
    sides = {"f": (female, 812), "m": (male, 900), "x": (rare, 7)}
    return json.dumps({"sex": {name: {"acc": acc, "rows": n} for name, (acc, n) in sides.items()}})


def measure(project: Project, acc: float | None = None, **cut: float) -> None:
    if acc is not None:
        project.write("in.json", json.dumps({"acc": acc, "n": 10}))
    if cut:
        project.write("cut.json", slices(**cut))
    project.mlx("repro", "-q").ok()


@pytest.fixture(scope="module")
def reported_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.copy(template, tmp_path_factory.mktemp("report") / "project", tools)
    project.pipeline(
        {
            "train": {
                "cmd": "mkdir -p models; cat table.csv params.yaml > models/m.txt",
                "deps": ["table.csv"], "params": ["lr"], "outs": ["models/m.txt"],
            },
            "measure": {
                "cmd": "cp in.json m.json",
                "deps": ["in.json", "models/m.txt"], "metrics": [{"m.json": {"cache": False}}],
            },
            "cut": {
                "cmd": "cp cut.json slices.json", "deps": ["cut.json"], "metrics": ["slices.json"]
            },
        }
    )  # fmt: skip
    project.write("params.yaml", "lr: 0.1\n")
    project.write("table.csv", "age,name\n" + "".join(f"{20 + one},n\n" for one in range(20)))
    project.dvc("add", "-q", "table.csv").ok()
    project.write("mlx.yaml", MLX_YAML)
    measure(project, 0.8, female=0.5, male=0.6)
    tools.commit(project.root, "measured")
    return project.root


@pytest.fixture
def project(reported_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A project that was measured and committed on main, on a new branch."""
    made = Project.copy(reported_once, tmp_path / "project", tools)
    made.git("checkout", "-q", "-b", "change")
    return made


def document(project: Project, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = project.mlx("report", "--json", *args).ok().json
    assert found.keys() == KEYS
    return found


def test_a_branch_that_improves(project: Project) -> None:
    project.write("params.yaml", "lr: 0.2\n")
    project.write("table.csv", "age,name\n" + "".join(f"{30 + one},n\n" for one in range(25)))
    project.dvc("add", "-q", "table.csv").ok()
    measure(project, 0.85)
    project.tools.commit(project.root, "better")
    told = project.mlx("report").ok()
    assert told.stderr == ""
    first, sides, *_ = told.stdout.split("\n\n")
    assert first == "## ✅ All 2 gates passed — acc (m.json) 0.8 → 0.85, better"
    assert sides.startswith("`change` (`")
    assert "against `main`" in sides
    assert "| `acc` ↑ | 0.8 | 0.85 | +0.05 (+6.2%) | 🟢 better | `m.json` |" in told.stdout
    assert "| `lr` | `0.1` | `0.2` | `params.yaml` |" in (told.stdout)
    assert "| `table.csv` | 20 | 25 | `age` mean 29.5 → 42 (+2.17 σ) |" in (told.stdout)
    assert "| `train` | ran | changed: table.csv; parameter lr (0.1 → 0.2) | 1 |" in (told.stdout)
    assert "```mermaid\nflowchart LR\n" in told.stdout
    found = document(project)
    head = project.git("rev-parse", "HEAD", "main").stdout.split()
    assert [found["head"]["commit"], found["base"]["commit"]] == head
    assert found["gates"]["passed"] is True
    (acc,) = found["metrics"]["changed"]
    assert (acc["name"], acc["old"], acc["new"], acc["better"]) == ("acc", 0.8, 0.85, True)
    assert [one["path"] for one in found["data"]["files"]] == ["models/m.txt", "table.csv"]
    assert [one["stage"] for one in found["stages"]] == ["train", "measure"]
    assert all(one["run"] for one in found["stages"])
    assert {one["stage"] for one in found["costs"]["stages"]} == {"train", "measure", "cut"}
    assert found["lineage"]["path"] == "m.json"


def test_a_branch_that_worsens_a_slice(project: Project) -> None:
    measure(project, female=0.35, male=0.7, rare=0.05)
    project.tools.commit(project.root, "worse for women")
    told = project.mlx("report").ok().stdout
    why = "slices.json: acc of sex=f is 0.35, minimum 0.4 (812 rows); 1 with less than 100 rows"
    assert told.startswith(f"## ❌ Gate deployment failed — {why} not judged\n")
    assert f"| deployment | slices | ❌ fail | {why}" in told
    assert "| `acc` ↑ | `sex=f` 0.5 | `sex=f` 0.35 | `slices.json` |" in told
    worse = "`sex=f` | `acc` ↑ | 0.5 | 0.35 | -0.15 (-30.0%) | 🔴 worse | 812 |"
    assert worse in told
    assert told.index(worse) < told.index("1 more slice that got worse, small ones last")
    assert "No metric changed: 2 are the same" in told
    # The gates judged once: the verdicts, and the same report made of them.
    done = project.mlx("gate", "--report", "../report.md")
    assert (done.code, "deployment: failed" in done.stdout) == (3, True)
    assert (project.root.parent / "report.md").read_text() == told
    only = document(project, "--gate", "test")
    assert [one["gate"] for one in only["gates"]["verdicts"]] == ["test", "test"]
    assert only["headline"]["change"] == "acc of sex=f 0.5 → 0.35, worse"
    # A change that passes because it asks for less says so.
    project.write("mlx.yaml", MLX_YAML.replace("worst: 0.4", "worst: 0.3"))
    project.tools.commit(project.root, "ask for less")
    eased = project.mlx("report").ok().stdout
    assert eased.startswith(
        "## ✅ All 2 gates passed, by other rules than at the base — acc of sex=f"
    )
    assert "| slices `slices.json:acc` | deployment | worst 0.4 | worst 0.3 |" in eased


def test_a_metric_that_is_gone_and_a_stage_that_is_new(project: Project) -> None:
    project.write("in.json", '{"n": 10}')
    text = project.read("dvc.yaml")
    project.write(
        "dvc.yaml", text + "  extra:\n    cmd: echo 1 > extra.txt\n    outs: [extra.txt]\n"
    )
    project.mlx("repro", "-q").ok()
    project.tools.commit(project.root, "no acc")
    told = project.mlx("report").ok().stdout
    assert told.startswith("## ❌ Gate test failed — m.json has no 'acc' (and 1 more)\n")
    assert "| `acc` ↑ | 0.8 | – |  | 🔴 gone | `m.json` |" in told
    assert "| `extra` | ran | new stage | 1 |" in told
    back = project.mlx("report", "--rev", "main", "--base", "HEAD").ok().stdout
    assert "| `acc` ↑ | – | 0.8 |  | new | `m.json` |" in back
    assert "| `extra` | gone | no longer there | 0 |" in back


def test_a_working_tree_with_changes_is_what_is_judged(project: Project) -> None:
    measure(project, 0.6)
    told = project.mlx("report").ok().stdout
    assert (
        "What is judged is the working tree, not yet committed (3 files changed), against" in told
    )
    assert told.startswith("## ❌ Gate test failed — acc 0.6, main has 0.8: -0.2, may lose 0.05\n")
    assert "against `HEAD`" in told
    assert document(project)["head"]["commit"] is None
    assert "✅" in project.mlx("report", "--rev", "HEAD").ok().stdout


def test_stages_that_are_behind_are_told(project: Project) -> None:
    project.write("params.yaml", "lr: 0.3\n")
    project.mlx("repro", "-q", "train").ok()
    project.tools.commit(project.root, "half of it")
    (note,) = document(project)["notes"]
    assert note.startswith("1 stage read something else than what is recorded now (measure), so")


def test_the_base_is_the_commit_before_on_main_and_may_be_none(project: Project) -> None:
    project.git("checkout", "-q", "main")
    found = document(project)
    assert found["base"]["name"] == "main~1"
    assert found["base"]["subject"] == "start"
    first = project.git("rev-list", "--max-parents=0", "HEAD").stdout.strip()
    told = project.mlx("report", "--rev", first).ok().stdout
    assert "## ⚪ No gates — there is nothing to compare with" in told
    assert "this is the first commit: there is nothing to compare with" in told
    assert "There are no metrics." in told


def test_what_cannot_be_done(project: Project) -> None:
    for args in (["--base", "nowhere"], ["--base", ""], ["--rev", "nowhere"], ["--gate", "tets"]):
        assert project.mlx("report", *args).code == 2
    assert project.mlx("gate", "--base", "").code == 2, "a variable that is not set"
    assert "did you mean 'test'?" in project.mlx("report", "--gate", "tets").stderr
    both = project.mlx("report", "--json", "--format", "html")
    assert (both.code, "two forms" in both.stderr or "two forms" in both.stdout) == (2, True)
    lost = project.mlx("report", "-o", "m.json/report.md")
    assert (lost.code, "m.json/report.md cannot be written" in lost.stderr) == (1, True)
    project.write("mlx.yaml", "gates: {test: [{treshold: {}}]}\n")
    assert project.mlx("report").code == 4


def test_without_data_it_says_what_to_do(project: Project) -> None:
    project.sh("rm -rf .dvc/cache .mlx slices.json models")
    told = project.mlx("report").ok().stdout
    assert told.startswith("## ⚠️ Gate deployment could not be judged — slices.json is not here")
    assert "mlx pull" in told
    assert "<b>test</b>: ✅ passed" in told, "what can be judged is"
    done = project.mlx("gate", "--report", "../report.md")
    assert (done.code, done.stdout) == (1, "")
    assert "slices.json is not here" in done.stderr and "mlx pull" in done.stderr
    assert (project.root.parent / "report.md").read_text() == told


def test_names_of_others_are_no_markup_and_nothing_is_too_long(project: Project) -> None:
    nasty = {f"<!-- x --> @ann #{one} |`*_ {'y' * 60}": one + 0.5 for one in range(3000)}
    project.write("in.json", json.dumps({"acc": 0.8, **nasty}))
    measure(project)
    project.tools.commit(project.root, "many\n\n<!-- mlx:report --> @bo #7")
    told = project.mlx("report").ok().stdout
    assert size(told) <= LIMIT
    assert "<!--" not in told
    assert "@ann" not in told
    assert "Cut to fit a comment" in told


def test_a_page_needs_nothing_else(project: Project) -> None:
    measure(project, 0.81)
    project.tools.commit(project.root, "<script>alert(1)</script>")
    done = project.mlx("report", "--format", "html", "-o", "report.html").ok()
    assert done.stderr == "wrote report.html\n"
    page = project.read("report.html")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'class="verdict passed"' in page
    assert "default-src 'none'" in page
    assert "</svg>" in page, "the lineage"
