"""What tools/dvc.py takes from DVC's inside: each test fails where DVC changes one of these."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import voluptuous
from dvc.schema import COMPILED_SINGLE_STAGE_SCHEMA
from hypothesis import given
from hypothesis import strategies as st
from tests.support.project import Project

from mlxkit.core.errors import ProjectError
from mlxkit.tools import dvc

TEMPLATED = """\
vars:
  - extra.yaml
  - late: 7
stages:
  train:
    cmd: train --lr ${lr} --late ${late} --depth ${depth}
    outs: [model]
  each:
    foreach: ${names}
    do:
      cmd: make ${item}
      outs: ["${item}.out"]
  grid:
    matrix:
      a: [1, 2]
      b: [x]
    cmd: grid ${item.a} ${item.b}
    outs: ["${key}.grid"]
  own:
    vars: [own.json]
    wdir: sub
    cmd: own ${mine}
    outs: [o]
metrics: ["${lr}.json"]
params: [p.yaml]
plots: [{"${lr}.csv": {x: a}}]
artifacts: {m: {path: model}}
datasets: [{name: d, type: dvc, url: u, path: p}]
"""


@pytest.fixture
def templated(inside: Project) -> Project:
    """A project whose `dvc.yaml` has every kind of template."""
    inside.write("params.yaml", "lr: 0.5\nnames: [one, two]\n")
    inside.write("extra.yaml", "depth: 3\n")
    inside.write("sub/own.json", '{"mine": 1}')
    inside.write("dvc.yaml", TEMPLATED)
    return inside


def _resolve(project: Project) -> tuple[dict[str, Any], list[str]]:
    path = os.path.join(os.path.realpath(project.root), "dvc.yaml")
    return dvc.resolve_project_file(os.path.dirname(path), {}, path, project.read("dvc.yaml"))


def test_the_resolver_gives_plain_stages_groups_and_top_level_lists(templated: Project) -> None:
    resolved, _ = _resolve(templated)
    assert list(resolved["stages"]) == [
        "train", "each@one", "each@two", "grid@1-x", "grid@2-x", "own"
    ]  # fmt: skip
    assert resolved["stages"]["train"]["cmd"] == "train --lr 0.5 --late 7 --depth 3"
    assert resolved["stages"]["each@two"] == {"cmd": "make two", "outs": ["two.out"]}
    assert resolved["stages"]["grid@2-x"]["outs"] == ["2-x.grid"]
    assert resolved["stages"]["own"] == {"wdir": "sub", "cmd": "own 1", "outs": ["o"]}
    assert resolved["groups"] == ["each", "grid"]
    assert resolved["metrics"] == ["0.5.json"]
    assert resolved["params"] == ["p.yaml"]
    assert resolved["plots"] == [{"0.5.csv": {"x": "a"}}]
    assert resolved["artifacts"] == {"m": {"path": "model"}}
    assert [one["name"] for one in resolved["datasets"]] == ["d"]
    assert json.loads(json.dumps(resolved)) == resolved, "plain data, fit to be remembered"


def test_the_resolver_gives_what_dvc_itself_runs(templated: Project) -> None:
    resolved, _ = _resolve(templated)
    listed = templated.dvc("stage", "list", "--name-only").ok().stdout.split()
    assert sorted(listed) == sorted(resolved["stages"])


def test_every_file_that_goes_in_is_reported(templated: Project) -> None:
    """A file that DVC reads past our file system would make the memory of `dvc.yaml` wrong."""
    script = (
        "import sys, os, json\n"
        "opened = set()\n"
        "def hook(event, args):\n"
        "    if event == 'open' and isinstance(args[0], (str, bytes)):\n"
        "        opened.add(os.path.abspath(os.fsdecode(args[0])))\n"
        "path = os.path.abspath('dvc.yaml')\n"
        "text = open(path).read()\n"
        "sys.addaudithook(hook)\n"
        "from mlxkit.tools import dvc\n"
        "_, asked = dvc.resolve_project_file(os.getcwd(), {}, path, text)\n"
        "print(json.dumps([sorted(opened), asked]))\n"
    )
    env = dict(templated.tools.env)
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True
    )
    opened, asked = json.loads(done.stdout)
    root = os.getcwd() + os.sep
    here = {path for path in opened if path.startswith(root)}
    assert {os.path.relpath(path) for path in here} == {
        "params.yaml", "extra.yaml", "sub/own.json"
    }  # fmt: skip
    assert here <= set(asked), f"DVC reads without asking: {here - set(asked)}"


def test_a_params_file_that_is_not_there_is_reported_too(inside: Project) -> None:
    inside.write("dvc.yaml", "stages: {a: {cmd: run}}\n")
    _, asked = _resolve(inside)
    assert os.path.abspath("params.yaml") in asked


@pytest.mark.parametrize(("text", "where", "words"), [
    ("stages:\n  a:\n    cmd: x\n    depz: [y]\n", "dvc.yaml:4", ["stages.a.depz"]),
    ("stages:\n  a:\n    cmd: x\n    deps: y\n", "dvc.yaml:4", ["stages.a.deps", "list"]),
    ("stages:\n  ok: {cmd: x}\n  a: {deps: [y]}\n", "dvc.yaml:3", ["cmd", "stages.a"]),
    ("stages:\n  ok: {cmd: x}\n  b:\n    cmd: ${nope}\n", "dvc.yaml:3", ["nope"]),
    ("stages:\n  b:\n    foreach: ${nope}\n    do: {cmd: x}\n", "dvc.yaml:2", ["nope"]),
    ("stages:\n  b:\n    foreach: [1]\n    do: {cmd: '${item.x}'}\n", "dvc.yaml:2", ["item.x"]),
    ("stages:\n  b:\n    cmd: ${a b}\n", "dvc.yaml:2", ["a b"]),
    ("stages:\n  a: {cmd: x}\n  ab: {cmd: '${nope}'}\n", "dvc.yaml:3", ["nope"]),
    ("vars: [gone.yaml]\nstages: {}\n", "dvc.yaml", ["gone.yaml"]),
])  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(
    text: str, where: str, words: list[str], inside: Project
) -> None:
    inside.write("dvc.yaml", text)
    with pytest.raises(ProjectError) as caught:
        _resolve(inside)
    assert (caught.value.where or "").startswith(where), str(caught.value)
    for word in words:
        assert word in caught.value.message, caught.value.message
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_value_that_templates_cannot_hold_is_told_as_well(inside: Project) -> None:
    """A date in `params.yaml`: DVC itself says it with a traceback."""
    inside.write("params.yaml", "day: 2024-01-01\n")
    inside.write("dvc.yaml", "stages:\n  a: {cmd: x}\n")
    with pytest.raises(ProjectError, match=r"params\.yaml:day"):
        _resolve(inside)


@pytest.mark.parametrize(
    "text", ["outs:\n- md5: a\n  pth: x\n", "outs: 3\n", "- a\n", "cmd: [x, {}]\n"]
)
def test_a_bad_dvc_file_is_told_with_its_name(text: str, inside: Project) -> None:
    with pytest.raises(ProjectError) as caught:
        dvc.resolve_data_file(os.path.abspath("x.dvc"), text)
    assert (caught.value.where or "").startswith("x.dvc")


def test_a_dvc_file_keeps_all_that_it_says(inside: Project) -> None:
    inside.write("data.csv", "1\n")
    inside.dvc("add", "data.csv").ok()
    inside.write("data.csv.dvc", inside.read("data.csv.dvc") + "  desc: numbers\n")
    data = dvc.resolve_data_file(os.path.abspath("data.csv.dvc"), inside.read("data.csv.dvc"))
    (out,) = data["outs"]
    assert (out["path"], out["hash"], out["size"]) == ("data.csv", "md5", 2)
    assert out["desc"] == "numbers"


def test_the_configuration_and_the_files_it_comes_from(inside: Project) -> None:
    inside.dvc("config", "core.autostage", "true").ok()
    inside.dvc("config", "--local", "cache.type", "hardlink,copy").ok()
    inside.dvc("remote", "add", "-d", "store", "../store").ok()
    values, files = dvc.load_config(str(inside.root))
    assert values["core"]["autostage"] is True
    assert values["core"]["remote"] == "store"
    assert values["cache"]["type"] == ["hardlink", "copy"]
    assert values["remote"]["store"]["url"] == str(inside.root.parent / "store")
    names = [os.path.relpath(path) for path in files]
    assert {".dvc/config", ".dvc/config.local"} <= set(names)
    assert len(files) == 4, "with the system's and the user's, present or not"


def test_the_cache_folder_is_absolute(inside: Project) -> None:
    inside.dvc("cache", "dir", "../shared").ok()
    values, _ = dvc.load_config(str(inside.root))
    assert values["cache"]["dir"] == str(inside.root.parent / "shared")


def test_a_broken_configuration_is_a_project_error(inside: Project) -> None:
    inside.write(".dvc/config", "[core\n")
    with pytest.raises(ProjectError, match="configuration is invalid"):
        dvc.load_config(str(inside.root))
    inside.write(".dvc/config", "[core]\n    nonsense = 1\n")
    with pytest.raises(ProjectError, match="nonsense"):
        dvc.load_config(str(inside.root))


def test_every_variable_that_moves_the_configuration_is_known(
    inside: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = dvc.config_signature()
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "elsewhere"))
    _, files = dvc.load_config(str(inside.root))
    assert str(tmp_path / "elsewhere" / "config") in files
    assert dvc.config_signature() != before


def test_the_ignore_rules(inside: Project) -> None:
    inside.write(".dvcignore", "*.tmp\n/secret\n!keep.tmp\n")
    inside.write("sub/.dvcignore", "inner\n")
    keep = dvc.ignore_filter(str(inside.root))
    root = str(inside.root)
    assert keep(root, ["secret", "sub"], ["a.tmp", "keep.tmp", "b"]) == (["sub"], ["keep.tmp", "b"])
    assert keep(os.path.join(root, "sub"), ["secret"], ["inner", "b"]) == (["secret"], ["b"])
    assert keep(root, [".git", ".dvc", ".hg"], ["b"]) == ([], ["b"]), "DVC's own rules"


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("p.toml", "[a]\nb = 1\n", {"a": {"b": 1}}),
    ("p.py", "A = (1, 2)\nclass B:\n    c = 'x'\n", {"A": (1, 2), "B": {"c": "x"}}),
    ("p.json", '{"a": [1]}', {"a": [1]}), ("p.yaml", "a: 1\n", {"a": 1}),
])  # fmt: skip
def test_parameter_files_of_every_kind(
    name: str, text: str, expected: Any, inside: Project
) -> None:
    inside.write(name, text)
    assert dvc.parse_parameters(os.path.abspath(name)) == expected


@pytest.mark.parametrize(("name", "text"), [
    ("p.toml", "a ="), ("p.py", "def ("), ("p.json", "{"), ("p.yaml", "a: ["),
])  # fmt: skip
def test_a_broken_parameter_file_is_a_project_error(name: str, text: str, inside: Project) -> None:
    inside.write(name, text)
    with pytest.raises(ProjectError) as caught:
        dvc.parse_parameters(os.path.abspath(name))
    assert caught.value.where == name


def test_the_installed_version_is_known_without_an_import() -> None:
    script = (
        "import sys; from mlxkit.tools import dvc\n"
        "print(dvc.signature()); assert 'dvc' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    spec = find_spec("dvc")
    assert spec is not None and spec.origin is not None
    assert done.stdout.startswith(spec.origin)
    version = Path(spec.origin).parent / "_version.py"
    assert "3.67" in version.read_text(), "the file that changes with every release"


def test_handing_over_and_asking_quietly(
    inside: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert dvc.hand_over(["root"]) == 0
    assert capfd.readouterr().out == ".\n"
    code, said = dvc.capture(["no-such-verb"])
    assert code == 254
    assert said
    assert capfd.readouterr().out == ""


_VALUES = st.one_of(
    st.sampled_from(["d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E.dir"]),
    st.sampled_from(["d41d8cd98f00b204e9800998ecf8427e.dir", "md5", "data", "", True, None]),
    st.integers(0, 9),
    st.floats(0, 9),
)
_OUTS = st.lists(
    st.dictionaries(
        st.sampled_from(["md5", "size", "nfiles", "isexec", "hash", "path", "cache", "odd"]),
        _VALUES,
    ),
    max_size=2,
)


@given(st.dictionaries(st.sampled_from(["outs", "outs", "wdir", "meta"]), _OUTS | _VALUES))
def test_a_dvc_file_is_valid_where_dvc_s_schema_says_so(data: dict[str, Any]) -> None:
    try:
        wanted = COMPILED_SINGLE_STAGE_SCHEMA(data)
    except voluptuous.MultipleInvalid:
        with pytest.raises(ProjectError):
            dvc.resolve_data_file(os.path.abspath("x.dvc"), json.dumps(data))
    else:
        found = dvc.resolve_data_file(os.path.abspath("x.dvc"), json.dumps(data))
        assert found == wanted


def test_what_dvc_add_writes_needs_no_schema() -> None:
    text = "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: md5\n  path: a\n"
    script = (
        "import sys; from mlxkit.tools import dvc;"
        f"dvc.resolve_data_file('a.dvc', {text!r}); assert 'voluptuous' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
