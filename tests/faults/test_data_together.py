"""Several data commands at once: in one project they take turns, in one cache nothing is lost."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cached import OLD, dvc_file, objects_below, temporary_files, whole_objects
from tests.support.commands import Result
from tests.support.long import sampled
from tests.support.many import COUNT, FILES, add_store
from tests.support.processes import Running, project_lock
from tests.support.project import Project
from tests.support.remote import md5
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

NOW = ("--older-than", "0d", "--yes", "-q")
FOR_LONG = ("--wait", "600")


@pytest.fixture
def project(project: Project) -> Project:
    """Data in the cache and in a remote, one file of it missing in the working tree."""
    project.dvc("remote", "add", "-q", "-d", "store", "../store").ok()
    project.write("data/a", "a\n")
    project.write("data/b", "b\n")
    project.mlx("add", "data").ok()
    project.mlx("push").ok()
    project.tools.commit(project.root, "data")
    (project.root / "data/b").unlink()
    project.write("more", "more\n")
    return project


VERBS = {
    "add": ("more",),
    "commit": ("--force",),
    "checkout": (),
    "push": (),
    "fetch": (),
    "pull": (),
    "gc": ("--yes",),
}


def test_without_patience(project: Project) -> None:
    before = project.snapshot()
    with project_lock(project):
        for verb, args in VERBS.items():
            result = project.mlx(verb, *args, "--wait", "0")
            assert result.code == 5, str(result)
            said, hint = result.stderr.splitlines()
            assert said.startswith("error: another process") and f"pid {os.getpid()}" in said
            assert hint.startswith("hint: ") and "--wait" in hint
    assert_alike(project.snapshot(), before)
    for verb, args in VERBS.items():
        project.mlx(verb, *args, "--wait", "0").ok()


def _meanwhile(
    project: Project, change: Callable[[], object], *args: str, holder: Project | None = None
) -> Result:
    """Run a command that has to wait for another process, which makes a change before it ends."""
    with project_lock(holder or project):
        running = Running.mlx(project, *args, *FOR_LONG)
        running.says(f"waiting for another process (pid {os.getpid()})")
        change()
    return running.finish()


def test_what_has_changed_while_it_waited_counts(project: Project) -> None:
    """A checkout that began before does not bring back what was recorded then."""

    def change() -> None:
        name = md5(b"new\n")
        project.write(f".dvc/cache/files/md5/{name[:2]}/{name[2:]}", "new\n", mode=0o444)
        project.write("one", "new\n")
        project.write("one.dvc", dvc_file(name, "one"))

    project.write("one", "old\n")
    project.mlx("add", "one").ok()
    _meanwhile(project, change, "checkout").ok()
    assert project.read("one") == "new\n"


def test_adds_that_take_turns(project: Project) -> None:
    """None forgets what the other one has written to the files that they share."""
    paths = [f"one {number}" for number in range(4)]
    for path in paths:
        project.write(path, path)
    started = [Running.mlx(project, "add", path, *FOR_LONG) for path in paths]
    for running in started:
        running.finish().ok()
    ignored = project.read(".gitignore").splitlines()
    assert sorted(ignored) == sorted(["/data", *(f"/{path}" for path in paths)])
    project.mlx("checkout").ok()
    assert project.dvc("status", "--json").ok().json == {}


@pytest.fixture
def pair(new_project: Callable[..., Project], shared: Path) -> tuple[Project, Project]:
    """Two projects with one cache."""
    return _sharing(new_project("one"), shared), _sharing(new_project("two"), shared)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Where the objects of the shared cache are."""
    return tmp_path / "shared/files/md5"


def _sharing(project: Project, shared: Path, kind: str = "copy") -> Project:
    project.dvc("cache", "dir", "-q", str(shared.parent.parent)).ok()
    project.dvc("config", "-q", "cache.type", kind).ok()
    return project


def _clean(*projects: Project) -> None:
    for project in projects:
        assert project.dvc("status", "--json").ok().json == {}, project.root


