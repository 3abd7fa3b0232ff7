"""Which files declare the pipeline: all that DVC sees, and no folder listed twice."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pipeline.parts import digest

from mlxkit.pipeline.scan import Scan, has_patterns, scan

LATER = 3_600_000_000_000  # an hour: every folder is clearly older than this look


class Tree:
    """A Git repository, walked again and again with what the last walk remembered."""

    def __init__(self, root: Path, project: str = "") -> None:
        subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
        self.git_root = str(root)
        self.root = os.path.join(self.git_root, project) if project else self.git_root
        os.makedirs(os.path.join(self.root, ".dvc"), exist_ok=True)
        self.memory: dict[str, Any] = {}
        self.asked: list[str] = []

    def write(self, *paths: str, text: str = "") -> None:
        for path in paths:
            target = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w") as file:
                file.write(text)

    def walk(self, *, git: bool = True, now: int = LATER) -> Scan:
        found = scan(
            self.root, self.git_root if git else None, self.memory, digest, time.time_ns() + now
        )
        self.memory = found.memory
        return found

    def files(self, **how: Any) -> set[str]:
        return {os.path.relpath(path, self.root) for path in self.walk(**how).files}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path.resolve() / "repo")


def test_pipelines_and_tracked_data_in_every_folder(tree: Tree) -> None:
    tree.write(
        "dvc.yaml", "a.dvc", "sub/dvc.yaml", "sub/deep/b.csv.dvc", "other.yaml", "sub/dvc.lock"
    )
    assert tree.files() == {"dvc.yaml", "a.dvc", "sub/dvc.yaml", "sub/deep/b.csv.dvc"}


CHANGES: dict[str, tuple[Callable[[Tree], object], set[str]]] = {
    "a new file": (lambda tree: tree.write("x/y.dvc"), {"x/y.dvc"}),
    "a new file in a known folder": (lambda tree: tree.write("sub/y.dvc"), {"sub/y.dvc"}),
    "a new folder in a known one": (lambda tree: tree.write("sub/n/dvc.yaml"), {"sub/n/dvc.yaml"}),
    "a file of data becomes a pipeline": (
        lambda tree: os.rename(f"{tree.root}/sub/x", f"{tree.root}/sub/dvc.yaml"),
        {"sub/dvc.yaml"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_comes_is_noticed(change: str, tree: Tree) -> None:
    tree.write("dvc.yaml", "sub/x")
    assert tree.files() == {"dvc.yaml"}
    do, found = CHANGES[change]
    do(tree)
    assert tree.files() == {"dvc.yaml", *found}


def test_what_goes_is_noticed(tree: Tree) -> None:
    tree.write("dvc.yaml", "sub/dvc.yaml", "sub/n/x.dvc")
    tree.files()
    os.unlink(f"{tree.root}/sub/dvc.yaml")
    assert tree.files() == {"dvc.yaml", "sub/n/x.dvc"}
    os.rename(f"{tree.root}/sub", f"{tree.root}/moved")
    assert tree.files() == {"dvc.yaml", "moved/n/x.dvc"}


def test_a_change_in_the_same_tick_is_noticed(tree: Tree) -> None:
    """A time stamp that is as young as the look vouches for nothing."""
    tree.write("dvc.yaml", "sub/x")
    stamp = os.stat(f"{tree.root}/sub").st_mtime_ns
    assert tree.files(now=0) == {"dvc.yaml"}
    tree.write("sub/dvc.yaml")
    os.utime(f"{tree.root}/sub", ns=(stamp, stamp))
    assert tree.files() == {"dvc.yaml", "sub/dvc.yaml"}


def test_an_unchanged_folder_is_not_listed_again(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("dvc.yaml", "sub/x.dvc", "sub/n/y")
    tree.walk()
    listed: list[str] = []
    real = os.scandir

    def counting(path: str) -> Any:
        listed.append(os.path.relpath(path, tree.root))
        return real(path)

    monkeypatch.setattr(os, "scandir", counting)
    assert tree.files() == {"dvc.yaml", "sub/x.dvc"}
    assert listed == []
    tree.write("sub/z")
    tree.walk()
    assert listed == ["sub"]


def test_what_git_ignores_is_not_looked_at(tree: Tree) -> None:
    tree.write(".gitignore", text="/venv\n*.tmp.dvc\n/data/\n")
    tree.write("dvc.yaml", "venv/dvc.yaml", "a.tmp.dvc", "data/x.dvc", "sub/data/y.dvc")
    assert tree.files() == {"dvc.yaml", "sub/data/y.dvc"}
    assert tree.files(git=False) == {
        "dvc.yaml", "venv/dvc.yaml", "a.tmp.dvc", "data/x.dvc", "sub/data/y.dvc"
    }  # fmt: skip


RULES = [".gitignore", "sub/.gitignore", ".git/info/exclude"]


@pytest.mark.parametrize("rules", RULES)
def test_a_rule_of_git_that_comes_or_goes_is_noticed(rules: str, tree: Tree) -> None:
    tree.write("dvc.yaml", "sub/n/x.dvc")
    tree.write(rules, text="")
    assert tree.files() == {"dvc.yaml", "sub/n/x.dvc"}
    tree.write(rules, text="n/\n")
    assert tree.files() == {"dvc.yaml"}
    tree.write(rules, text="# nothing\n")
    assert tree.files() == {"dvc.yaml", "sub/n/x.dvc"}
    os.unlink(os.path.join(tree.root, rules))
    assert tree.files() == {"dvc.yaml", "sub/n/x.dvc"}


def test_a_rule_above_the_project_that_comes_or_goes_is_noticed(tmp_path: Path) -> None:
    """A project in a subfolder of a repository: the repository's rules hold for it too."""
    tree = Tree(tmp_path.resolve() / "repo", "project")
    tree.write("dvc.yaml", "sub/x.dvc")
    assert tree.files() == {"dvc.yaml", "sub/x.dvc"}
    Path(tree.git_root, ".gitignore").write_text("/project/sub/\n")
    assert tree.files() == {"dvc.yaml"}
    Path(tree.git_root, ".gitignore").write_text("")
    assert tree.files() == {"dvc.yaml", "sub/x.dvc"}


