"""An experiment of mlx is what `dvc exp run --temp` makes: the same tree, under the same name."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.long import sampled
from tests.support.project import Project

Make = Callable[..., Project]

STAGES: dict[str, Any] = {
    "prep": {"cmd": "head -n ${n} raw.txt > clean.txt", "deps": ["raw.txt"], "outs": ["clean.txt"]},
    "split": {
        "cmd": "mkdir -p parts && cp clean.txt parts/a && echo b > parts/b",
        "deps": ["clean.txt"],
        "outs": ["parts"],
    },
    "train": {
        "cmd": "cat parts/a p.toml c.json params.yaml > model; echo 1 >> notes.txt; "
        "echo '{\"score\": 3}' > m.json; echo junk > junk.txt; echo x > sub/new; "
        "printf 'a,b\\n1,2\\n' > p.csv; echo '{\"t\": 1}' > top.json",
        "deps": ["parts/a", "sub"],
        "params": ["train", {"c.json": ["a.b"]}, {"p.toml": ["x"]}, {"p.py": ["RATE"]}],
        "outs": ["model"],
        "metrics": [{"m.json": {"cache": False}}],
        "plots": [{"p.csv": {"cache": False}}],
    },
    "go_on": {
        "cmd": "echo more >> kept",
        "params": ["train.lr"],
        "outs": [{"kept": {"persist": True}}],
    },
    "apart": {"cmd": "cat other.csv > o.txt", "deps": ["other.csv"], "outs": ["o.txt"]},
}


@pytest.fixture
def project(new_project: Make) -> Project:
    """A project where DVC, which reads the repository's own settings alone, knows its user."""
    made = new_project()
    made.git("config", "user.name", "Tester")
    made.git("config", "user.email", "tester@example.org")
    return made


@pytest.fixture
def sample(project: Project) -> Project:
    """Stages of many kinds, run once; committed but for some changes."""
    project.write("raw.txt", "1\n2\n3\n4\n5\n")
    project.write("other.csv", "1\n")
    project.write("params.yaml", "# about\nn: 3\ntrain:\n  lr: 0.1   # rate\n  depth: [1, 2]\n")
    project.write("c.json", '{"a": {"b": 1, "c": [1, 2]}}')
    project.write("p.toml", '# t\nx = 1  # x\n[t]\ny = "s"\n')
    project.write("p.py", "# p\nRATE = 1\nOTHER = 'a'\n")
    project.write("notes.txt", "notes\n")
    project.write("sub/old", "old\n")
    project.pipeline(STAGES, metrics=["top.json"])
    project.dvc("add", "other.csv").ok()
    project.tools.commit(project.root, "start")
    project.dvc("repro").ok()
    project.git("add", "-A")
    project.tools.commit(project.root, "run")
    project.write("notes.txt", "changed\n")
    project.write("untracked.txt", "x\n")
    project.write("staged.txt", "x\n")
    project.git("add", "staged.txt")
    return project


def _ref(project: Project, name: str) -> str:
    head = project.git("rev-parse", "HEAD").stdout.strip()
    return f"refs/exps/{head[:2]}/{head[2:]}/{name}"


def _tree(project: Project, name: str) -> str:
    return project.git("rev-parse", f"{_ref(project, name)}^{{tree}}").stdout.strip()


def _differences(one: Project, other: Project, name: str) -> str:
    other.git("fetch", "-q", str(one.root), f"{_ref(one, name)}:refs/theirs/{name}")
    return other.git("diff", f"refs/theirs/{name}", _ref(other, name)).stdout


CASES: dict[str, tuple[str, ...]] = {
    "keys": ("-S", "train.lr=1e-3", "-S", "+train.new={a: 1, b: [x, y]}", "-S", "~train.depth"),
    "nothing": (),
    "value": ("-S", "train.lr=0.5"),
    "target": ("split", "-S", "n=2"),
    "files": (
        *("-S", "c.json:a.b=2.5", "-S", "p.toml:x=7", "-S", "p.toml:t.y=other"),
        *("-S", "p.py:RATE=3", "-S", "n=4"),
    ),
    "single": ("-s", "train", "-S", "train.lr=3"),
    "downstream": ("--downstream", "split", "-S", "n=1", "-S", "train.lr=2"),
    "force": ("-f", "prep", "-S", "train.lr=2"),
}