@pytest.mark.parametrize("kind", sampled(["hardlink", "copy", "symlink"], 3))
def test_adds_into_one_cache(
    kind: str, many: Project, shared: Path, tmp_path: Path, tools: Tools
) -> None:
    """Of much the same data."""
    projects = []
    for name in ("one", "two"):
        project = Project.copy(many.root, tmp_path / name, tools)
        for number in range(0, FILES, 7):
            project.write(f"data/{number % 9}/{number}", f"{name} {number}\n")
        projects.append(_sharing(project, shared, kind))
    started = [Running.mlx(project, "add", "data") for project in projects]
    for running in started:
        running.finish().ok()
    assert len(whole_objects(shared)) == COUNT + len(range(0, FILES, 7)) + 2
    assert temporary_files(shared) == []
    _clean(*projects)


def test_pulls_and_a_push_at_one_cache(
    many_pushed: Project, shared: Path, many_objects: set[str], tmp_path: Path, tools: Tools
) -> None:
    one, two = (
        _sharing(Project.copy(many_pushed.root, tmp_path / name, tools), shared)
        for name in ("one", "two")
    )
    for running in [Running.mlx(project, "pull") for project in (one, two)]:
        running.finish().ok()
    assert whole_objects(shared) == many_objects
    _clean(one, two)

    one.sh("rm -rf data")
    store = add_store(two, tmp_path / "other")
    started = [Running.mlx(one, "checkout"), Running.mlx(two, "push")]
    for running in started:
        running.finish().ok()
    assert whole_objects(shared) == whole_objects(store) == many_objects
    _clean(one, two)


def _place(shared: Path, data: bytes, *, old: bool = False) -> str:
    name = md5(data)
    path = shared / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if old:
        os.utime(path, (OLD, OLD))
    return name


def test_gc_heeds_what_was_added_while_it_waited(
    pair: tuple[Project, Project], shared: Path
) -> None:
    one, two = pair
    junk = _place(shared, b"junk")
    added: list[str] = []

    def add() -> None:
        added.append(_place(shared, b"new"))
        two.write("new.dvc", dvc_file(added[0], "new"))

    assert junk in objects_below(shared)
    _meanwhile(one, add, "gc", "-p", str(two.root), *NOW, holder=two).ok()
    assert objects_below(shared) == set(added)


def test_gc_beside_an_add(many: Project, shared: Path, tmp_path: Path, tools: Tools) -> None:
    """Whoever comes first, what is added stays."""
    one = _sharing(Project.copy(many.root, tmp_path / "one", tools), shared)
    two = _sharing(Project.copy(many.root, tmp_path / "two", tools), shared)
    one.sh("rm -rf data")
    junk = _place(shared, b"junk", old=True)
    adding = Running.mlx(two, "add", "data")
    while adding.process.poll() is None:
        one.mlx("gc", "-p", str(two.root), *NOW, *FOR_LONG).ok()
    adding.finish().ok()
    names = whole_objects(shared)
    assert len(names) == COUNT + 1 and junk not in names
    _clean(two)


def test_two_collections_do_not_wait_for_each_other(pair: tuple[Project, Project]) -> None:
    """Each needs the locks of both projects: the one that waits for the first holds none yet."""
    one, two = pair
    locks = [project.root / ".mlx" / "repro.lock" for project in pair]
    for lock in locks:
        lock.parent.mkdir()
    with open(locks[0], "w") as first, open(locks[1], "w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        running = Running.mlx(two, "gc", "-p", str(one.root), *NOW, *FOR_LONG)
        running.says("waiting for another mlx repro")
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    running.finish().ok()


@pytest.mark.parametrize("kind", sampled(["hardlink", "copy"], 2))
def test_what_somebody_else_has_just_added_is_too_young(
    kind: str, pair: tuple[Project, Project], shared: Path
) -> None:
    """Also of data that is years old itself, and when nothing but the object is left of it."""
    one, two = (_sharing(project, shared, kind) for project in pair)
    if kind == "copy":  # the age of what may have been a link cannot be made up
        _place(shared, b"junk", old=True)
    os.utime(two.write("data", "data\n"), (OLD, OLD))
    two.mlx("add", "data").ok()
    added = md5(b"data\n")
    for script in (":", "rm data data.dvc"):
        two.sh(script)
        one.mlx("gc", "--this-project-only", "--yes").ok()
        assert objects_below(shared) == {added}
    one.mlx("gc", "--this-project-only", *NOW).ok()
    assert objects_below(shared) == set()
