"""The environment as an input: `meta: {mlx: {env: true}}`, `mlx env show` and `mlx env diff`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools
from tests.support.venv import Venv

from .conftest import Outcomes

# What the stage makes depends on what is installed.
TRAIN = "v/bin/python train.py"
SCRIPT = """\
import importlib.metadata
with open("in") as source, open("model", "w") as model:
    model.write(source.read() + importlib.metadata.version("scikit-learn"))
"""


class Lab:
    """A project whose stage runs in a virtual environment of its own."""

    def __init__(self, project: Project, cmd: str = TRAIN) -> None:
        self.project = project
        self.venv = Venv.make(project.root / "v")
        self.venv.install("scikit_learn", "1.5.0")
        project.write(".gitignore", "/v\n")
        project.write("in", "in ")
        project.write("train.py", SCRIPT)
        meta = {"mlx": {"env": True}}
        stage = {"cmd": cmd, "deps": ["in"], "outs": ["model"], "meta": meta}
        use = {"cmd": "cat model > use", "deps": ["model"], "outs": ["use"]}
        project.pipeline({"train": stage, "use": use})

    def reasons(self, verb: str = "status") -> list[dict[str, Any]]:
        (train, *_) = self.project.mlx(verb, "--json").ok().json["stages"]
        found: list[dict[str, Any]] = train["reasons"]
        return found


@pytest.fixture
def lab(project: Project, repro: Outcomes) -> Lab:
    """A lab after its first run."""
    found = Lab(project)
    assert repro(project) == {"train": "ran", "use": "ran"}
    return found


UPGRADE = [{"kind": "env-changed", "what": "scikit-learn", "detail": "1.5.0 -> 1.6.1"}]


def test_an_upgrade_makes_the_stage_stale_everywhere(lab: Lab, repro: Outcomes) -> None:
    project = lab.project
    assert project.mlx("status", "--check").ok().stdout == "up to date: 2 stages\n"
    lab.venv.install("scikit_learn", "1.6.1")
    assert lab.reasons() == UPGRADE
    text = "environment changed: scikit-learn (1.5.0 -> 1.6.1)"
    assert text in project.mlx("status").stdout
    assert text in project.mlx("why", "train").ok().stdout
    assert project.mlx("status", "--check").code == 3
    dry = project.mlx("repro", "--dry", "--json").ok().json["stages"]
    assert [(one["outcome"], one["reasons"][0]["kind"]) for one in dry] == [
        ("ran", "env-changed"),
        ("ran", "upstream"),
    ]
    assert repro(project, "--dry") == {"train": "ran", "use": "ran"}
    assert repro(project) == {"train": "ran", "use": "ran"}
    assert project.read("use") == "in 1.6.1"
    assert lab.reasons() == []
    why = project.mlx("why", "train", "--json").ok().json
    assert why["last"]["reasons"] == UPGRADE


def test_the_run_cache_gives_back_only_what_this_environment_made(
    lab: Lab, repro: Outcomes
) -> None:
    """Back to an environment that ran: its own result; one that never did: none of the others'."""
    project = lab.project
    lab.venv.install("scikit_learn", "1.6.1")
    assert repro(project)["train"] == "ran"
    lab.venv.install("scikit_learn", "1.5.0")
    assert [one["kind"] for one in lab.reasons()] == ["env-changed"]
    assert repro(project) == {"train": "restored", "use": "restored"}
    assert project.read("use") == "in 1.5.0"
    lab.venv.install("scikit_learn", "1.7.0")
    assert repro(project)["train"] == "ran"
    assert project.read("use") == "in 1.7.0"


def test_outputs_of_another_branch_were_made_by_their_own(lab: Lab, repro: Outcomes) -> None:
    project = lab.project
    project.tools.commit(project.root, "with 1.5.0")
    project.git("checkout", "-q", "-b", "upgrade")
    lab.venv.install("scikit_learn", "1.6.1")
    repro(project)
    project.tools.commit(project.root, "with 1.6.1")
    project.git("checkout", "-q", "main")
    project.mlx("checkout").ok()
    assert lab.reasons() == UPGRADE
    project.git("checkout", "-q", "upgrade")
    project.mlx("checkout").ok()
    assert lab.reasons() == []


def test_only_missing_outputs_come_back(lab: Lab, repro: Outcomes) -> None:
    project = lab.project
    (project.root / "model").unlink()
    assert repro(project, "train") == {"train": "restored"}
    (project.root / "model").unlink()
    lab.venv.install("scikit_learn", "1.6.1")
    assert {one["kind"] for one in lab.reasons()} == {"env-changed", "out-missing"}
    assert repro(project, "train") == {"train": "ran"}


def test_a_failed_run_changes_nothing_of_what_is_known(lab: Lab, repro: Outcomes) -> None:
    project = lab.project
    lab.venv.install("scikit_learn", "1.6.1")
    project.write("train.py", "raise SystemExit(1)\n")
    assert repro(project, "train", code=1) == {"train": "failed"}
    assert lab.reasons() == UPGRADE


@pytest.mark.parametrize("forget", [".mlx", ".mlx/cache", ".mlx/env"])
def test_what_is_forgotten_here_is_on_record_in_git(forget: str, lab: Lab) -> None:
    lab.project.sh(f"rm -rf {forget}")
    assert lab.reasons() == []
    lab.venv.install("scikit_learn", "1.6.1")
    lab.project.sh(f"rm -rf {forget}")
    assert lab.reasons() == UPGRADE


