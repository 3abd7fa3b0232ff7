"""Which revisions are compared where nobody says it: on branches, on main, detached, unrelated."""

from pathlib import Path

import pytest
from tests.support.tools import Tools

from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.reports.revisions import base_of, head_of


@pytest.fixture
def repo(tools: Tools, tmp_path: Path) -> Path:
    """Two commits on main, one more on main after a branch left it with one of its own."""
    tools.git(tmp_path, "init", "-q", "-b", "main")
    for name in ("one", "two"):
        (tmp_path / "file").write_text(name)
        tools.commit(tmp_path, name)
    tools.git(tmp_path, "checkout", "-q", "-b", "branch")
    (tmp_path / "file").write_text("three")
    tools.commit(tmp_path, "three")
    tools.git(tmp_path, "checkout", "-q", "main")
    (tmp_path / "other").write_text("four")
    tools.commit(tmp_path, "four")
    return tmp_path


def told(repo: Path, rev: str | None = None, base: str | None = None) -> tuple[str, str]:
    head = head_of(str(repo), rev)
    found, note = base_of(str(repo), base, head, follows=rev is None)
    return (f"{found.name}: {found.subject}", "") if found is not None else ("", note)


def test_a_branch_is_compared_with_where_it_left_main(repo: Path, tools: Tools) -> None:
    tools.git(repo, "checkout", "-q", "branch")
    assert told(repo) == ("main, where the branch left it: two", "")
    assert told(repo, "branch")[0].endswith(": two")
    tools.git(repo, "checkout", "-q", "--detach")
    assert told(repo) == ("main, where the branch left it: two", "")
    assert told(repo, base="main") == ("main: four", "")


def test_main_is_compared_with_the_commit_before(repo: Path, tools: Tools) -> None:
    assert told(repo) == ("main~1: two", "")
    assert told(repo, "main~1") == ("main~1~1: one", "")
    clone = repo / "clone"
    tools.git(repo, "clone", "-q", str(repo), str(clone))
    assert told(clone) == ("main~1: two", "")
    (clone / "file").write_text("five")
    tools.git(clone, "commit", "-q", "-a", "-m", "five")
    assert told(clone) == ("main~1: four", ""), "also where it is ahead of its remote"
    tools.git(clone, "checkout", "-q", "-b", "topic")
    assert told(clone) == ("origin/main: four", "")


def test_changes_are_compared_with_what_is_committed(repo: Path, tools: Tools) -> None:
    (repo / "file").write_text("changed")
    assert told(repo) == ("HEAD: four", "")
    assert head_of(str(repo), None).dirty == ["file"]
    tools.git(repo, "checkout", "-q", "--force", "branch")
    (repo / "file").write_text("changed")
    assert told(repo) == ("main, where the branch left it: two", "")


def test_without_a_base_it_says_why(repo: Path, tools: Tools) -> None:
    assert told(repo, "main~2") == (
        "", "this is the first commit: there is nothing to compare with"
    )  # fmt: skip
    tools.git(repo, "checkout", "-q", "--orphan", "alone")
    with pytest.raises(ProjectError, match="nothing is committed yet"):
        head_of(str(repo), None)
    tools.commit(repo, "alone")
    assert told(repo)[1].startswith("this is the first commit")
    clone = repo / "shallow"
    tools.git(repo, "clone", "-q", "--depth", "1", repo.as_uri(), str(clone))
    assert told(clone)[1].startswith("this clone begins here")
    with pytest.raises(UsageError) as error:
        told(clone, base="main")
    assert error.value.hint == "a shallow clone? run: git fetch --unshallow"
