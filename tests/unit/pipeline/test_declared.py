"""What the project's files declare, remembered; nothing that changed is missed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools
from tests.unit.pipeline.parts import digest

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.declared import Declared, load_declared

TEXT = """\
vars: [extra.yaml]
stages:
  train:
    cmd: train ${lr} ${depth}
    deps: [in]
    params: [lr]
    outs: [model]
  each:
    foreach: [a, b]
    do:
      cmd: make ${item}
      vars: [own.json]
      outs: ["${item}.out"]
metrics: [m.json]
params: [p.yaml]
"""


@pytest.fixture(scope="module")
def written_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with templates, and tracked data; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("written") / "project", tools)
    project.write("params.yaml", "lr: 1\n")
    project.write("extra.yaml", "depth: 3\n")
    project.write("own.json", "{}")
    project.write("in", "1\n")
    project.dvc("add", "-q", "in").ok()
    project.write("dvc.yaml", TEXT)
    return project.root


@pytest.fixture
def written(
    written_once: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A pipeline with templates, and tracked data; the current folder."""
    project = Project.copy(written_once, tmp_path / "project", tools)
    monkeypatch.chdir(project.root)
    return project


def read(project: Project) -> Declared:
    root = os.path.realpath(project.root)
    return load_declared(root, root, digest, 1 << 62)


def cmds(found: Declared) -> dict[str, Any]:
    return {one.address(found.root): one.cmd for one in found.stages}


def memory(project: Project) -> Path:
    return project.root / ".mlx/cache/declared.json"


def test_everything_that_is_declared(written: Project) -> None:
    found = read(written)
    assert cmds(found) == {
        "train": "train 1 3", "each@a": "make a", "each@b": "make b", "in.dvc": None
    }  # fmt: skip
    root = found.root
    assert found.groups == {f"{root}/dvc.yaml": ["each"]}
    assert (found.metrics, found.params) == ([f"{root}/m.json"], [f"{root}/p.yaml"])
    assert set(found.files) == {f"{root}/dvc.yaml", f"{root}/in.dvc"}
    assert found.config["core"].get("remote") is None


def test_what_is_remembered_is_the_same(written: Project) -> None:
    first = read(written)
    assert read(written) == first, "the folder of the memory itself is new"
    kept = memory(written).stat()
    assert read(written) == first
    now = memory(written).stat()
    assert (now.st_ino, now.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns), "not written again"


SCRIPT = """
import os, sys, time
from mlxkit.core.digest import md5_file
from mlxkit.pipeline.declared import load_declared
def digest(path):
    try:
        return md5_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
root = os.getcwd()
stages = load_declared(root, root, digest, time.time_ns()).stages
heavy = ('dvc', 'ruamel', 'voluptuous')
print(len(stages), *sorted(name for name in sys.modules if name.startswith(heavy)))
"""


def _in_a_process(project: Project) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=os.path.realpath(project.root),
        env=dict(project.tools.env),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def test_a_warm_start_imports_nothing_of_dvc(written: Project) -> None:
    assert "dvc.parsing" in _in_a_process(written)
    assert _in_a_process(written) == ["4"]
    written.write("in", "changed\n")
    written.write("dvc.lock", "schema: '2.0'\nstages: {}\n")
    assert _in_a_process(written) == ["4"], "data is not part of what is declared"


