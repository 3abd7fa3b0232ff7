"""Data on its way to a remote and back, as a team does it; dvc agrees at every step."""

import os
from pathlib import Path

import pytest
from tests.support.cached import OBJECTS, cached, objects_below
from tests.support.project import Project
from tests.support.servers import Servers
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

pytest_plugins = ["tests.support.servers"]

KINDS = ("s3", "ssh", "webdav", "http")
FILES = {"data/a.txt": "a\n", "data/b.txt": "b\n", "data/sub/c.txt": "c\n", "one.txt": "one\n"}
OUTPUTS = ("data", "one.txt", "kept", "private", "made", "same")
STAGE = {
    "make": {
        "cmd": "for out in made private kept; do echo $out | cat one.txt - > $out; done",
        "deps": ["one.txt"],
        "outs": ["made", {"private": {"push": False}}, {"kept": {"cache": False}}],
    },
    "plain": {"cmd": "cat one.txt > same", "deps": ["one.txt"], "outs": ["same"]},
}


@pytest.fixture(scope="module")
def data_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, a file, a stage with three kinds of outputs, a remote; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("data") / "project", tools)
    for path, text in FILES.items():
        project.write(path, text)
    project.dvc("add", "-q", "data", "one.txt").ok()
    project.pipeline(STAGE)
    project.mlx("repro").ok()
    project.dvc("remote", "add", "-q", "-d", "store", "../store").ok()
    project.tools.commit(project.root, "data")
    return project.root


