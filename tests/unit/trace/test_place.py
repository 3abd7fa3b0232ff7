"""Which paths count, and what a command lets Python see."""

import os
from pathlib import Path

import pytest

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.spec import Stage
from mlxkit.trace.hook import FOLDER, kept_on_path, read
from mlxkit.trace.place import counts, is_blank, source_of
from mlxkit.trace.reach import require_reach


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/t/p/__pycache__/a.cpython-311.pyc", "/t/p/a.py"),
        ("/t/p/__pycache__/a.b.cpython-313.opt-1.pyc", "/t/p/a.b.py"),
        ("/t/p/__pycache__/a.pypy39.pyc", "/t/p/a.py"),
        ("/t/p/a.pyc", "/t/p/a.py"),
        ("/t/p/a.csv", "/t/p/a.csv"),
    ],
)
def test_the_source_of_bytecode(path: str, source: str) -> None:
    assert source_of(path) == source


def test_what_counts(tmp_path: Path) -> None:
    top = str(tmp_path)
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    for path in ("a", "src/a.py", ".env", "conf/.hidden/x"):
        assert counts(os.path.join(top, path), top), path
    for path in (
        *(".git/config", ".dvc/config", ".mlx/state", "x/__pycache__/a", "dvc.lock", "a.csv.dvc"),
        *("env/lib/x.py", "src/a.egg-info/PKG-INFO", "lib/site-packages/x.py", "../other", "."),
    ):
        assert not counts(os.path.normpath(os.path.join(top, path)), top), path


def test_sources_without_code(tmp_path: Path) -> None:
    for name, text, blank in (
        ("a.py", "", True),
        ("b.py", '# Comment.\n"""Text."""\n', True),
        ("c.py", "x = 1\n", False),
        ("d.py", "def (\n", False),
        ("e.csv", "", False),
    ):
        (tmp_path / name).write_text(text)
        assert is_blank(str(tmp_path / name)) is blank, name
    assert not is_blank(str(tmp_path / "none.py"))


def test_commands_that_set_the_path_keep_ours() -> None:
    assert kept_on_path("PYTHONPATH=src python x") == f"PYTHONPATH={FOLDER}:src python x"
    assert kept_on_path('export PYTHONPATH="a:$PYTHONPATH"; x') == (
        f'export PYTHONPATH={FOLDER}:"a:$PYTHONPATH"; x'
    )
    for unchanged in ("echo $PYTHONPATH", "MY_PYTHONPATH=x y", "PYTHONPATH= x"):
        assert kept_on_path(unchanged) == unchanged


def test_lines_that_were_cut() -> None:
    lines = ["('read', 7, '/x', '')\n", "('read', 7, '/y", "5\n", "\n"]
    assert [one.what for one in read(lines)] == ["/x"]


def _stage(cmd: str) -> Stage:
    return Stage(file="/top/dvc.yaml", name="s", wdir="/top", cmd=cmd)


@pytest.mark.parametrize(
    "cmd",
    [
        "python train.py",
        "mkdir -p out && python -u -m pkg.train 2>&1",
        "cd sub; X=1 time python3.11 train.py 2> /dev/null",
        'echo "a > b"; python -c "print(1 < 2)"',
        "env A=1 nice -n 5 python train.py || true",
    ],
)
def test_commands_that_python_alone_shows(cmd: str) -> None:
    require_reach(_stage(cmd), "s", os.environ)


@pytest.mark.parametrize(
    "cmd",
    [
        "cp a b",
        "python x.py | tee log",
        "python -IS x.py",
        "python x < in",
        "sort -o x y; python z",
    ],
)
def test_commands_that_it_does_not(cmd: str) -> None:
    with pytest.raises(MlxError, match="no way to trace stage 's'"):
        require_reach(_stage(cmd), "s", os.environ)