def test_a_folder_whose_files_are_all_ignored_is_still_looked_at(tree: Tree) -> None:
    """Only the folder as a whole being ignored means that nothing in it counts."""
    tree.write(".gitignore", text="*.csv\n")
    tree.write("dvc.yaml", "data/a.csv")
    assert tree.files() == {"dvc.yaml"}
    tree.write("data/a.csv.dvc")
    assert tree.files() == {"dvc.yaml", "data/a.csv.dvc"}


def test_what_dvc_ignores_does_not_count(tree: Tree) -> None:
    tree.write(".dvcignore", text="# DVC's own words\n")
    tree.write("dvc.yaml", "old/dvc.yaml", "old/n/x.dvc", "y.dvc")
    assert tree.files() == {"dvc.yaml", "old/dvc.yaml", "old/n/x.dvc", "y.dvc"}
    tree.write(".dvcignore", text="old\ny.dvc\n")
    assert tree.files() == {"dvc.yaml"}
    tree.write(".dvcignore", text="y.dvc\n")
    tree.write("old/.dvcignore", text="n\n")
    assert tree.files() == {"dvc.yaml", "old/dvc.yaml"}


def test_a_project_of_its_own_below_is_left_alone(tree: Tree) -> None:
    tree.write("dvc.yaml", "inner/dvc.yaml", "inner/n/x.dvc")
    os.mkdir(f"{tree.root}/inner/.dvc")
    assert tree.files() == {"dvc.yaml"}
    os.rmdir(f"{tree.root}/inner/.dvc")
    assert tree.files() == {"dvc.yaml", "inner/dvc.yaml", "inner/n/x.dvc"}


def test_folders_that_belong_to_tools_are_left_alone(tree: Tree) -> None:
    tree.write("dvc.yaml", ".dvc/x.dvc", ".git/x.dvc", ".mlx/x.dvc", ".hg/x.dvc", "sub/.mlx/x.dvc")
    assert tree.files() == {"dvc.yaml"}


def test_links(tree: Tree) -> None:
    """A link to a pipeline counts; a link to a folder is neither entered nor a file."""
    tree.write("dvc.yaml", "real/x.dvc", "real/dvc.yaml")
    os.symlink("real", f"{tree.root}/linked")
    os.symlink("real", f"{tree.root}/folder.dvc")
    os.mkdir(f"{tree.root}/sub")
    os.symlink("../dvc.yaml", f"{tree.root}/sub/dvc.yaml")
    assert tree.files() == {"dvc.yaml", "real/x.dvc", "real/dvc.yaml", "sub/dvc.yaml"}


def test_names_that_are_hard_to_write(tree: Tree) -> None:
    odd = {"a b/dvc.yaml", "ü/é.dvc", "new\nline.dvc", "[x]/dvc.yaml", "-x.dvc", ".hidden.dvc"}
    tree.write("dvc.yaml", *odd)
    assert tree.files() == {"dvc.yaml", *odd}


def test_the_same_files_in_the_same_order_as_dvc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.repo import Repo
    from dvc.repo.index import collect_files

    root = tmp_path.resolve() / "repo"
    tree = Tree(root)
    os.rmdir(root / ".dvc")
    Repo.init(str(root)).close()
    tree.write(".gitignore", text="/ignored\n*.no.dvc\n")
    tree.write(".dvcignore", text="skipped\n")
    for folder in ("", "b/", "a/", "c/d/", "c/", "ignored/", "skipped/", "a/ignored/"):
        tree.write(f"{folder}dvc.yaml", text="stages: {}\n")
        for name in ("z", "y", "x.no"):
            tree.write(f"{folder}{name}.dvc", text=f"outs:\n- path: {name}\n")
    monkeypatch.chdir(root)
    with Repo(str(root)) as repo:
        expected = [os.path.relpath(path, root) for path, _ in collect_files(repo)]
    found = [os.path.relpath(path, root) for path in tree.walk().files]
    assert found == expected
    assert len(found) == 18


@pytest.mark.parametrize(("text", "says"), [
    ("", False), ("# only words\n\n   \n  # more\n", False), ("*.tmp\n", True),
    ("# words\n!x", True),
])  # fmt: skip
def test_whether_an_ignore_file_says_anything(text: str, says: bool, tmp_path: Path) -> None:
    (tmp_path / ".dvcignore").write_text(text)
    assert has_patterns(str(tmp_path / ".dvcignore")) is says
