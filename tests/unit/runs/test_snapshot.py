"""The working tree as a commit: exactly what is there, and nothing of the user's is touched."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from mlxkit.runs.snapshot import LISTED, choose, read_changes

from .repo import LIMIT, Repo

START = {"a.txt": "one", "sub/b.txt": "two"}


def test_nothing_differs(repo: Repo) -> None:
    head = repo.git("rev-parse", "HEAD")
    found = repo.snapshot()
    assert (found.commit, found.id, found.dirty, found.left_out) == (head, head, False, ())
    assert found.tree == repo.git("rev-parse", "HEAD^{tree}")


def test_all_that_differs(repo: Repo) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.write("a.txt", "changed")
    (repo.root / "sub" / "b.txt").unlink()
    repo.write("staged.txt", "staged")
    repo.git("add", "staged.txt")
    repo.write("staged.txt", "and changed again")
    repo.write("deep/er/new é.txt", "new")
    repo.write(".gitignore", "*.tmp\n")
    repo.write("x.tmp", "ignored")
    os.symlink("nowhere", repo.root / "link")
    (repo.root / "run.sh").write_text("run")
    (repo.root / "run.sh").chmod(0o755)
    found = repo.snapshot()
    assert repo.files(found.id) == {
        "a.txt": "changed",
        "staged.txt": "and changed again",
        "deep/er/new é.txt": "new",
        ".gitignore": "*.tmp",
        "link": "120000 nowhere",
        "run.sh": "100755 run",
    }
    assert found.commit == head
    assert found.dirty
    assert repo.git("rev-parse", f"{found.id}^") == head
    assert repo.git("rev-parse", f"{found.id}^{{tree}}") == found.tree


def test_nothing_of_the_users_is_touched(repo: Repo) -> None:
    """Index, branches, stash and logs stay as they are, byte for byte; no hook runs."""
    repo.write("a.txt", "stashed")
    repo.git("stash")
    repo.write("a.txt", "changed")
    repo.write("new.txt", "new")
    repo.git("add", "-N", "new.txt")
    (repo.root / ".git" / "hooks").mkdir(exist_ok=True)
    for name in ("post-index-change", "pre-commit", "post-commit", "reference-transaction"):
        hook = repo.root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch '{repo.root}/ran-{name}'\n")
        hook.chmod(0o755)
    before = repo.state()
    found = repo.snapshot()
    assert repo.files(found.id) == {**START, "a.txt": "changed", "new.txt": "new"}
    assert repo.state() == before
    assert not list(repo.root.glob("ran-*"))
    assert os.listdir(repo.root / ".git" / "scratch") == []


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "new")
    repo.git("init", "-q")
    empty = repo.snapshot()
    assert (empty.commit, repo.files(empty.id), empty.dirty) == (None, {}, True)
    repo.write("a.txt", "one")
    found = repo.snapshot()
    assert (found.commit, repo.files(found.id)) == (None, {"a.txt": "one"})
    assert repo.git("rev-list", "--count", found.id) == "1"


def test_detached_head_and_a_worktree(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--detach", str(repo.root.parent / "tree"))
    tree = Repo(repo.root.parent / "tree")
    tree.write("a.txt", "there")
    tree.git("add", "a.txt")
    tree.write("new.txt", "n")
    found = tree.snapshot()
    assert tree.files(found.id) == {**START, "a.txt": "there", "new.txt": "n"}
    repo.git("checkout", "-q", "--detach")
    assert not repo.snapshot().dirty


def test_conflicts_in_the_index(repo: Repo) -> None:
    """Files with conflict markers are taken as they are; one deleted by both ways is not there."""
    repo.git("checkout", "-q", "-b", "other")
    repo.write("a.txt", "theirs")
    repo.write("sub/b.txt", "theirs")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "ours")
    (repo.root / "sub" / "b.txt").unlink()
    repo.commit()
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "other")
    (repo.root / "sub" / "b.txt").unlink()
    before = repo.state()
    found = repo.snapshot()
    assert set(repo.files(found.id)) == {"a.txt"}
    assert "<<<<<<<" in repo.files(found.id)["a.txt"]
    assert repo.state() == before


def test_files_become_folders_and_the_reverse(repo: Repo) -> None:
    (repo.root / "a.txt").unlink()
    repo.write("a.txt/inner", "now a folder")
    shutil.rmtree(repo.root / "sub")
    repo.write("sub", "now a file")
    assert repo.files(repo.snapshot().id) == {"a.txt/inner": "now a folder", "sub": "now a file"}


def test_a_folder_becomes_a_link(repo: Repo) -> None:
    os.rename(repo.root / "sub", repo.root / "moved")
    os.symlink("moved", repo.root / "sub")
    assert repo.files(repo.snapshot().id) == {
        "a.txt": "one", "moved/b.txt": "two", "sub": "120000 moved"
    }  # fmt: skip


def test_only_staged(repo: Repo) -> None:
    """The index says something else, but the working tree is HEAD's: that is what counts."""
    repo.write("a.txt", "staged")
    repo.git("add", "a.txt")
    repo.write("a.txt", "one")
    found = repo.snapshot()
    assert found.id == repo.git("rev-parse", "HEAD")


