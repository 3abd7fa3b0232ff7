"""`.gitignore`: the bytes that DVC writes, in DVC's order, whatever ended first."""

import os
import subprocess
from pathlib import Path

import pytest
from scmrepo.git import Git

from mlxkit.pipeline.gitignore import IgnoreFiles
from mlxkit.pipeline.spec import Out


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = (tmp_path / "repo").resolve()
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    return root


def made(repo: Path, *names: str) -> list[Out]:
    return [Out(name, str(repo / name)) for name in names]


def added(repo: Path, outs: list[Out], *, bases: dict[str, str] | None = None) -> IgnoreFiles:
    """What a run with these outputs adds, not yet written."""
    files = IgnoreFiles(str(repo), outs, bases or {})
    for rank, out in enumerate(outs):
        files.rank(out, (rank, 0))
    for rank, out in enumerate(outs):
        files.add(out, (rank, 0))
    return files


NAMES = [
    "plain", "with space", " leading", "trailing ", "#hash", "!bang", "a*b", "a?b", "[ab]",
    "back\\slash",
    "ümläut", "日本", "tab\there", "-dash", "quo'te\"", "a#b", "a!b", "a]b", "x.y", "~", "$x",
    "{a,b}", "\\#x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", [None, "", "*.log\n", "*.log"], ids=str)
def test_the_bytes_are_dvcs(name: str, before: str | None, repo: Path) -> None:
    """DVC writes with `scmrepo`; also to a file that does not end in a newline."""
    ignore = repo / ".gitignore"
    if before is not None:
        ignore.write_text(before)
    scm = Git(str(repo))
    scm.ignore(str(repo / name))
    scm.close()
    expected = ignore.read_bytes()
    ignore.unlink()
    if before is not None:
        ignore.write_text(before)
    assert added(repo, made(repo, name)).flush() == [str(ignore)]
    assert ignore.read_bytes() == expected


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("trailing ", "back\\slash", "\\#x")]
)
def test_git_ignores_it_then_and_a_second_run_adds_nothing(name: str, repo: Path) -> None:
    (repo / name).write_text("x")
    added(repo, made(repo, name)).flush()
    shown = subprocess.run(
        ["git", "-C", repo, "status", "--short", "-z"], capture_output=True, check=True
    ).stdout
    assert shown == b"?? .gitignore\0"
    again = added(repo, made(repo, name))
    assert not again.dirty
    assert again.flush() == []


def test_each_folder_has_its_own_file(repo: Path) -> None:
    for folder in ("a", "b/c"):
        (repo / folder).mkdir(parents=True)
    written = added(repo, made(repo, "a/x", "b/c/x", "y")).flush()
    assert [os.path.relpath(path, repo) for path in written] == [
        "a/.gitignore", "b/c/.gitignore", ".gitignore"
    ]  # fmt: skip
    assert (repo / "b/c/.gitignore").read_text() == "/x\n"


@pytest.mark.parametrize(("rule", "name", "folder"), [
    ("/x", "x", False), ("*.csv", "a.csv", False), ("data/", "data", True),
    ("data", "data/x", False),
    ("*\n!.gitignore", "x", False),
])  # fmt: skip
def test_what_is_ignored_already_is_not_added(
    rule: str, name: str, folder: bool, repo: Path
) -> None:
    (repo / ".gitignore").write_text(rule + "\n")
    (repo / "data").mkdir() if folder or "/" in name else None
    assert not added(repo, made(repo, name)).dirty
    assert (repo / ".gitignore").read_text() == rule + "\n"


def test_a_rule_for_folders_does_not_hold_for_a_file(repo: Path) -> None:
    (repo / ".gitignore").write_text("data/\n")
    (repo / "data").write_text("x")
    added(repo, made(repo, "data")).flush()
    assert (repo / ".gitignore").read_text() == "data/\n/data\n"


def test_what_git_keeps_is_not_ignored(repo: Path) -> None:
    metrics = Out("m.json", str(repo / "m.json"), cache=False)
    assert not added(repo, [metrics]).dirty


def test_without_git_nothing_is_written(repo: Path) -> None:
    files = IgnoreFiles(None, made(repo, "x"), {})
    files.add(made(repo, "x")[0], (0, 0))
    assert not files.dirty and files.flush() == []
    assert not (repo / ".gitignore").exists()


def test_the_order_is_that_of_the_stages_not_of_their_end(repo: Path) -> None:
    (repo / ".gitignore").write_text("/mine\n")
    outs = made(repo, "a", "b", "c", "d")
    files = IgnoreFiles(str(repo), outs, {})
    texts: list[str] = []
    for rank in (2, 0, 3, 1):
        files.add(outs[rank], (rank, 0))
        assert files.dirty
        files.flush()
        assert not files.dirty
        texts.append((repo / ".gitignore").read_text())
    assert texts == [
        "/mine\n/c\n",
        "/mine\n/a\n/c\n",
        "/mine\n/a\n/c\n/d\n",
        "/mine\n/a\n/b\n/c\n/d\n",
    ]


def test_after_a_kill_the_order_is_still_that_of_the_stages(repo: Path) -> None:
    """The killed run wrote b; this one adds a and c, and knows what was there before both."""
    ignore = str(repo / ".gitignore")
    (repo / ".gitignore").write_text("/mine\n")
    outs = made(repo, "a", "b", "c")
    killed = IgnoreFiles(str(repo), outs, {})
    killed.add(outs[1], (1, 0))
    killed.flush()
    bases = dict(killed.bases)
    assert bases == {ignore: "/mine\n"}
    added(repo, outs, bases=bases).flush()
    assert (repo / ".gitignore").read_text() == "/mine\n/a\n/b\n/c\n"


def test_what_somebody_else_wrote_after_a_kill_stays(repo: Path) -> None:
    ignore = str(repo / ".gitignore")
    (repo / ".gitignore").write_text("/mine\n/b\n/yours\n")
    added(repo, made(repo, "a", "b", "c"), bases={ignore: "/mine\n"}).flush()
    assert (repo / ".gitignore").read_text() == "/mine\n/b\n/yours\n/a\n/c\n"


def test_the_text_before_the_run_is_known(repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log")
    files = added(repo, made(repo, "x"))
    assert files.bases == {str(repo / ".gitignore"): "*.log"}


def test_windows_line_ends_are_left_alone(repo: Path) -> None:
    (repo / ".gitignore").write_bytes(b"*.log\r\n")
    added(repo, made(repo, "x")).flush()
    assert (repo / ".gitignore").read_bytes() == b"*.log\r\n/x\n"


def test_an_output_behind_a_link_is_added_once(repo: Path) -> None:
    """A data disk that is linked into the project: Git does not say what is ignored there."""
    (repo / "disk").mkdir()
    (repo / "link").symlink_to("disk")
    for _ in range(2):
        added(repo, made(repo, "link/x")).flush()
    assert (repo / "disk/.gitignore").read_text() == "/x\n"


def test_an_output_behind_a_link_does_not_hide_others(repo: Path) -> None:
    (repo / "disk").mkdir()
    (repo / "link").symlink_to("disk")
    (repo / ".gitignore").write_text("/first\n/second\n")
    files = IgnoreFiles(str(repo), made(repo, "first", "link/x", "second"), {})
    for rank, out in enumerate(made(repo, "first", "second")):
        files.add(out, (rank, 0))
    files.flush()
    assert (repo / ".gitignore").read_text() == "/first\n/second\n"