@pytest.mark.parametrize(
    "verb", [["status"], ["repro"], ["dag"], ["why", "train"], ["metrics", "show"]]
)
def test_commands_with_nothing_to_do_import_nothing_of_dvc(
    verb: list[str], trained_like: Project
) -> None:
    script = (
        "import sys\nfrom mlxkit.cli.app import run\n"
        f"assert run({verb!r}) == 0\n"
        "heavy = 'dvc dvc_data dvc_objects scmrepo ruamel networkx fsspec rich'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=trained_like.root,
        env=dict(trained_like.tools.env),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def trained_like(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project after a run."""
    project = Project.copy(template, tmp_path_factory.mktemp("warm") / "project", tools)
    project.write("in", "1\n")
    project.write("params.yaml", "lr: 1\n")
    stage = {"cmd": "cat in > model", "deps": ["in"], "params": ["lr"], "outs": ["model"]}
    project.pipeline({"train": stage})
    project.mlx("repro").ok()
    return project


CHANGES: dict[str, tuple[Callable[[Project], object], dict[str, Any]]] = {
    "the pipeline": (
        lambda project: project.write("dvc.yaml", TEXT.replace("train $", "fit $")),
        {"train": "fit 1 3"},
    ),
    "a parameter that a template uses": (
        lambda project: project.write("params.yaml", "lr: 2\n"),
        {"train": "train 2 3"},
    ),
    "a file of variables": (
        lambda project: project.write("extra.yaml", "depth: 4\n"),
        {"train": "train 1 4"},
    ),
    "a new folder with a pipeline": (
        lambda project: project.write("sub/dvc.yaml", "stages: {new: {cmd: x}}\n"),
        {"sub/dvc.yaml:new": "x"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_noticed(change: str, written: Project) -> None:
    before = cmds(read(written))
    do, expected = CHANGES[change]
    do(written)
    assert cmds(read(written)) == {**before, **expected}


def test_a_new_params_file_is_noticed(written: Project) -> None:
    """It was asked for and was not there: it counts as soon as it is."""
    written.sh("rm params.yaml")
    written.write("dvc.yaml", "stages:\n  s:\n    cmd: x ${lr}\n")
    with pytest.raises(ProjectError):
        read(written)
    written.write("dvc.yaml", "vars: [{lr: 5}]\nstages:\n  s:\n    cmd: x ${lr}\n")
    assert cmds(read(written))["s"] == "x 5"
    written.write("params.yaml", "lr: 6\n")
    with pytest.raises(ProjectError, match="lr"):  # DVC: the two disagree
        read(written)
    written.sh("rm params.yaml")
    assert cmds(read(written))["s"] == "x 5"


def test_a_params_file_in_the_stages_folder_is_noticed(written: Project) -> None:
    text = "stages:\n  s:\n    wdir: sub\n    vars: [v.yaml]\n    cmd: x ${v}\n"
    written.write("sub/v.yaml", "v: 1\n")
    written.write("dvc.yaml", text)
    assert cmds(read(written))["s"] == "x 1"
    written.write("sub/v.yaml", "v: 2\n")
    assert cmds(read(written))["s"] == "x 2"


def test_tracked_data_that_changed_is_noticed(written: Project) -> None:
    before = read(written)
    written.write("in", "22\n")
    written.dvc("add", "-q", "in").ok()
    after = read(written)
    records = [
        one.recorded["outs"][0]["size"]
        for found in (before, after)
        for one in found.stages
        if one.recorded
    ]
    assert records == [2, 3]


def test_a_changed_configuration_is_noticed(written: Project) -> None:
    assert read(written).config["core"].get("autostage") in (None, False)
    written.dvc("config", "core.autostage", "true").ok()
    assert read(written).config["core"]["autostage"] is True
    written.dvc("config", "--local", "core.autostage", "false").ok()
    assert read(written).config["core"]["autostage"] is False, "a file that was not there before"


def test_configuration_that_templates_use_is_noticed(written: Project) -> None:
    """How `true` is written into a command is an option of DVC's."""
    written.write("params.yaml", "lr: {flag: true}\n")
    text = "stages:\n  s:\n    cmd: x ${lr}\n"
    written.write("dvc.yaml", text)
    assert cmds(read(written))["s"] == "x --flag"
    written.dvc("config", "parsing.bool", "boolean_optional").ok()
    written.write("params.yaml", "lr: {flag: false}\n")
    assert cmds(read(written))["s"] == "x --no-flag"
    written.dvc("config", "--unset", "parsing.bool").ok()
    assert cmds(read(written))["s"].strip() == "x"


def test_the_users_own_configuration_is_noticed(
    written: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(written)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/config").write_text("[core]\n    autostage = true\n")
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "mine"))
    assert read(written).config["core"]["autostage"] is True


DAMAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\0\xff",
    b'{"format": 1}',
    b'{"format": 99, "files": 3}',
    b'"x"',
    b"3",
]