@pytest.fixture
def data(data_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A copy of it."""
    return Project.copy(data_once, tmp_path / "project", tools)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder that is its remote."""
    return tmp_path / "store"


def wipe(project: Project) -> None:
    """Remove the cache and all data, as a fresh clone has none."""
    project.sh(f"rm -rf .dvc/cache {' '.join(OUTPUTS)}")


def modes(folder: Path) -> dict[str, int]:
    """The modes of everything below a folder."""
    return {str(path.relative_to(folder)): path.stat().st_mode for path in folder.rglob("*")}


def test_there_and_back(data: Project, store: Path) -> None:
    data.sh("rm -r .dvc/cache/runs")
    before = data.snapshot()
    pushed = data.mlx("push").ok().stdout
    assert pushed.startswith("pushed 6 files, ") and ", to 'store' in " in pushed
    assert data.mlx("push").ok().stdout == "nothing to push: 'store' has everything\n"
    wipe(data)
    data.write("kept", "one\nkept\n")
    pulled = data.mlx("pull", "--json")
    assert pulled.json["fetched"] == 6
    assert sorted(pulled.json["added"]) == ["data/", "made", "one.txt", "same"]
    assert pulled.json["failed"] == ["private"], "the cache alone had it"
    assert pulled.code == 1
    assert (data.root / "data/sub/c.txt").read_text() == "c\n"
    data.mlx("pull", "--allow-missing").ok()
    data.mlx("repro").ok()
    data.sh("rm -rf .dvc/cache/runs")
    assert_alike(data.snapshot(), before)


def test_the_same_folder_as_dvc_makes(data: Project, store: Path) -> None:
    data.mlx("push", "--run-cache").ok()
    by_mlx = modes(store)
    store.rename(store.with_name("by-mlx"))
    data.dvc("push", "-q", "--run-cache").ok()
    assert by_mlx == modes(store)
    wipe(data)
    data.dvc("fetch", "-q", "--run-cache").ok()
    by_dvc = modes(data.root / ".dvc/cache")
    wipe(data)
    data.mlx("fetch", "--run-cache").ok()
    assert modes(data.root / ".dvc/cache") == by_dvc


def test_counts_are_dvcs(data: Project, store: Path) -> None:
    twin = data.twin("twin")
    twin.dvc("remote", "modify", "-q", "store", "url", "../store-of-dvc").ok()
    assert twin.dvc("push").ok().stdout.strip() == "6 files pushed"
    assert data.mlx("push", "--json").ok().json == {"pushed": 6, "failed": []}
    wipe(data)
    assert data.mlx("fetch", "--json").ok().json == {"fetched": 6, "failed": []}
    wipe(data)
    document = data.mlx("fetch", "--json", "data/sub").ok().json
    assert document == {"fetched": 2, "failed": []}


def test_parts(data: Project, store: Path) -> None:
    data.mlx("push", "data/a.txt", "one.txt.dvc").ok()
    assert len(objects_below(store / "files/md5")) == 3
    wipe(data)
    data.mlx("pull", "data/a.txt").ok()
    assert sorted(os.listdir(data.root / "data")) == ["a.txt"]
    assert len(cached(data)) == 2


def test_a_folder_of_which_a_part_was_pushed_becomes_whole(data: Project, store: Path) -> None:
    """Where the object of a folder is there, dvc takes its files to be there, too."""
    data.dvc("push", "-q", "data/a.txt").ok()
    data.mlx("push", "data").ok()
    assert len(objects_below(store / "files/md5")) == 4


def test_what_is_fetched_is_only_what_is_missing(data: Project) -> None:
    data.mlx("push").ok()
    data.sh("find .dvc/cache -name '*.dir' -delete")
    assert data.mlx("fetch", "--json").ok().json["fetched"] == 1
    assert data.mlx("fetch").ok().stdout == "nothing to fetch: the cache has everything\n"


def test_nobody_needs_a_remote_for_what_is_here(data: Project) -> None:
    data.dvc("remote", "remove", "-q", "store").ok()
    assert data.mlx("fetch").ok().stdout == "nothing to fetch: the cache has everything\n"
    result = data.mlx("push")
    assert result.code == 4
    assert "there is no default remote" in result.stderr and "mlx remote add" in result.stderr


def test_an_unknown_remote(data: Project) -> None:
    result = data.mlx("push", "-r", "stoer")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr == "error: there is no remote 'stoer'\nhint: remotes: store\n"


def test_a_disk_that_is_not_mounted(data: Project) -> None:
    wipe(data)
    result = data.mlx("fetch")
    assert result.code == 6
    assert "there is no folder" in result.stderr and "mount it" in result.stderr


def test_another_remote(data: Project, store: Path) -> None:
    data.dvc("remote", "add", "-q", "other", "../other").ok()
    assert "to 'other'" in data.mlx("push", "-r", "other").ok().stdout
    assert not store.exists()
    wipe(data)
    data.mlx("fetch", "-r", "OTHER").ok()


def test_an_output_with_a_remote_of_its_own(data: Project, store: Path) -> None:
    data.dvc("remote", "add", "-q", "other", "../other").ok()
    data.write("one.txt.dvc", data.read("one.txt.dvc") + "  remote: other\n")
    data.mlx("push", "data.dvc", "one.txt.dvc").ok()
    assert len(objects_below(store / "files/md5")) == 4
    assert len(objects_below(store.with_name("other") / "files/md5")) == 1
    assert data.mlx("push", "-r", "store", "one.txt.dvc").ok().stdout.startswith("nothing to push")
    wipe(data)
    assert data.mlx("fetch", "--json", "data.dvc", "one.txt.dvc").ok().json["fetched"] == 5


def test_folders_patterns_and_what_is_needed(data: Project, store: Path) -> None:
    data.mlx("push", "-R", ".").ok()
    assert len(objects_below(store / "files/md5")) == 6
    wipe(data)
    assert data.mlx("fetch", "--json", "--glob", "d*a").ok().json["fetched"] == 4
    wipe(data)
    assert data.mlx("fetch", "--json", "-d", "make").ok().json == {"fetched": 2, "failed": []}


def test_run_cache(data: Project, store: Path) -> None:
    data.mlx("push", "--run-cache").ok()
    runs = sorted(path.name for path in (store / "runs").glob("??/*/*"))
    assert runs
    assert data.mlx("push", "--run-cache").ok().stdout.startswith("nothing to push")
    wipe(data)
    data.sh("rm dvc.lock")
    data.mlx("fetch", "--run-cache", "one.txt").ok()
    assert sorted(path.name for path in (data.root / ".dvc/cache/runs").glob("??/*/*")) == runs


def test_changes_of_the_user_are_kept(data: Project) -> None:
    data.mlx("push").ok()
    data.sh("rm -rf .dvc/cache")
    data.write("one.txt", "mine\n")
    result = data.mlx("pull", "one.txt")
    assert result.code == 1 and "one.txt" in result.stderr
    assert data.read("one.txt") == "mine\n"
    data.mlx("pull", "--force", "one.txt").ok()
    assert data.read("one.txt") == "one\n"


def test_what_other_commits_record(data: Project, store: Path) -> None:
    data.write("one.txt", "two\n")
    data.mlx("repro", "-P").ok()
    data.tools.commit(data.root, "two")
    assert data.mlx("push", "--json", "--all-commits").ok().json == {"pushed": 8, "failed": []}
    wipe(data)
    assert data.mlx("fetch", "--json", "-A").ok().json == {"fetched": 8, "failed": []}
    assert data.mlx("fetch", "--max-size", "3", "--json").ok().json["failed"] == []


def test_imports_are_left_to_dvc(data: Project, store: Path) -> None:
    (data.root.parent / "source.csv").write_text("1\n")
    data.dvc("import-url", "-q", str(data.root.parent / "source.csv"), "in.csv").ok()
    assert data.mlx("push", "--json").ok().json == {"pushed": 7, "failed": []}
    wipe(data)
    data.sh("rm in.csv")
    document = data.mlx("pull", "--json", "--allow-missing").ok().json
    assert document["fetched"] == 7
    assert "in.csv" in document["added"]
    assert data.read("in.csv") == "1\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server(kind: str, data: Project, servers: Servers) -> None:
    remote = servers.remote(kind)
    remote.add_to(data)
    data.mlx("push").ok()
    assert len(remote.objects()) == 6 and remote.wrong() == []
    assert set(remote.listing()) == set(remote.objects()), "nothing temporary stays behind"
    so_far = len(remote.asked)
    assert data.mlx("push").ok().stdout == "nothing to push: 'store' has everything\n"
    assert remote.keys("write", so_far) == []
    wipe(data)
    data.mlx("pull", "data", "one.txt", "made").ok()
    assert data.read("data/sub/c.txt") == "c\n"
    assert set(modes(data.root / OBJECTS).values()) <= {0o40755, 0o100444}


def test_objects_that_a_server_lost_are_sent_again(data: Project, servers: Servers) -> None:
    """What was noted of a remote is believed only while its folders' objects are there."""
    remote = servers.remote("http")
    remote.add_to(data)
    data.mlx("push").ok()
    from tests.support.serve_http import HttpServer

    server = servers.get("http")
    assert isinstance(server, HttpServer)
    for path in (server.folder(remote) / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    assert data.mlx("push", "--json").ok().json == {"pushed": 6, "failed": []}
