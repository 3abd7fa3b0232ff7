"""The decision what goes and what stays, and the order in which it goes."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from mlxkit.core.errors import MlxError
from mlxkit.data.gc import collect as gc
from mlxkit.data.gc.collect import Elsewhere, Wanted, carry_out, decide, grouped, limited
from mlxkit.data.gc.inventory import File, Inventory, look, object_path, take_stock
from mlxkit.data.gc.reach import Reach

DAY = 86400.0
FILE, OTHER = "a" * 32, "b" * 32
FOLDER = "c" * 32 + ".dir"
NOTHING = Reach(set(), {})


def _stock(*names: str) -> Inventory:
    return Inventory({"/cache": set(names)}, [], 0)


def _file(age: float = 100 * DAY, size: int = 1) -> File:
    return File("/cache/x", size, age)


def _reasons(plan: gc.Plan) -> dict[str, str]:
    return {item.name: item.reason for item in [*plan.remove, *plan.held]}


def test_reasons() -> None:
    found = [(FILE, _file()), (OTHER, _file()), (FOLDER, _file(DAY))]
    stock = _stock(FILE, OTHER, FOLDER)
    plan = decide(found, stock, NOTHING, Elsewhere({OTHER}), Wanted(grace=2 * DAY))
    assert _reasons(plan) == {FILE: gc.UNREFERENCED, OTHER: gc.OUT_OF_SCOPE, FOLDER: gc.YOUNG}
    assert [item.name for item in plan.held] == [FOLDER]
    assert plan.kept == 1


@pytest.mark.parametrize(("age", "stays"), [(0, True), (DAY - 1, True), (DAY, False)])
def test_the_edge_of_the_grace(age: float, stays: bool) -> None:
    plan = decide([(FILE, _file(age))], _stock(FILE), NOTHING, Elsewhere(), Wanted(grace=DAY))
    assert bool(plan.held) == stays


@pytest.mark.parametrize("ignore", [False, True])
def test_a_lost_list_holds_files_but_not_lists(ignore: bool) -> None:
    found = [(FILE, _file()), (FOLDER, _file())]
    reach = Reach(set(), {"d" * 32 + ".dir": "a.dvc"})
    plan = decide(found, _stock(FILE, FOLDER), reach, Elsewhere(), Wanted(ignore_missing=ignore))
    assert {item.name for item in plan.remove} == ({FILE, FOLDER} if ignore else {FOLDER})


def test_leftovers_are_no_objects() -> None:
    stock = _stock(FILE)._replace(leftovers=[_file()])
    plan = decide([], stock, NOTHING, Elsewhere(), Wanted())
    assert plan.kept == 1 and [item.reason for item in plan.remove] == [gc.LEFTOVER]


def test_groups_and_what_was_agreed_upon() -> None:
    found = [(FILE, File("/1", 10, 9e9)), (OTHER, File("/2", 5, 9e9))]
    plan = decide(found, _stock(FILE, OTHER), NOTHING, Elsewhere(), Wanted())
    assert grouped(plan.remove) == [gc.Group(gc.UNREFERENCED, 2, 15)]
    shown = plan._replace(remove=plan.remove[:1])
    assert [item.name for item in limited(plan, shown).remove] == [FILE]


def test_age_of_a_hard_link(tmp_path: Path) -> None:
    """Its time is that of the data, which may be much older than the object."""
    path = tmp_path / "data"
    path.write_bytes(b"1")
    os.utime(path, (1, 1))
    alone = look(str(path))
    assert alone is not None and alone.age > 365 * DAY
    os.link(path, tmp_path / "object")
    linked = look(str(path))
    assert linked is not None and linked.age < DAY
    os.unlink(tmp_path / "object")
    left = look(str(path), was_link=True)
    assert left is not None and left.age < DAY
    assert look(str(tmp_path / "none")) is None


def test_lists_go_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for data, suffix in [(b"1", ""), (b"2", ""), (json.dumps([]).encode(), ".dir")]:
        names.append(hashlib.md5(data).hexdigest() + suffix)
        path = Path(object_path(str(tmp_path / "files/md5"), names[-1]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    stock = take_stock(str(tmp_path))
    loose = [(name, file) for name in names if (file := look(stock.paths(name)[0]))]
    plan = decide(loose, stock, NOTHING, Elsewhere(), Wanted())
    order: list[str] = []
    unlink = os.unlink

    def noted(path: str) -> None:
        order.append(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", noted)
    os.unlink(plan.remove[0].file.path)  # somebody else was faster
    order.clear()
    assert carry_out(plan) == gc.Group("removed", 2, 3)
    assert order[0].endswith(".dir") and take_stock(str(tmp_path)).total == 0


def test_what_cannot_be_deleted_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    item = gc.Item(File(str(tmp_path / "folder"), 1, 9e9), FILE, gc.UNREFERENCED)
    with pytest.raises(MlxError, match="delete"):
        carry_out(gc.Plan([item], [], 1, {}, 0))
