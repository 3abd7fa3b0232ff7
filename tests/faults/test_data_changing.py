"""Files that change while they are read or replaced: what is recorded is what is there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.cached import OBJECTS, objects_below, temporary_files, whole_objects
from tests.support.commands import Result
from tests.support.forks import in_fork
from tests.support.long import sampled
from tests.support.project import Project

VICTIM = "data/victim"
Change = Callable[[Path], object]


def _replace(path: Path) -> None:
    path.with_name("other").write_bytes(b"replaced")
    os.replace(path.with_name("other"), path)


def _become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: dict[str, Change] = {
    "appended to": _append,
    "cut": lambda path: os.truncate(path, 3),
    "written anew": lambda path: path.write_bytes(b"anew"),
    "replaced": _replace,
}
ENDS: dict[str, Change] = {
    "deleted": os.unlink,
    "a folder now": _become_a_folder,
    "a pipe now": _become_a_pipe,
}
FOR_EVER = 1 << 60
SIZES = {"small": 1000, "big": (3 << 20) + 5}
KINDS = ("copy", "hardlink", "symlink")
VERBS = {
    "add": ("add", "data"),
    "add a file": ("add", VICTIM),
    "commit": ("commit", "--force"),
}


class Meddler:
    """Changes a file in the midst of a command: each time that it was opened, or read from."""

    def __init__(self, path: Path, change: Change, when: str, *, times: int = 1) -> None:
        self._path = path
        self._change = change
        self._when = when
        self._left = times

    def __call__(self) -> None:
        """Begin to watch, in this process."""
        for name in ("open", "read", "readv"):
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *args: Any, **options: Any) -> Any:
            done = real(first, *args, **options)
            if name.startswith(self._when) and self._left and self._is_ours(first):
                self._left -= 1
                self._change(self._path)
            return done

        return call

    def _is_ours(self, first: Any) -> bool:
        if not isinstance(first, int):
            return os.fspath(first) == str(self._path)
        seen, there = os.fstat(first), os.stat(self._path)
        return (seen.st_dev, seen.st_ino) == (there.st_dev, there.st_ino)


def _project(new: Project, verb: str, size: str, kind: str) -> Project:
    new.dvc("config", "-q", "cache.type", kind).ok()
    new.write("data/calm", "calm\n")
    if verb == "commit":
        new.write(VICTIM, "earlier\n")
        new.mlx("add", "data").ok()
        (new.root / VICTIM).unlink()
    new.write(VICTIM, os.urandom(8) * (SIZES[size] // 8))
    return new


def _consistent(project: Project) -> None:
    """Every object is what its name says, and nothing half is left."""
    whole_objects(project.root / OBJECTS)
    assert temporary_files(project.root) == []


MOMENTS = [
    (verb, change, when, size, kind)
    for verb in VERBS
    for change in CHANGES
    for when in ("open", "read")
    for size in SIZES
    for kind in KINDS
]


@pytest.mark.parametrize(("verb", "change", "when", "size", "kind"), sampled(MOMENTS, 25))
def test_it_is_read_again(
    verb: str, change: str, when: str, size: str, kind: str, project: Project
) -> None:
    """Whatever of it was read before: what is recorded is the whole new content."""
    _project(project, verb, size, kind)
    meddler = Meddler(project.root / VICTIM, CHANGES[change], when)
    result = in_fork(project, VERBS[verb], meddler)
    _consistent(project)
    if kind == "symlink" and result.code:  # nothing that may be new is replaced by a link
        _refused(result)
        project.mlx(*VERBS[verb]).ok()
    else:
        result.ok()
    assert project.mlx("status", "--json").ok().json["clean"] is True
    assert project.dvc("status", "--json").ok().json == {}
    named = [line for line in project.read(_dvcfile(verb)).split() if len(line) >= 32]
    assert named[0] in objects_below(project.root / OBJECTS)


def _dvcfile(verb: str) -> str:
    return f"{VICTIM}.dvc" if verb == "add a file" else "data.dvc"


ENDINGS = [
    (verb, change, when, size)
    for verb in ("add", "add a file")
    for change in ENDS
    for when in ("open", "read")
    for size in SIZES
]


@pytest.mark.parametrize(("verb", "change", "when", "size"), sampled(ENDINGS, 11))
def test_it_is_a_file_no_more(
    verb: str, change: str, when: str, size: str, project: Project
) -> None:
    _project(project, verb, size, "copy")
    recorded = _recorded(project, verb)
    _refused(in_fork(project, VERBS[verb], Meddler(project.root / VICTIM, ENDS[change], when)))
    assert _recorded(project, verb) == recorded
    _consistent(project)


def _recorded(project: Project, verb: str) -> str | None:
    path = project.root / _dvcfile(verb)
    return path.read_text() if path.exists() else None


@pytest.mark.parametrize(
    ("size", "kind"), sampled([(size, kind) for size in SIZES for kind in KINDS], 5)
)
def test_it_never_rests(size: str, kind: str, project: Project) -> None:
    _project(project, "add", size, kind)
    meddler = Meddler(project.root / VICTIM, _append, "r", times=FOR_EVER)
    result = in_fork(project, ("add", "data"), meddler)
    _refused(result)
    assert "changing" in result.stderr
    assert not (project.root / "data.dvc").exists()
    _consistent(project)
    project.mlx("add", "data").ok()
    assert project.dvc("status", "--json").ok().json == {}


def _refused(result: Result) -> None:
    assert result.code == 1, str(result)
    said, hint = result.stderr.splitlines()
    assert said.startswith("error: ") and VICTIM in said, str(result)
    assert hint.startswith("hint: "), str(result)


class AtStaging:
    """Changes files when a place for what is to replace them is made."""

    def __init__(self, *changes: Callable[[], object]) -> None:
        self._changes = changes

    def __call__(self) -> None:
        """Begin to watch, in this process."""
        mkdir, left = os.mkdir, list(self._changes)

        def watched(path: Any, *args: Any) -> None:
            mkdir(path, *args)
            while os.path.basename(path).startswith(".mlx-") and left:
                left.pop()()

        os.mkdir = watched  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("verb", "change"), sampled([(verb, change) for verb in VERBS for change in CHANGES], 7)
)
def test_what_was_written_after_it_was_taken_stays(
    verb: str, change: str, project: Project
) -> None:
    """It is about to be replaced by a link to its object, which does not have it."""
    _project(project, verb, "small", "symlink")
    path = project.root / VICTIM
    written: list[bytes] = []
    twin = project.write("twin", path.read_bytes())
    CHANGES[change](twin)
    written.append(twin.read_bytes())
    result = in_fork(project, VERBS[verb], AtStaging(lambda: CHANGES[change](path)))
    _refused(result)
    assert path.read_bytes() == written[0]
    _consistent(project)
    project.mlx(*VERBS[verb]).ok()
    assert path.read_bytes() == written[0]


@pytest.fixture
def behind(project: Project) -> Project:
    """A project whose commit records other data than what is laid out."""
    project.write(VICTIM, "first\n")
    project.write("data/only", "in the first\n")
    project.write("one", "first\n")
    project.mlx("add", "data", "one").ok()
    project.tools.commit(project.root, "first")
    project.write(VICTIM, "second\n")
    project.write("data/more", "in the second\n")
    (project.root / "data/only").unlink()
    project.write("one", "second\n")
    project.mlx("commit", "--force").ok()
    project.git("checkout", "-q", "--", ".")
    return project


WRITTEN = {
    "changed": (VICTIM, ":"),
    "about to go": ("data/more", ":"),
    "in the way": ("data/only", ":"),
    "a file alone": ("one", "mlx checkout -q data"),
    "in a new folder": ("data/mine", "rm -r data; mlx checkout -q one"),
    "where nothing was": ("one", "rm one; mlx checkout -q data"),
}


@pytest.mark.parametrize("where", sampled(WRITTEN, 3))
def test_what_is_written_during_a_checkout_stays(where: str, behind: Project) -> None:
    path, script = WRITTEN[where]
    behind.sh(script)
    before = behind.snapshot().workspace
    meddler = AtStaging(lambda: behind.write(path, "mine\n"))
    result = in_fork(behind, ("checkout",), meddler)
    assert result.code == 1 and os.path.dirname(path) in result.stderr, str(result)
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"]
    after = behind.snapshot().workspace
    assert after.pop(path)[1] == b"mine\n"
    assert after == {one: entry for one, entry in before.items() if one != path}
    assert temporary_files(behind.root) == []

    refused = behind.mlx("checkout")
    assert refused.code == 1 and path in refused.stderr, str(refused)
    assert behind.read(path) == "mine\n"
    behind.mlx("checkout", "--force").ok()
    assert behind.dvc("status", "--json").ok().json == {}
