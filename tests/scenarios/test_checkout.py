"""`mlx checkout`: the working tree follows the commit, and nothing of the user's is lost."""

import shutil

import pytest
from tests.support.project import CopyOf, Project


def commit_twice(project: Project) -> None:
    """Two commits: in the first a folder and a file, in the second both changed and one more."""
    project.write("data/a", "1\n")
    project.write("data/sub/b", "2\n")
    project.write("single", "3\n", mode=0o755)
    project.mlx("add", "data", "single").ok()
    project.tools.commit(project.root, "one")
    project.git("branch", "one")
    project.write("data/a", "one\n")
    project.write("data/new", "more\n")
    (project.root / "data" / "sub" / "b").unlink()
    project.write("extra", "x\n")
    project.mlx("add", "data", "extra").ok()
    project.tools.commit(project.root, "two")


@pytest.fixture
def two_commits(copy_of: CopyOf) -> Project:
    return copy_of(commit_twice)


def test_back_and_forth(two_commits: Project) -> None:
    two_commits.git("checkout", "-q", "one")
    changes = two_commits.mlx("checkout", "--json").ok().json
    assert changes == {"added": [], "modified": ["data/"], "deleted": ["extra"], "failed": []}
    assert two_commits.read("data/a") == "1\n"
    assert two_commits.read("data/sub/b") == "2\n"
    assert not (two_commits.root / "data" / "new").exists()
    assert not (two_commits.root / "extra").exists()
    two_commits.git("checkout", "-q", "main")
    changes = two_commits.mlx("checkout", "--json").ok().json
    assert changes == {"added": ["extra"], "modified": ["data/"], "deleted": [], "failed": []}
    assert two_commits.mlx("checkout").ok().stdout == "nothing to do\n"
    assert "up to date" in two_commits.dvc("status").ok().stdout


def test_what_is_missing_comes_back_with_its_mode(two_commits: Project) -> None:
    (two_commits.root / "single").unlink()
    shutil.rmtree(two_commits.root / "data")
    assert two_commits.mlx("checkout").ok().stdout == "A       data/\nA       single\n"
    assert (two_commits.root / "single").stat().st_mode & 0o100


@pytest.mark.parametrize("path", ["data/a", "data/mine", "single"])
def test_changes_that_nothing_keeps_are_not_destroyed(two_commits: Project, path: str) -> None:
    two_commits.write(path, "mine\n")
    before = two_commits.snapshot()
    refused = two_commits.mlx("checkout")
    assert refused.code == 1
    assert path in refused.stderr
    assert "--force" in refused.stderr
    assert two_commits.snapshot() == before
    two_commits.mlx("checkout", "--force").ok()
    assert "up to date" in two_commits.dvc("status").ok().stdout


def test_changes_that_the_cache_keeps_may_go(two_commits: Project) -> None:
    two_commits.write("data/a", "1\n")  # as in the first commit
    two_commits.mlx("checkout").ok()
    assert two_commits.read("data/a") == "one\n"


def test_data_that_nothing_tracks_stays_if_it_was_changed(two_commits: Project) -> None:
    two_commits.write("extra", "mine\n")
    two_commits.git("checkout", "-q", "one")
    two_commits.mlx("checkout").ok()
    assert two_commits.read("extra") == "mine\n"


def test_only_what_is_named(two_commits: Project) -> None:
    shutil.rmtree(two_commits.root / "data")
    (two_commits.root / "single").unlink()
    two_commits.mlx("checkout", "data/a").ok()
    assert two_commits.read("data/a") == "one\n"
    assert not (two_commits.root / "data" / "new").exists()
    assert not (two_commits.root / "single").exists()
    two_commits.mlx("checkout", "data.dvc").ok()
    assert two_commits.read("data/new") == "more\n"
    assert two_commits.mlx("checkout", "nothing").code == 2


def test_objects_that_are_gone_or_wrong(two_commits: Project) -> None:
    md5 = two_commits.read("single.dvc").split("md5: ")[1].split()[0]
    kept = two_commits.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    (two_commits.root / "single").unlink()
    shutil.rmtree(two_commits.root / "data")
    kept.chmod(0o644)
    kept.write_text("4\n")  # as long as the right one, and read-only again
    kept.chmod(0o444)
    done = two_commits.mlx("checkout")
    assert done.code == 1
    assert "single" in done.stderr
    assert "mlx pull" in done.stderr
    assert not (two_commits.root / "single").exists()
    assert two_commits.read("data/a") == "one\n"
    two_commits.mlx("checkout", "--allow-missing").ok()


@pytest.mark.parametrize("path", ["../outside", "/tmp/mlx-outside", ".git/hooks/post-commit"])
def test_a_hostile_dvc_file_writes_nothing_outside(two_commits: Project, path: str) -> None:
    text = two_commits.read("single.dvc")
    two_commits.write("evil.dvc", text.replace("path: single", f"path: {path}"))
    refused = two_commits.mlx("checkout")
    assert refused.code in (1, 4)
    assert "evil.dvc" in refused.stderr
    assert not (two_commits.root.parent / "outside").exists()
    assert not (two_commits.root / ".git" / "hooks" / "post-commit").exists()


def test_a_hostile_dvc_file_behind_a_link(two_commits: Project) -> None:
    outside = two_commits.root.parent / "elsewhere"
    outside.mkdir()
    (two_commits.root / "door").symlink_to(outside)
    text = two_commits.read("single.dvc")
    two_commits.write("evil.dvc", text.replace("path: single", "path: door/file"))
    refused = two_commits.mlx("checkout", "evil.dvc")
    assert refused.code in (1, 4), refused
    assert list(outside.iterdir()) == []


def test_a_new_look_hashes_nothing(project: Project) -> None:
    for number in range(600):
        project.write(f"many/{number}", f"{number}\n")
    project.mlx("add", "many").ok()
    shutil.rmtree(project.root / "many")
    project.mlx("checkout").ok()
    kept = (project.root / ".mlx" / "state").read_bytes()
    assert project.mlx("checkout").ok().stdout == "nothing to do\n"
    assert project.mlx("status", "--json").json["clean"]
    assert len((project.root / ".mlx" / "state").read_bytes()) == len(kept)


def test_links_as_configured(two_commits: Project) -> None:
    two_commits.dvc("config", "cache.type", "symlink").ok()
    two_commits.mlx("checkout", "--relink").ok()
    assert (two_commits.root / "single").is_symlink()
    assert (two_commits.root / "data" / "a").is_symlink()
    assert "up to date" in two_commits.dvc("status").ok().stdout


def test_what_a_folder_hides_stays_when_nothing_tracks_it_any_more(two_commits: Project) -> None:
    two_commits.write(".dvcignore", "*.tmp\n")
    two_commits.write("data/sub/notes.tmp", "mine\n")
    (two_commits.root / "data.dvc").unlink()
    changes = two_commits.mlx("checkout", "--json").ok().json
    assert changes["deleted"] == ["data"]
    left = [path for path in (two_commits.root / "data").rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["notes.tmp"]
    assert two_commits.mlx("checkout").ok().stdout == "nothing to do\n"
