"""What is remembered of commits: all of it or nothing, whatever becomes of the file."""

import datetime
import math
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlxkit.comparison.memory import Later, Memory
from mlxkit.comparison.state import Dependency, FileValues, Output, State, Trouble

STATE = State(
    "a" * 40,
    17,
    {"params.yaml": FileValues({"lr": 0.1, "deep": {"x": [1, None, "é", math.inf]}})},
    {"m.json": FileValues(3.5), "n.json": FileValues(error=Trouble("T", "why"))},
    {"in": Dependency("0" * 32, 3)},
    {"out": Output("1" * 32, 4, 2, use_cache=False, is_data_source=True)},
)
ERROR = Trouble("ProjectError", "dvc.yaml: is not valid")


def _keep(root: Path, *, key: str = "k") -> None:
    with Memory(str(root), key) as memory:
        memory.keep("a" * 40, STATE)
        memory.keep("b" * 40, ERROR)
        memory.save()


def _known(root: Path, key: str = "k") -> dict[str, State | Trouble]:
    with Memory(str(root), key) as memory:
        return memory.recall(["a" * 40, "b" * 40, "c" * 40])


def test_states_come_back_as_they_were(tmp_path: Path) -> None:
    _keep(tmp_path)
    found = _known(tmp_path)
    assert list(found) == ["a" * 40, "b" * 40]
    assert found["b" * 40] == ERROR
    state = found["a" * 40]
    assert isinstance(state, State)
    assert state._replace(deps=dict(state.deps), outs=dict(state.outs)) == STATE


def test_another_key_knows_nothing(tmp_path: Path) -> None:
    _keep(tmp_path)
    assert _known(tmp_path, "other") == {}


def test_without_save_nothing_is_kept(tmp_path: Path) -> None:
    with Memory(str(tmp_path), "k") as memory:
        memory.keep("a" * 40, STATE)
    assert _known(tmp_path) == {}


@pytest.mark.parametrize("odd", [datetime.date(2020, 1, 1), (1, 2), {1: 2}, {"s": {3}}])
def test_what_json_cannot_say_is_not_kept(odd: object, tmp_path: Path) -> None:
    with Memory(str(tmp_path), "k") as memory:
        memory.keep("a" * 40, STATE._replace(params={"p.py": FileValues({"x": odd})}))
        memory.save()
    assert _known(tmp_path) == {}


@pytest.mark.parametrize("damage", ["nonsense", "empty", "folder", "parts", "states"])
def test_a_damaged_file_is_no_error_and_is_made_anew(damage: str, tmp_path: Path) -> None:
    _keep(tmp_path)
    path = tmp_path / ".mlx" / "states.db"
    if damage == "nonsense":
        path.write_bytes(b"nonsense" * 1000)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        with sqlite3.connect(path) as db:
            db.execute(
                "DELETE FROM parts" if damage == "parts" else "UPDATE states SET state = '['"
            )
        db.close()
    assert _known(tmp_path) == {}
    if damage != "folder":
        _keep(tmp_path)
        assert _known(tmp_path)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".mlx").write_text("in the way")
    _keep(tmp_path)
    assert _known(tmp_path) == {}
    assert os.listdir(tmp_path) == [".mlx"]


def test_several_may_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _keep(tmp_path, key=str(number)), range(12)))
    assert all(len(_known(tmp_path, str(number))) == 2 for number in range(12))


def test_what_texts_say(tmp_path: Path) -> None:
    with Memory(str(tmp_path), "k") as memory:
        assert memory.recall_text("yaml", b"a: 1") is None
        memory.keep_text("yaml", b"a: 1", {"a": 1, "b": [0.5, None]})
        memory.keep_text("yaml", b"", {})
        memory.keep_text("yaml", b"day: 2020-01-01", {"day": datetime.date(2020, 1, 1)})
        memory.save()
    with Memory(str(tmp_path), "k") as memory:
        assert memory.recall_text("yaml", b"a: 1") == {"a": 1, "b": [0.5, None]}
        assert memory.recall_text("yaml", b"") == {}
        assert memory.recall_text("json", b"a: 1") is None
        assert memory.recall_text("yaml", b"day: 2020-01-01") is None
    with Memory(str(tmp_path), "other") as memory:
        assert memory.recall_text("yaml", b"a: 1") is None


def test_commits_that_share_their_data_read_them_once(tmp_path: Path) -> None:
    with Memory(str(tmp_path), "k") as memory:
        for commit in "ab":
            memory.keep(commit * 40, STATE)
        memory.save()
    found = _known(tmp_path)
    first, second = found["a" * 40], found["b" * 40]
    assert isinstance(first, State) and isinstance(second, State)
    assert first.deps is second.deps and isinstance(first.outs, Later)
    assert first.outs.plain == {"out": STATE.outs["out"]._asdict()}  # type: ignore[attr-defined]
