"""What a user names, and under which names it is told."""

import pytest
from tests.support.project import Project

from mlxkit.comparison.revisions import Revision, active_branch, choose, has_commits, resolve
from mlxkit.core.errors import UsageError


@pytest.fixture
def root(project: Project) -> str:
    """Two commits; a tag and two branches at the first, one experiment on each."""
    project.git("tag", "-a", "-m", "x", "v1")
    project.git("branch", "old")
    first = _id(project, "HEAD")
    project.git("commit", "-q", "--allow-empty", "-m", "second")
    second = _id(project, "HEAD")
    for base in (first, second):
        project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/both", base)
    project.git("update-ref", f"refs/exps/{first[:2]}/{first[2:]}/one", first)
    project.git("update-ref", "refs/remotes/origin/far", first)
    project.git("tag", "of-a-tree", "HEAD^{tree}")
    return str(project.root)


def _id(project: Project, rev: str) -> str:
    return project.git("rev-parse", f"{rev}^{{commit}}").stdout.strip()


def test_nothing_asked_is_the_working_tree(root: str) -> None:
    assert choose(root) == [Revision("", None)]
    assert choose(None) == [Revision("", None)]


def test_branches_and_tags_are_grouped_by_commit(root: str) -> None:
    first, second = resolve(root, ["HEAD~1", "HEAD"])
    assert choose(root, branches=True, tags=True) == [
        Revision("workspace", None), Revision("main", second), Revision("old,v1", first),
    ]  # fmt: skip
    assert choose(root, commits=True)[1:] == [Revision(second, second), Revision(first, first)]
    assert choose(root, ["v1", "workspace", "HEAD~1", "v1"])[1:] == [Revision("v1,HEAD~1", first)]


@pytest.mark.parametrize(("rev", "expected"), [
    ("one", "HEAD~1"), ("both", "HEAD"), ("far", "HEAD~1"), ("v1", "HEAD~1"), (":/start", "v1"),
    ("main@{0}", "HEAD"), ("HEAD^0", "HEAD"),
])  # fmt: skip
def test_all_that_names_a_commit(rev: str, expected: str, root: str) -> None:
    assert resolve(root, [rev, "v1"]) == resolve(root, [expected, "HEAD~1"])


@pytest.mark.parametrize("rev", [
    "", " ", "nowhere", "-x", "--all", "HEAD~9", "v1..HEAD", "of-a-tree", "*", "a\nb", "\0", "é",
])  # fmt: skip
def test_what_names_none_is_an_error(rev: str, root: str) -> None:
    with pytest.raises(UsageError, match="is no revision"):
        resolve(root, ["HEAD", rev])


def test_the_branch_that_is_checked_out(root: str, project: Project) -> None:
    assert active_branch(root) == "main" and has_commits(root)
    project.git("checkout", "-q", "--detach")
    assert active_branch(root) is None
    project.git("checkout", "-q", "--orphan", "new")
    assert not has_commits(root)


def test_a_model_is_first_that_of_the_project_that_asks(root: str, project: Project) -> None:
    for model, commit in (("census", "HEAD~1"), ("team=census", "HEAD")):
        for tag in ("@v1.0.0", "#prod#1"):
            project.git("tag", "-a", "-m", "x", f"{model}{tag}", commit)
    top, team = resolve(root, ["HEAD~1", "HEAD"])
    assert resolve(root, ["census#prod", "team:census#prod"]) == [top, team]
    assert resolve(root, ["census#prod", "team:census@1.0.0"], "team") == [team, team]