@pytest.mark.parametrize("case", sampled(CASES, 4))
def test_the_tree_is_dvcs(sample: Project, case: str) -> None:
    twin = sample.twin("twin")
    sample.dvc("exp", "run", "--temp", "-n", "e", *CASES[case]).ok()
    before = twin.git("status", "--porcelain").stdout
    twin.mlx("exp", "run", "-n", "e", *CASES[case]).ok()
    assert _differences(sample, twin, "e") == ""
    assert _tree(sample, "e") == _tree(twin, "e")
    assert twin.git("status", "--porcelain").stdout == before


def test_changed_data_are_taken_along(sample: Project) -> None:
    sample.write("other.csv", "1\n2\n")
    twin = sample.twin("twin")
    sample.dvc("exp", "run", "--temp", "-n", "e").ok()
    twin.mlx("exp", "run", "-n", "e").ok()
    assert _differences(sample, twin, "e") == ""
    assert "other.csv.dvc" in twin.git("diff", "--name-only", "HEAD", _ref(twin, "e")).stdout
    assert twin.git("status", "--porcelain", "other.csv.dvc").stdout == ""


def test_paths_are_copied_as_by_dvc(sample: Project) -> None:
    sample.write("extra/in.txt", "in\n")
    sample.pipeline(
        {"use": {"cmd": "cat extra/in.txt > u", "deps": ["extra/in.txt"], "outs": ["u"]}}
    )
    sample.git("add", "dvc.yaml")
    twin = sample.twin("twin")
    refused = twin.mlx("exp", "run")
    assert refused.code == 1
    assert "'extra/in.txt' is not tracked by Git" in refused.stderr
    sample.dvc("exp", "run", "--temp", "-n", "e", "-C", "extra").ok()
    twin.mlx("exp", "run", "-n", "e", "--copy-paths", "extra").ok()
    assert _differences(sample, twin, "e") == ""


def test_a_project_in_a_subfolder(project: Project) -> None:
    project.write("top.txt", "top\n")
    project.git("rm", "-rq", ".dvc", ".dvcignore")
    project.sh("rm -rf .dvc; mkdir -p deep/er")
    project.dvc("init", "-q", "--subdir", cwd="deep").ok()
    project.write("deep/params.yaml", "k: 1\n")
    project.write("deep/er/.gitignore", "")
    stage = {
        "cmd": "cat ../../top.txt ../params.yaml > o",
        "deps": ["../../top.txt"],
        "params": [{"../params.yaml": ["k"]}],
        "outs": ["o"],
    }
    project.pipeline({"s": stage}, "deep/er/dvc.yaml")
    project.tools.commit(project.root, "start")
    twin = project.twin("twin")
    words = ("-n", "e", "-S", "../params.yaml:k=2")
    project.dvc("exp", "run", "--temp", *words, cwd="deep/er").ok()
    twin.mlx("exp", "run", *words, cwd="deep/er").ok()
    assert _differences(project, twin, "e") == ""
    twin.mlx("exp", "run", "s", "--sweep", "../params.yaml:k=3,4", "-j", "2", cwd="deep/er").ok()


def test_dvc_applies_what_mlx_made(sample: Project) -> None:
    sample.git("checkout", "-q", "HEAD", "--", ".")
    sample.git("rm", "-q", "--cached", "--ignore-unmatch", "staged.txt")
    made = sample.mlx("exp", "run", "-S", "train.lr=0.5", "--json").ok().json["experiments"][0]
    sample.dvc("exp", "apply", made["name"]).ok()
    assert "lr: 0.5" in sample.read("params.yaml")
    assert "lr: 0.5" in sample.read("model")
    assert "0.5" in sample.dvc("exp", "show", "--csv").ok().stdout
