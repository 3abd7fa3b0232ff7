"""A disk that fills up in the midst of a data command: one error, nothing lost; it ends later."""

from pathlib import Path

import pytest
from tests.support.cached import (
    OBJECTS,
    cached,
    place,
    temporary_files,
    track,
    whole_objects,
)
from tests.support.commands import Result
from tests.support.disk import KIB, SmallDisk
from tests.support.forks import FullDisk, in_fork
from tests.support.long import sampled
from tests.support.project import Project
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

OUTS = ("data/", "one/")
SIZE = 300 * KIB
FREE = (700, 0, 60, 1500)  # KiB, where all of it needs 1,800


def _content(number: int, text: str = "") -> bytes:
    return bytes([number]) * SIZE + text.encode()


def _write(project: Project, text: str = "") -> None:
    for number in range(6):
        project.write(f"data/{number % 2}/{number}", _content(number, text))


@pytest.fixture
def project(small_disk: SmallDisk, template: Path, tools: Tools) -> Project:
    """A folder and a file on a small disk, tracked by nobody yet."""
    project = Project.copy(template, small_disk.resize(20 * KIB) / "p", tools)
    _write(project)
    project.write("one", "one\n")
    return project


def _full(result: Result, *, code: int = 1) -> None:
    """One error that says what is wrong, and a hint."""
    assert result.code == code, str(result)
    starts = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert starts == ["error", "hint"], str(result)
    assert "No space left" in result.stderr or "no room left" in result.stderr, str(result)


def _data(project: Project) -> dict[str, bytes]:
    found = project.snapshot().workspace
    return {path: one[1] for path, one in found.items() if f"{path}/".startswith(OUTS)}


def _nothing_half(project: Project) -> None:
    whole_objects(project.root / OBJECTS)
    assert temporary_files(project.root) == []
    project.mlx("status").ok()


def _clean(project: Project) -> None:
    assert project.dvc("status", "--json").ok().json == {}


@pytest.mark.parametrize("free", sampled(FREE, 4))
def test_add(free: int, project: Project, small_disk: SmallDisk) -> None:
    before = _data(project)
    small_disk.leave(free)
    _full(project.mlx("add", "data", "one"))
    assert _data(project) == before
    _nothing_half(project)

    small_disk.resize(20 * KIB)
    project.mlx("add", "data", "one").ok()
    _clean(project)
    assert len(cached(project)) == 8


@pytest.mark.parametrize("free", sampled(FREE, 4))
def test_commit(free: int, project: Project, small_disk: SmallDisk) -> None:
    project.mlx("add", "data", "one").ok()
    earlier, recorded = cached(project), project.read("data.dvc")
    _write(project, "new")
    before = _data(project)
    small_disk.leave(free)
    _full(project.mlx("commit", "--force"))
    assert (_data(project), project.read("data.dvc")) == (before, recorded)
    assert cached(project) >= earlier
    _nothing_half(project)

    small_disk.resize(20 * KIB)
    project.mlx("commit", "--force").ok()
    _clean(project)
    assert len(cached(project)) == len(earlier) + 7


def _data_or(one: dict[str, bytes], other: dict[str, bytes], project: Project) -> None:
    """Check that each output is as it was, or as it should be, as a whole."""
    now = _data(project)
    for out in OUTS:
        parts = [
            {path: data for path, data in of.items() if f"{path}/".startswith(out)}
            for of in (now, one, other)
        ]
        assert parts[0] in parts[1:], f"{out} is half of each"


@pytest.mark.parametrize("free", sampled(FREE, 4))
def test_checkout(free: int, project: Project, small_disk: SmallDisk) -> None:
    """Of another version: what was there stays until all of the new is."""
    project.mlx("add", "data", "one").ok()
    project.tools.commit(project.root, "first")
    first = _data(project)
    _write(project, "second")
    project.write("data/more/6", "6\n")
    project.write("one", "two\n")
    project.mlx("commit", "--force").ok()
    second = _data(project)
    project.git("checkout", "-q", "--", ".")
    small_disk.leave(free)
    _full(project.mlx("checkout"))
    _data_or(second, first, project)
    _nothing_half(project)

    small_disk.resize(20 * KIB)
    project.mlx("checkout").ok()
    assert _data(project) == first
    _clean(project)


@pytest.mark.parametrize("free", sampled([1500, 0, 60, 2500, 3300], 5))
def test_pull(free: int, project: Project, small_disk: SmallDisk, tmp_path: Path) -> None:
    project.dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    project.mlx("add", "data", "one").ok()
    project.mlx("push").ok()
    before, objects = _data(project), cached(project)
    project.sh("rm -rf data one .dvc/cache")
    small_disk.leave(free)
    _full(project.mlx("pull"))
    _data_or({}, before, project)
    _nothing_half(project)

    small_disk.resize(20 * KIB)
    project.mlx("pull").ok()
    assert (_data(project), cached(project)) == (before, objects)
    _clean(project)


def test_gc_makes_room(project: Project, small_disk: SmallDisk) -> None:
    """Where nothing can be written any more it is needed most."""
    needed = {track(project, "kept", b"kept\n")}
    for number in range(7):
        place(project, _content(number))
    small_disk.leave(0)
    project.mlx("gc", "--older-than", "0d", "--yes").ok()
    assert cached(project) == needed
    project.mlx("add", "data").ok()


