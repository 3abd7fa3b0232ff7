"""The entry of a stage in `dvc.lock`: what DVC itself would write for the same files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlxkit.core.yaml import dumps
from mlxkit.pipeline.session import RunSession
from mlxkit.project import open_for_run

STAGES: dict[str, Any] = {
    "plain": {"cmd": "run", "deps": ["in"], "outs": ["out"]},
    "no deps": {"cmd": "run", "outs": ["out2"]},
    "only deps": {"cmd": ["run", "again"], "deps": ["in", "dir"]},
    "text with lines": {"cmd": "one\ntwo\n", "deps": ["in"], "outs": ["lines"]},
    "order": {"cmd": "run", "deps": ["z", "a", "dir/n", "in"], "outs": ["o/z", "o/a", "o-1"]},
    "odd paths": {"cmd": "run", "deps": ["./in", "dir/../z", "dir/"], "outs": ["./odd", "odir/"]},
    "folders": {"cmd": "run", "deps": ["dir"], "outs": ["odir2", "empty"]},
    "executable": {"cmd": "run", "deps": ["tool"], "outs": ["made-tool"]},
    "kinds": {
        "cmd": "run",
        "deps": ["in"],
        "outs": [{"kept": {"persist": True}}, {"free": {"cache": False}}],
        "metrics": [{"m.json": {"cache": False}}],
        "plots": [{"p.csv": {"x": "a"}}],
    },
    "params": {
        "cmd": "run",
        "params": ["z", "a.b", {"zz.toml": ["t.x"]}, {"aa.json": None}, "list", {"p.py": ["T"]}],
        "outs": ["params-out"],
    },
    "whole default": {"cmd": "run", "params": [{"params.yaml": None}], "outs": ["whole"]},
    "below": {"cmd": "run", "wdir": "sub", "deps": ["../in"], "params": ["s"], "outs": ["here"]},
    "absolute": {"cmd": "run", "deps": ["{root}/in"], "outs": ["{root}/absolute"]},
    "ümläut": {"cmd": "echo 'ä'", "deps": ["d ä"], "outs": ["ö ü"]},
}
FILES = {
    "in": "1\n", "z": "z", "a": "", "dir/x": "x", "dir/n/y": "y", "tool": "#!", "made-tool": "#!",
    "out": "o",
    "out2": "o", "lines": "l", "o/z": "1", "o/a": "2", "o-1": "3", "odd": "4", "odir/x": "5",
    "odir2/n/x": "6",
    "kept": "k", "free": "f", "m.json": "{}", "p.csv": "a\n1\n", "params-out": "", "whole": "",
    "sub/here": "h",
    "absolute": "abs", "d ä": "1", "ö ü": "2",
    "params.yaml": "z: 1\na: {b: [1, 2.50, null, true], c: 3}\nlist: [{x: 1}]\n",
    "zz.toml": "[t]\nx = 1.0\n", "aa.json": '{"b": {"z": 1, "a": "é"}, "a": 1e3}',
    "p.py": "T = (1, 2)\n",
    "sub/params.yaml": "s: {deep: x}\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, RunSession]]:
    """One project, opened by DVC and by us."""
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("entries").resolve()
    Repo.init(str(root), no_scm=True).close()
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path in ("tool", "made-tool"):
        (root / path).chmod(0o755)
    (root / "empty").mkdir()
    text = yaml.safe_dump({"stages": STAGES}, sort_keys=False, allow_unicode=True)
    (root / "dvc.yaml").write_text(text.replace("{root}", str(root)))
    before = os.getcwd()
    os.chdir(root)
    repo = Repo(str(root))
    with open_for_run(str(root), 0, print) as session:
        yield repo, session
    repo.close()
    os.chdir(before)


@pytest.mark.parametrize("name", STAGES)
def test_the_same_as_dvcs(name: str, both: tuple[Any, RunSession]) -> None:
    from dvc.repo import lock_repo
    from dvc.stage.serialize import to_single_stage_lockfile
    from dvc.utils.serialize import dumps_yaml

    repo, session = both
    with lock_repo(repo):
        theirs = repo.stage.load_one(name=name)
        theirs.save(run_cache=False)
        expected = to_single_stage_lockfile(theirs)
    (ours,) = (one for one in session.declared.stages if one.name == name)
    inputs = session.committer.inputs(ours)
    entry = session.committer.commit(ours, inputs, no_commit=True)
    assert entry == expected
    assert dumps(entry) == dumps_yaml(expected), "in the same order"


def test_what_is_expected_of_a_stage_has_the_same_inputs(both: tuple[Any, RunSession]) -> None:
    """With it the run-cache is asked, before the outputs are there."""
    from mlxkit.pipeline.runcache import inputs_of

    _, session = both
    for stage in session.declared.stages:
        inputs = session.committer.inputs(stage)
        made = session.committer.commit(stage, inputs, no_commit=True)
        assert inputs_of(session.committer.expected(stage, inputs)) == inputs_of(made)


def test_every_file_is_used(both: tuple[Any, RunSession]) -> None:
    _, session = both
    used = {dep.abs for one in session.declared.stages for dep in one.deps}
    used |= {out.abs for one in session.declared.stages for out in one.outs}
    used |= {params.abs for one in session.declared.stages for params in one.params}
    for path in FILES:
        here = os.path.join(session.root, path)
        assert any(here == one or here.startswith(one + "/") for one in used), path
        assert Path(here).exists()