def test_a_change_within_one_tick_of_the_clock(repo: Repo) -> None:
    """As long, and as old, as what the index knows: only Git's care for such files finds it."""
    repo.write("a.txt", "uno")
    path = repo.root / "a.txt"
    repo.git("add", "a.txt")
    index = repo.root / ".git" / "index"
    moment = path.stat().st_mtime_ns
    path.write_text("due")
    os.utime(path, ns=(moment, moment))
    os.utime(index, ns=(moment, moment))
    assert repo.files(repo.snapshot().id)["a.txt"] == "due"


def test_a_submodule(repo: Repo, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.git("init", "-q")
    inner.write("x", "1")
    inner.commit()
    repo.git("submodule", "--quiet", "add", str(inner.root), "module")
    repo.commit()
    module = Repo(repo.root / "module")
    module.write("x", "2")
    found = repo.snapshot()
    assert (found.id, found.dirty) == (found.commit, True)
    assert [one.path for one in found.left_out] == ["module"], "what no commit of its own holds"
    newer = module.commit()
    assert repo.files(repo.snapshot().id)["module"] == f"160000 {newer}"


def test_a_repository_inside(repo: Repo) -> None:
    """Not a submodule: what it holds is not ours to keep."""
    inner = Repo(repo.root / "inner")
    inner.git("init", "-q")
    inner.write("x", "1")
    found = repo.snapshot()
    assert [one.path for one in found.left_out] == ["inner"]
    assert found.id == found.commit


def test_large_and_unreadable_files_are_left_out(repo: Repo) -> None:
    repo.write("big.bin", b"x" * (LIMIT + 1))
    repo.write("just.bin", b"x" * LIMIT)
    repo.write("a.txt", b"y" * 5 * LIMIT)
    os.mkfifo(repo.root / "pipe")
    found = repo.snapshot()
    assert set(repo.files(found.id)) == {*START, "just.bin"}, "Git keeps large tracked files anyway"
    (big,) = found.left_out
    md5 = hashlib.md5(b"x" * (LIMIT + 1)).hexdigest()
    assert (big.path, big.size, big.md5) == ("big.bin", LIMIT + 1, md5)


def test_line_ends_and_filters(repo: Repo) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.git("config", "core.safecrlf", "true")
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.write(".gitattributes", "*.loud filter=shout\n")
    repo.write("dos.txt", "x\r\ny\r\n")
    repo.write("mixed.txt", "x\r\ny\n")
    repo.write("n.loud", "hello")
    files = repo.files(repo.snapshot().id)
    assert (files["dos.txt"], files["mixed.txt"], files["n.loud"]) == ("x\ny", "x\ny", "HELLO")


def test_split_index_and_other_settings(repo: Repo) -> None:
    for setting in (
        "status.showUntrackedFiles=no", "status.renames=copies", "core.splitIndex=true",
        "diff.ignoreSubmodules=all", "status.relativePaths=true", "status.branch=false",
        "commit.gpgSign=true", "core.quotePath=true", "user.useConfigOnly=true",
        "core.untrackedCache=true",
    ):  # fmt: skip
        repo.git("config", *setting.split("="))
    repo.git("update-index", "--split-index")
    repo.git("mv", "a.txt", "c.txt")
    repo.write("é.txt", "new")
    before = repo.state()
    assert repo.files(repo.snapshot().id) == {
        "sub/b.txt": "two", "c.txt": "one", "é.txt": "new"
    }  # fmt: skip
    assert repo.state() == before


def test_names_that_are_not_text(repo: Repo) -> None:
    path = os.path.join(os.fsencode(repo.root), b"n\xff\nx")
    with open(path, "wb") as file:
        file.write(b"1")
    assert set(repo.files(repo.snapshot().id)) == {*START, os.fsdecode(b"n\xff\nx")}


def test_many_files_come_smallest_first() -> None:
    sizes = [(f"f{number:05}", number) for number in range(20_000)]
    taken, left = choose(sizes, limit=10**6)
    assert len(taken) == 5_000
    assert taken[0] == "f00000"
    assert left[0].path == "f05000"
    taken, left = choose([("a", 60), ("b", 50), ("c", None)], limit=1)
    assert (taken, [one.path for one in left]) == ([], ["b", "a", "c"])


def test_many_files_left_out_are_counted(repo: Repo) -> None:
    for number in range(LISTED + 5):
        repo.write(f"big/{number:05}", b"x" * (LIMIT + 1))
    found = repo.snapshot()
    assert (len(found.left_out), found.left_out_more) == (LISTED, 5)


def test_reading_what_status_tells() -> None:
    told = (
        b"# branch.oid (initial)\0# branch.head main\0"
        b"1 A. N... 000000 100644 100644 0 1 in the index\0"
        b"1 .D N... 100644 100644 000000 1 1 gone\0"
        b"1 .M SCM. 160000 160000 160000 1 1 module\0"
        b"u UD N... 100644 100644 000000 000000 1 2 3 deleted by us\0"
        b"? new one\0"
    )
    assert read_changes(told) == (
        None, True, ["module"], ["gone", "deleted by us"], ["new one"], ["module"]
    )  # fmt: skip