@pytest.mark.parametrize("damage", [None, *DAMAGE])
def test_a_memory_that_is_gone_or_damaged_is_made_anew(
    damage: bytes | None, written: Project
) -> None:
    expected = read(written)
    kept = json.loads(memory(written).read_bytes())
    if damage is None:
        memory(written).unlink()
    else:
        memory(written).write_bytes(damage)
    assert read(written) == expected
    assert json.loads(memory(written).read_bytes())["files"] == kept["files"]


def test_a_copied_project_does_not_trust_the_memory_of_the_first(written: Project) -> None:
    read(written)
    twin = written.twin("twin")
    twin.write("params.yaml", "lr: 9\n")
    found = read(twin)
    assert cmds(found)["train"] == "train 9 3"
    assert all(one.file.startswith(os.path.realpath(twin.root)) for one in found.stages)


def test_another_dvc_does_not_trust_the_memory_of_the_first(written: Project) -> None:
    read(written)
    kept = json.loads(memory(written).read_text())
    for file in kept["files"].values():
        file["data"].get("stages", {}).clear()
    kept["dvc"] = "another"
    memory(written).write_text(json.dumps(kept))
    assert "train" in cmds(read(written))


def test_a_project_that_cannot_be_written_can_be_read(written: Project) -> None:
    (written.root / ".mlx").write_text("in the way")
    assert "train" in cmds(read(written))


def test_values_that_json_cannot_hold_are_resolved_each_time(written: Project) -> None:
    """A date in `meta`: then there is no memory, and no wrong one."""
    written.write("dvc.yaml", "stages:\n  s:\n    cmd: x\n    meta: {day: 2024-01-01}\n")
    assert cmds(read(written))["s"] == "x"
    written.write("dvc.yaml", "stages:\n  s:\n    cmd: y\n    meta: {day: 2024-01-01}\n")
    assert cmds(read(written))["s"] == "y"


def test_what_lies_in_an_output_is_data(written: Project) -> None:
    written.write("model/dvc.yaml", "stages: {inner: {cmd: x}}\n")
    written.write("model/y.dvc", "nonsense: [")
    assert set(cmds(read(written))) == {"train", "each@a", "each@b", "in.dvc"}


def test_where_a_stage_is_declared(written: Project) -> None:
    found = read(written)
    where = {one.address(found.root): found.where(one) for one in found.stages}
    assert where == {
        "train": "dvc.yaml:3", "each@a": "dvc.yaml:8", "each@b": "dvc.yaml:8", "in.dvc": "in.dvc"
    }  # fmt: skip


@pytest.mark.parametrize(("name", "data", "where"), [
    ("dvc.yaml", b"stages:\n  a: [\n", "dvc.yaml:"),
    ("dvc.yaml", b"\xff\xfe", "dvc.yaml"),
    ("in.dvc", b"outs:\n- path: x\n  nonsense: 1\n", "in.dvc"),
    ("in.dvc", b"\0", "in.dvc"),
    ("sub/dvc.yaml", b"stages: {a: {cmd: x, deps: y}}\n", "sub/dvc.yaml:1"),
])  # fmt: skip
def test_a_bad_file_is_named_each_time(
    name: str, data: bytes, where: str, written: Project
) -> None:
    """Also after a good one was remembered, and until it is mended."""
    good = read(written)
    before = (written.root / name).read_bytes() if (written.root / name).exists() else None
    written.write(name, data)
    for _ in range(2):
        with pytest.raises(ProjectError) as caught:
            read(written)
        assert (caught.value.where or "").startswith(where)
        assert caught.value.exit_code == 4
    if before is None:
        (written.root / name).unlink()
    else:
        written.write(name, before)
    assert cmds(read(written)) == cmds(good)
