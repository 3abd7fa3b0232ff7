"""References of experiments: DVC's names, and only those."""

from pathlib import Path

import pytest
from tests.support.experiments import write_experiment
from tests.support.project import Project

from mlxkit.core.errors import UsageError
from mlxkit.experiments import refs
from mlxkit.experiments.baselines import Wanted, baselines, chosen, names, resolve

BASE = "ab" + "c" * 38


@pytest.fixture
def root(project: Project) -> Path:
    """A repository of two commits, with experiments of both."""
    write_experiment(project.root, "old", {"a": "0"}, env=project.tools.env)
    write_experiment(project.root, "twice", {"a": "0"}, env=project.tools.env)
    project.write("x", "1")
    project.tools.commit(project.root, "second")
    write_experiment(project.root, "new", {"a": "1"}, env=project.tools.env)
    write_experiment(project.root, "twice", {"a": "1"}, env=project.tools.env)
    return project.root


@pytest.mark.parametrize("ref", [
    "refs/exps/stash", "refs/exps/exec/EXEC_HEAD", "refs/exps/apply/stash",
    "refs/exps/celery/stash", "refs/exps/celery/failed", "refs/exps/temp/x/y",
    f"refs/exps/ab/{'c' * 38}", f"refs/exps/ab/{'c' * 38}/a/b", "refs/exps/ab/cd/name",
    f"refs/exps/AB/{'c' * 38}/name", f"refs/heads/ab/{'c' * 38}/name",
])  # fmt: skip
def test_what_is_no_experiment(ref: str) -> None:
    assert refs.parse_ref(ref) is None


@pytest.mark.parametrize("name", ["lime-otter", "-x", "ä", "$(id)", "a\udcffb", "\u202ex"])
def test_any_name_that_git_takes_is_read(name: str) -> None:
    assert refs.parse_ref(refs.ref_name(BASE, name)) == (BASE, name)


@pytest.mark.parametrize("name", [
    "", "-x", "a/b", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\", "a@{1}", ".a", "@",
    "a.", "a.lock", "a\nb", "a\x1b[0m",
])  # fmt: skip
def test_names_that_nothing_gets(name: str) -> None:
    with pytest.raises(UsageError):
        refs.check_name(name)


def test_git_takes_every_name_that_is_allowed(root: Path) -> None:
    found = refs.find_experiment(str(root), "new")
    for name in ("a", "A.b", "x_1-2", "ä", "a@b", "a{b}", "100%", "$(id)"):
        refs.write_experiment(str(root), found._replace(name=name))
        assert refs.find_experiment(str(root), name).commit == found.commit


def test_by_name_reference_and_commit(root: Path) -> None:
    found = refs.find_experiment(str(root), "new")
    assert refs.find_experiment(str(root), found.ref) == found
    assert refs.find_experiment(str(root), found.commit[:9]) == found
    with pytest.raises(UsageError) as caught:
        refs.find_experiment(str(root), "mew")
    assert caught.value.hint == "did you mean 'new'?"


def test_a_name_at_several_commits_is_that_of_the_current_one(root: Path, project: Project) -> None:
    head = project.git("rev-parse", "HEAD").stdout.strip()
    assert refs.find_experiment(str(root), "twice").baseline == head
    project.git("commit", "-q", "--allow-empty", "-m", "third")
    with pytest.raises(UsageError) as caught:
        refs.find_experiment(str(root), "twice")
    assert "names 2 experiments" in caught.value.message
    assert caught.value.message.count("refs/exps/") == 2


def test_writing_takes_nothing_from_another(root: Path) -> None:
    new, old = refs.find_experiment(str(root), "new"), refs.find_experiment(str(root), "old")
    with pytest.raises(refs.Exists):
        refs.write_experiment(str(root), new._replace(commit=old.commit))
    with pytest.raises(refs.Exists):
        changed = new._replace(commit=old.commit)
        refs.write_experiment(str(root), changed, previous=old.commit)
    assert refs.find_experiment(str(root), "new") == new
    refs.write_experiment(str(root), new._replace(commit=old.commit), previous=new.commit)
    assert refs.list_experiments(str(root), new.baseline)[0].commit == old.commit


def test_deleting_is_all_or_nothing(root: Path) -> None:
    every = refs.list_experiments(str(root))
    wrong = every[-1]._replace(commit=every[0].commit)
    from mlxkit.core.errors import MlxError

    with pytest.raises(MlxError):
        refs.delete_experiments(str(root), [*every[:-1], wrong])
    assert refs.list_experiments(str(root)) == every
    refs.delete_experiments(str(root), every)
    assert refs.list_experiments(str(root)) == []


def test_renaming_is_one_step(root: Path) -> None:
    new, twice = (refs.find_experiment(str(root), name) for name in ("new", "twice"))
    with pytest.raises(refs.Exists):
        refs.rename_experiment(str(root), new, new._replace(name="twice"))
    assert refs.find_experiment(str(root), "new") == new
    refs.rename_experiment(str(root), new, new._replace(name="twice"), replaced=twice)
    assert [one.commit for one in refs.list_experiments(str(root), new.baseline)] == [new.commit]


def test_which_commits_are_meant(root: Path, project: Project) -> None:
    project.git("tag", "-a", "-m", "x", "v1", "HEAD~1")
    project.git("branch", "side", "HEAD~1")
    head, before = project.git("rev-parse", "HEAD", "HEAD~1").stdout.split()
    git_root = str(root)
    assert baselines(git_root, Wanted()) == [head]
    assert baselines(git_root, Wanted(num=2)) == [head, before]
    assert baselines(git_root, Wanted(num=-1)) == [head, before]
    assert baselines(git_root, Wanted(num=0)) == []
    assert baselines(git_root, Wanted(("side", "HEAD"))) == [before, head]
    assert baselines(git_root, Wanted(tags=True)) == [before]
    assert set(baselines(git_root, Wanted(branches=True))) == {head, before}
    assert baselines(git_root, Wanted(commits=True)) == [head, before]
    assert names(git_root) == {head: "main", before: "v1"}
    assert resolve(git_root, "new") == refs.find_experiment(git_root, "new").commit
    with pytest.raises(UsageError):
        resolve(git_root, "nothing")


def test_which_experiments_are_meant(root: Path) -> None:
    git_root = str(root)

    def found(what: list[str], wanted: Wanted) -> list[str]:
        return [one.name for one in chosen(git_root, what, wanted)]

    assert found([], Wanted()) == ["new", "twice"]
    assert sorted(found([], Wanted(num=2))) == ["new", "old", "twice", "twice"]
    assert sorted(found([], Wanted(commits=True))) == ["new", "old", "twice", "twice"]
    assert found(["old", "old"], Wanted()) == ["old"]
    with pytest.raises(UsageError):
        found(["nothing"], Wanted())