def test_repair(project: Project, small_disk: SmallDisk, tmp_path: Path) -> None:
    """What is damaged is kept aside, and what is good comes when there is room."""
    project.dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    project.mlx("add", "data", "one").ok()
    project.mlx("push").ok()
    objects = cached(project)
    damaged = [project.root / OBJECTS / name[:2] / name[2:] for name in sorted(objects)[:2]]
    for path in damaged:
        path.chmod(0o644)
        with path.open("r+b") as file:
            file.write(b"rotten")
    small_disk.leave(0)
    _full(project.mlx("fsck", "--repair"))
    assert temporary_files(project.root) == []

    small_disk.resize(20 * KIB)
    project.mlx("fsck", "--repair")
    project.mlx("fetch").ok()
    assert project.mlx("fsck").ok()
    assert whole_objects(project.root / OBJECTS) == objects
    aside = [path.read_bytes()[:6] for path in (project.root / ".mlx/corrupt").iterdir()]
    assert aside == [b"rotten"] * 2


SMALL = {"data/a": b"a\n", "data/n/b": b"b\n", "one": b"one\n"}
COMMANDS = {
    "add": ("add", "data", "one"),
    "commit": ("commit", "--force"),
    "checkout": ("checkout",),
    "gc": ("gc", "--older-than", "0d", "--yes", "-q"),
}
STEPS = 60  # more than any of them takes
PARTS = 15


@pytest.fixture(scope="module")
def starts(
    template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Project]:
    """For each command a project in which it has all to do."""
    folder = tmp_path_factory.mktemp("starts")
    new = Project.copy(template, folder / "add", tools)
    for path, content in SMALL.items():
        new.write(path, content)
    done = new.twin("checkout")
    done.dvc("remote", "add", "-q", "-d", "store", str(folder / "store")).ok()
    done.mlx("add", "data", "one").ok()
    done.mlx("push").ok()
    commit, gc = done.twin("commit"), done.twin("gc")
    for path, content in SMALL.items():
        commit.write(path, b"new " + content)
    for number in range(4):
        place(gc, b"junk %d" % number)
    done.sh("rm -rf data one")
    return {"add": new, "commit": commit, "checkout": done, "gc": gc}


@pytest.fixture(scope="module")
def damaged(starts: dict[str, Project]) -> Project:
    """A project of which two objects are damaged."""
    project = starts["checkout"].twin("damaged")
    for name in sorted(cached(project))[:2]:
        path = project.root / OBJECTS / name[:2] / name[2:]
        path.unlink()
        path.write_bytes(b"rotten")
    return project


@pytest.mark.parametrize("verb", COMMANDS)
@pytest.mark.parametrize("part", sampled(range(PARTS), PARTS))
def test_at_every_write(
    part: int, verb: str, starts: dict[str, Project], tmp_path: Path, tools: Tools
) -> None:
    """Whatever it was that found no room, also where no small disk can be mounted."""
    undisturbed = Project.copy(starts[verb].root, tmp_path / "undisturbed", tools)
    in_fork(undisturbed, COMMANDS[verb], lambda: None).ok()
    expected = undisturbed.snapshot()
    codes = []
    for step in range(part, STEPS, PARTS):
        project = Project.copy(starts[verb].root, tmp_path / str(step), tools)
        result = in_fork(project, COMMANDS[verb], FullDisk(step))
        codes.append(result.code)
        if result.code:
            _full(result)
        assert temporary_files(project.root) == [], str(result)
        _nothing_lost(project, starts[verb], undisturbed)
        in_fork(project, COMMANDS[verb], lambda: None).ok()
        assert_alike(project.snapshot(), expected)
    assert codes[-1] == 0, "it never had room enough"


def _nothing_lost(project: Project, before: Project, after: Project) -> None:
    """Every file of data, and every object, is as it was or as it should be."""
    now, old, new = (one.snapshot() for one in (project, before, after))  # checks the objects
    for path in (old.workspace.keys() | new.workspace.keys()) - {".gitignore"}:
        assert now.workspace.get(path) in (old.workspace.get(path), new.workspace.get(path)), path
    assert (
        old.cache.keys() & new.cache.keys()
        <= now.cache.keys()
        <= old.cache.keys() | new.cache.keys()
    )


@pytest.mark.parametrize("step", sampled(range(30), 15))
def test_repair_at_a_write(step: int, damaged: Project, tmp_path: Path, tools: Tools) -> None:
    project = Project.copy(damaged.root, tmp_path / "p", tools)
    result = in_fork(project, ("fsck", "--repair"), FullDisk(step))
    if result.code:
        _full(result)
    assert temporary_files(project.root) == [], str(result)
    kept = [*(project.root / OBJECTS).glob("??/*"), *(project.root / ".mlx").glob("corrupt/*")]
    assert sum(path.read_bytes() == b"rotten" for path in kept) == 2, "what was there is kept"
    in_fork(project, ("fsck", "--repair"), lambda: None)
    in_fork(project, ("fetch",), lambda: None).ok()
    in_fork(project, ("fsck",), lambda: None).ok()
