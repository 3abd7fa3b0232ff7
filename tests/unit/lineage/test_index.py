"""The index: built from Git alone, and right again after whatever happens to it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.lineage import Repository, md5

from mlxkit.cli.knowing import knowing
from mlxkit.core.errors import BusyError, MlxError
from mlxkit.lineage import schema
from mlxkit.lineage.productions import productions

ASK = (
    "import sys; from mlxkit.lineage.index import open_index;"
    "i = open_index(sys.argv[1], sys.argv[1], lambda t: None);"
    "print(i.db.execute('SELECT count(*) FROM commits').fetchone()[0])"
)


def grown(repo: Repository, count: int = 3) -> Path:
    """Make commits; return where the index is."""
    for number in range(count):
        repo.lock(train=f"x:1 > model:m{number}")
        repo.commit()
    return repo.root / ".mlx" / "lineage.db"


def test_it_ignores_itself_and_writes_nothing_else(repo: Repository) -> None:
    grown(repo)
    before = sorted(os.listdir(repo.root / ".git"))
    index = (repo.root / ".git" / "index").stat().st_mtime_ns
    assert repo.makers("m1")
    assert sorted(os.listdir(repo.root / ".git")) == before
    assert (repo.root / ".git" / "index").stat().st_mtime_ns == index
    assert repo.git("status", "--porcelain") == ""
    assert sorted(os.listdir(repo.root)) == [".dvc", ".git", ".mlx", "dvc.lock"]


def test_nothing_is_read_again_when_nothing_changed(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(repo)
    repo.makers("m1")
    monkeypatch.setattr("mlxkit.lineage.index._bring", lambda *_: pytest.fail("read again"))
    assert repo.makers("m1")


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "header only", "other tables"])
def test_a_damaged_or_old_file_is_made_anew(repo: Repository, damage: str) -> None:
    path = grown(repo)
    assert repo.makers("m1")
    data = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"not a database at all" * 1000)
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "header only":
        path.write_bytes(data[:4096] + os.urandom(len(data) - 4096))
    else:
        path.unlink()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE commits (something TEXT)")
            db.execute("PRAGMA user_version = 999")
        db.close()
    repo.lock(train="x:1 > model:new")
    repo.commit()
    assert len(repo.makers("m1")) == len(repo.makers("new")) == 1


def test_damage_that_is_found_late(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has changed since, so only the question reads what is damaged."""
    path = grown(repo)
    assert repo.makers("m1")
    data = bytearray(path.read_bytes())
    for page in range(2 * 4096, len(data), 4096):
        data[page : page + 200] = b"\xff" * 200
    path.write_bytes(data)
    monkeypatch.chdir(repo.root)
    told = []
    for _ in range(2):
        try:
            with knowing() as index:
                told.append(len(productions(index, [md5("m1")])))
        except MlxError as error:
            told.append(error.message)
    assert "was damaged, and is thrown away" in str(told[0]) and told[1] == 1


def test_a_folder_that_cannot_be_written(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    grown(repo)
    (repo.root / ".mlx").write_text("in the way")
    assert repo.makers("m1")
    assert (repo.root / ".mlx").read_text() == "in the way"
    (repo.root / ".mlx").unlink()
    assert repo.makers("m1")
    # What others may read and not write is taken as a start.
    repo.lock(train="x:1 > model:later")
    repo.commit()
    monkeypatch.setattr(schema.os, "access", lambda path, mode: False)
    kept = (repo.root / ".mlx" / "lineage.db").read_bytes()
    assert repo.makers("m1") and repo.makers("later")
    assert (repo.root / ".mlx" / "lineage.db").read_bytes() == kept


def test_two_processes_at_once(repo: Repository) -> None:
    grown(repo, 30)
    env = {**repo.env, "PYTHONPATH": os.pathsep.join(sys.path)}
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(repo.root)], env=env, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert [one.communicate()[0].strip() for one in asking] == ["30"] * 4


def test_one_that_is_busy_for_too_long(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    path = grown(repo)
    repo.makers("m1")
    repo.lock(train="x:1 > model:new")
    repo.commit()
    monkeypatch.setattr(schema, "_WAIT", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(BusyError):
            repo.makers("new")
    finally:
        holder.rollback()
        holder.close()
    assert repo.makers("new")


def test_a_failure_in_the_middle_leaves_what_was(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(repo)
    repo.makers("m1")
    repo.lock(train="x:1 > model:new")
    repo.commit()
    with monkeypatch.context() as patched:
        patched.setattr("mlxkit.lineage.parts.find", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            repo.makers("new")
    assert len(repo.makers("m1")) == len(repo.makers("new")) == 1


def test_a_digest_names_what_it_is_wherever_it_came_from(repo: Repository) -> None:
    grown(repo)
    told = repo.ask("m1")
    assert (told.artifact.md5, told.artifact.paths) == (md5("m1"), ("model",))
    assert repo.ask("unknown").producers == ()
