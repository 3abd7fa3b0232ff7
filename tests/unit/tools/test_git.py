"""The one door to Git, with names and places that a shell, or a line, would break."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project

from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.tools import git

ODD = [
    "with space", " leading", "trailing ", "new\nline", 'quo"te', "back\\slash", "*", "[ab]", "a?b",
    "-dash", "--cached", ":colon", ":(top)x", "#hash", "!bang", "ümläut", "日本", "tab\there",
    "~home", "$x",
]  # fmt: skip
NOT_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.fixture
def top(inside: Project) -> str:
    """The root of a Git repository, which is the current folder."""
    return os.path.realpath(inside.root)


@pytest.mark.parametrize("name", [*ODD, NOT_UTF8])
def test_odd_names(name: str, top: str, inside: Project) -> None:
    path = os.path.join(top, "folder", name)
    os.makedirs(os.path.dirname(path))
    Path(path).write_text("x")
    beside = os.path.join(top, "folder", "beside")
    Path(beside).write_text("x")
    assert git.tracked(top, [path, beside]) == set()
    git.add(top, [path])
    assert git.tracked(top, [path, beside]) == {path}
    inside.write(".gitignore", "/folder/*\n!/folder/beside\n")
    assert git.ignored(top, [path, beside]) == {path}


def test_tracked_knows_folders_by_what_is_in_them(top: str, inside: Project) -> None:
    inside.write("d/x", "x")
    inside.write("d2", "x")
    git.add(top, [os.path.join(top, "d/x"), os.path.join(top, "d2")])
    asked = [os.path.join(top, name) for name in ("d", "d/x", "d/y", "d2", "e")]
    assert git.tracked(top, asked) == {asked[0], asked[1], asked[3]}


def test_tracked_from_a_project_below_the_root_of_git(top: str, inside: Project) -> None:
    inside.write("sub/x", "x")
    git.add(top, [os.path.join(top, "sub/x")])
    path = os.path.join(top, "sub", "x")
    assert git.tracked(os.path.join(top, "sub"), [path]) == {path}


def test_tracked_is_what_the_index_has_also_when_the_file_is_gone(
    top: str, inside: Project
) -> None:
    inside.write("x", "x")
    path = os.path.join(top, "x")
    git.add(top, [path])
    os.unlink(path)
    assert git.tracked(top, [path]) == {path}


def test_nothing_asked_runs_nothing() -> None:
    assert git.ignored("/nowhere", []) == set()
    assert git.tracked("/nowhere", []) == set()
    git.add("/nowhere", [])


def test_thousands_of_paths_in_one_question(top: str, inside: Project) -> None:
    """More than fits on a command line."""
    inside.write(".gitignore", "*.out\n")
    folder = os.path.join(top, "a-folder-with-a-long-name" * 4)
    paths = [os.path.join(folder, f"{n}.{'out' if n % 2 else 'in'}") for n in range(16_000)]
    assert sum(map(len, paths)) > 2 << 20
    assert git.ignored(top, paths) == set(paths[1::2])
    assert git.tracked(top, paths) == set()


def test_rules_for_folders_hold_for_paths_that_end_in_a_slash(top: str, inside: Project) -> None:
    inside.write(".gitignore", "data/\n")
    path = os.path.join(top, "data")
    assert git.ignored(top, [path, path + "/"]) == {path + "/"}


def test_ignored_says_what_the_rules_say_also_of_tracked_files(top: str, inside: Project) -> None:
    inside.write("x", "x")
    path = os.path.join(top, "x")
    git.add(top, [path])
    inside.write(".gitignore", "x\n")
    assert git.ignored(top, [path]) == {path}


def test_a_path_that_git_cannot_judge_does_not_hide_the_others(top: str, inside: Project) -> None:
    """Behind a link, or outside the repository, Git stops with an error."""
    inside.write(".gitignore", "*.out\n")
    os.makedirs("disk")
    os.symlink("disk", "link")
    asked = [
        os.path.join(top, "a.out"),
        os.path.join(top, "link", "b.out"),
        os.path.join(os.path.dirname(top), "c.out"),
        os.path.join(top, "d.out"),
    ]
    assert {asked[0], asked[3]} <= git.ignored(top, asked)


def test_many_paths_that_git_cannot_judge_do_not_cost_a_process_each(
    top: str, inside: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All outputs on a data disk that is linked into the project."""
    inside.write(".gitignore", "*.out\n")
    os.makedirs("disk")
    os.symlink("disk", "link")
    started = 0
    real = subprocess.run

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal started
        started += 1
        return real(*args, **kwargs)

    monkeypatch.setattr(subprocess, "run", counting)
    good = os.path.join(top, "a.out")
    assert good in git.ignored(top, [*(f"{top}/link/{n}.out" for n in range(300)), good])
    assert started <= 10