def test_in_a_clone_the_records_tell(lab: Lab, tools: Tools, tmp_path: Path) -> None:
    project = lab.project
    project.tools.commit(project.root, "trained")
    clone = Project(tmp_path / "clone", tools)
    tools.git(tmp_path, "clone", "-q", str(project.root), "clone")
    venv = Venv.make(clone.root / "v")
    venv.install("scikit_learn", "1.6.1")
    (train, *_) = clone.mlx("status", "--json").ok().json["stages"]
    assert "env-changed" not in {one["kind"] for one in train["reasons"]}, "nobody knows"
    clone.git("fetch", "-q", "origin", "refs/mlx/runs:refs/mlx/runs")
    (train, *_) = clone.mlx("status", "--json").ok().json["stages"]
    assert UPGRADE[0] in train["reasons"]
    venv.install("scikit_learn", "1.5.0")
    (train, *_) = clone.mlx("status", "--json").ok().json["stages"]
    assert "env-changed" not in {one["kind"] for one in train["reasons"]}


def test_in_a_project_below_the_repository_s_top(
    tools: Tools, repository: Project, repro: Outcomes
) -> None:
    inner = Project(repository.root / "ml", tools)
    inner.root.mkdir()
    inner.dvc("init", "-q", "--subdir").ok()
    lab = Lab(inner)
    repro(inner)
    inner.sh("rm -rf .mlx")
    lab.venv.install("scikit_learn", "1.6.1")
    assert lab.reasons() == UPGRADE


def test_a_stage_that_does_not_ask_does_not_care(project: Project, repro: Outcomes) -> None:
    lab = Lab(project)
    text = project.read("dvc.yaml").replace("env: true", "env: false")
    project.write("dvc.yaml", text)
    repro(project)
    lab.venv.install("scikit_learn", "1.6.1")
    assert lab.reasons() == []
    assert not (project.root / ".mlx" / "env").exists()
    # Asked for afterwards, the record of the run tells.
    project.write("dvc.yaml", text.replace("env: false", "env: true"))
    assert lab.reasons() == UPGRADE


def test_status_starts_nothing_that_came_with_the_repository(lab: Lab) -> None:
    """Who looks at a stranger's clone must not run the stranger's programs."""
    project = lab.project
    (lab.venv.python).unlink()
    project.write("v/bin/python", "#!/bin/sh\ntouch started\n", 0o755)
    for verb in ("status", "why"):
        project.mlx(verb, *(["train"] if verb == "why" else [])).ok()
    assert not (project.root / "started").exists()


@pytest.mark.parametrize("value", ["maybe", "1", "[]"])
def test_nonsense_is_refused_with_its_place(value: str, project: Project) -> None:
    text = f"stages:\n  s:\n    cmd: echo\n    meta:\n      mlx:\n        env: {value}\n"
    project.write("dvc.yaml", text)
    result = project.mlx("status")
    assert result.code == 4
    assert "dvc.yaml:2: stage 's': `meta.mlx.env` is neither true nor false" in result.stderr


# mlx env


def test_show(lab: Lab) -> None:
    text = lab.project.mlx("env", "show", "train").ok().stdout
    assert "scikit-learn  1.5.0\n" in text and text.endswith("1 distribution\n")
    document = lab.project.mlx("env", "show", "train", "--json").ok().json
    assert document.keys() == {
        *("run", "stage", "env", "format", "python", "platform", "distributions", "cuda", "conda")
    }
    assert (document["stage"], document["distributions"]) == ("train", {"scikit-learn": "1.5.0"})
    by_id = lab.project.mlx("env", "show", document["run"][:6], "--json").ok().json
    assert by_id == document
    now = lab.project.mlx("env", "show", "--json").ok().json
    assert (now["run"], now["stage"]) == (None, None)
    assert "pytest" in now["distributions"], "the python on the PATH, which runs these tests"


def test_diff(lab: Lab, repro: Outcomes) -> None:
    project = lab.project
    first = project.mlx("env", "show", "train", "--json").ok().json["run"]
    assert project.mlx("env", "diff", "train").ok().stdout.startswith("the same environment: ")
    lab.venv.install("scikit_learn", "1.6.1")
    lab.venv.install("new", "2")
    repro(project)
    lab.venv.remove("new")
    document = project.mlx("env", "diff", first[:10], "train", "--json").ok().json
    assert document.keys() == {"same", "before", "after", "differences"}
    assert document["same"] is False and document["before"]["run"] == first
    told = {"kind": "distribution", "name": "new", "change": "added", "before": None, "after": "2"}
    assert document["differences"][0] == told
    assert [one["change"] for one in document["differences"]] == ["added", "changed"]
    text = project.mlx("env", "diff", "train", ".").ok().stdout
    assert text.splitlines()[1:] == ["new  - 2", "1 removed"]
    assert "now, for train" in text


BAD = {
    ("show", "nothing"): (2, "there is no stage or run 'nothing'"),
    ("show", "abcd"): (2, "there is no run 'abcd' on record"),
    ("show", "use"): (1, "has no environment on record"),
    ("diff",): (2, "Missing argument"),
    ("diff", "train", "zz"): (2, "there is no stage or run 'zz'"),
}


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_bad_input(args: tuple[str, ...], lab: Lab) -> None:
    code, message = BAD[args]
    result = lab.project.mlx("env", *args)
    assert (result.code, result.stdout) == (code, ""), str(result)
    assert message in result.stderr and "hint: " in result.stderr
    assert "error" in json.loads(lab.project.mlx("env", *args, "--json").stdout)


def test_a_stage_that_never_ran(new_project: Callable[..., Project]) -> None:
    lab = Lab(new_project("other"))
    result = lab.project.mlx("env", "diff", "train")
    assert result.code == 1 and "no run of 'train' is on record" in result.stderr