def test_a_path_behind_a_link_does_not_stop_the_question_what_is_tracked(
    top: str, inside: Project
) -> None:
    inside.write("x", "x")
    os.makedirs("disk")
    os.symlink("disk", "link")
    path = os.path.join(top, "x")
    git.add(top, [path])
    assert git.tracked(top, [os.path.join(top, "link", "b.out"), path]) == {path}


def test_ignored_folders_are_those_ignored_as_a_whole(top: str, inside: Project) -> None:
    inside.write(".gitignore", "/all\n*.tmp\n/odd\\[1\\]\n")
    for path in ("all/x", "all/deep/y", "some/a.tmp", "some/b", "odd[1]/x", "sub/all/x"):
        inside.write(path, "x")
    assert sorted(git.ignored_folders(top)) == ["all", "odd[1]"]
    inside.write("sub/.gitignore", "all\n")
    assert git.ignored_folders(os.path.join(top, "sub")) == ["all"], "relative to the project"


def test_a_folder_that_holds_only_ignored_files_may_hold_others_one_day(
    top: str, inside: Project
) -> None:
    """Then a `dvc.yaml` may come into it: it must be looked at again."""
    inside.write(".gitignore", "*.tmp\n")
    inside.write("some/a.tmp", "x")
    assert git.ignored_folders(top) == []


def test_roots(top: str, tmp_path: Path, inside: Project) -> None:
    inside.write("sub/deep/x", "x")
    assert git.find_root(os.path.join(top, "sub", "deep")) == top
    assert git.require_root(top) == top
    outside = tmp_path / "outside"
    outside.mkdir()
    if git.find_root(str(tmp_path)) is None:
        assert git.find_root(str(outside)) is None
        with pytest.raises(ProjectError, match="not a Git repository"):
            git.require_root(str(outside))


def test_a_worktree_has_a_root_of_its_own(top: str, inside: Project) -> None:
    inside.git("worktree", "add", "-q", "../tree", "-b", "other")
    tree = os.path.join(os.path.dirname(top), "tree")
    assert git.find_root(os.path.join(tree, ".dvc")) == tree
    inside.write("../tree/x.out", "x")
    inside.write("../tree/.gitignore", "*.out\n")
    assert git.ignored(tree, [os.path.join(tree, "x.out")]) == {os.path.join(tree, "x.out")}


def test_show(top: str, inside: Project) -> None:
    inside.write("x", "1\n")
    inside.tools.commit(inside.root)
    inside.write("x", "2\n")
    assert git.show(top, "HEAD:x") == "1\n"
    assert git.show(top, "HEAD:nothing") is None
    assert git.show(top, "no-such-branch:x") is None


def test_an_error_is_told_in_one_line(top: str) -> None:
    with pytest.raises(MlxError, match=r"^git cat-file failed: fatal: .*nothing") as caught:
        git.run(top, "cat-file", "-p", "nothing")
    assert "\n" not in caught.value.message


def test_it_speaks_the_language_that_its_errors_are_read_in(
    top: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    tells = "alias.tells=!printenv LANGUAGE"
    for more in (None, {"GIT_EDITOR": "true"}):
        assert git.run(top, "tells", env=more, settings=[tells]) == b"en\n"


def test_git_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MlxError, match="git is not installed"):
        git.run(str(tmp_path), "status")
