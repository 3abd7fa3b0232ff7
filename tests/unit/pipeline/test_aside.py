"""Earlier outputs while a stage runs: set aside, put back, dropped, wherever a kill falls."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.pipeline.forks import as_plain_user, dies_before
from tests.unit.pipeline.parts import out, stage

from mlxkit.pipeline.aside import Aside, drop, left_behind, put_back, set_aside
from mlxkit.pipeline.spec import Stage

MOVES = ("rename", "replace")


class World:
    """A stage with two files and a folder as outputs, in a project of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = str(root / ".mlx" / "run")
        self.partial = str(root / ".mlx" / "partial")
        made = stage("s", ["in"], ["a", "sub/b", "d", out("check", persist=True)])
        self.stage: Stage = made._replace(
            outs=tuple(one._replace(abs=str(root / one.path)) for one in made.outs)
        )

    def write(self, word: str) -> None:
        """What one run of the stage leaves."""
        for path in ("a", "sub/b", "d/x", "d/n/y"):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(f"{word} {path}")

    def files(self, folder: str = "") -> dict[str, str]:
        """All files below a folder but those of mlx, with what they say."""
        base = self.root / folder
        return {
            str(path.relative_to(base)): path.read_text()
            for path in sorted(base.rglob("*"))
            if path.is_file() and (folder or ".mlx" not in path.parts)
        }

    def set_aside(self) -> Aside:
        return set_aside(self.run, "s", self.stage)

    def recover(self) -> list[str | None]:
        """What a run after a kill does."""
        return [put_back(kept, self.partial) for kept in left_behind(self.run)]

    @property
    def is_tidy(self) -> bool:
        """Nothing is left aside."""
        return not os.path.exists(os.path.join(self.run, "aside", "s"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path.resolve())


def test_set_aside_then_put_back(world: World) -> None:
    world.write("old")
    before = world.files()
    kept = world.set_aside()
    assert world.files() == {}, "the stage starts without its outputs"
    assert put_back(kept, world.partial) is None, "it wrote nothing: nothing partial"
    assert world.files() == before
    assert world.is_tidy


def test_what_a_failed_stage_wrote_is_kept_apart(world: World) -> None:
    world.write("old")
    before = world.files()
    kept = world.set_aside()
    world.write("new")
    assert put_back(kept, world.partial) == os.path.join(world.partial, "s")
    assert world.files() == before
    assert set(world.files(".mlx/partial/s").values()) == {
        "new a", "new sub/b", "new d/x", "new d/n/y"
    }  # fmt: skip


def test_outputs_with_one_name_are_both_kept(world: World) -> None:
    names = ("x/m.json", "y/m.json")
    two = world.stage._replace(
        outs=tuple(out(name)._replace(abs=str(world.root / name)) for name in names),
    )
    kept = set_aside(world.run, "s", two)
    for name in names:
        (world.root / name).parent.mkdir(parents=True)
        (world.root / name).write_text(name)
    put_back(kept, world.partial)
    assert sorted(world.files(".mlx/partial/s").values()) == list(names)


def test_folders_with_one_name_are_both_kept(world: World) -> None:
    names = ("x/model", "y/model")
    two = world.stage._replace(
        outs=tuple(out(name)._replace(abs=str(world.root / name)) for name in names),
    )
    kept = set_aside(world.run, "s", two)
    for name in names:
        (world.root / name).mkdir(parents=True)
        (world.root / name / "w").write_text(name)
    put_back(kept, world.partial)
    assert sorted(world.files(".mlx/partial/s").values()) == list(names)


def test_what_an_earlier_failure_left_is_replaced(world: World) -> None:
    for word in ("first", "second"):
        kept = world.set_aside()
        world.write(word)
        put_back(kept, world.partial)
    assert set(world.files(".mlx/partial/s").values()) == {
        "second a", "second sub/b", "second d/x", "second d/n/y"
    }  # fmt: skip


def test_earlier_outputs_come_back_whatever_becomes_of_the_others(world: World) -> None:
    """There is no room, or no right, to keep what the stage wrote."""
    world.write("old")
    before = world.files()
    kept = world.set_aside()
    world.write("new")
    Path(world.partial).write_text("in the way")
    with suppress(OSError):
        put_back(kept, world.partial)
    assert world.files() == before


def test_after_success_it_is_dropped(world: World) -> None:
    world.write("old")
    kept = world.set_aside()
    world.write("new")
    drop(kept)
    assert world.is_tidy
    assert world.files()["a"] == "new a"
    assert left_behind(world.run) == []
    drop(kept)  # again: no error


def test_an_output_that_persists_is_not_touched(world: World) -> None:
    (world.root / "check").write_text("epoch 7")
    kept = world.set_aside()
    assert world.files() == {"check": "epoch 7"}
    (world.root / "check").write_text("epoch 9")
    put_back(kept, world.partial)
    assert world.files() == {"check": "epoch 9"}


def test_links_come_back_as_links(world: World) -> None:
    """An output may be a link into the cache; it is moved, not what it leads to."""
    (world.root / "elsewhere").write_text("x")
    (world.root / "a").symlink_to("elsewhere")
    (world.root / "d").symlink_to("nowhere")
    kept = world.set_aside()
    assert not os.path.lexists(world.root / "a")
    put_back(kept, world.partial)
    assert os.readlink(world.root / "a") == "elsewhere"
    assert os.readlink(world.root / "d") == "nowhere"


def test_killed_while_it_sets_aside(world: World) -> None:
    """Before the note, after it, and between any two moves."""
    world.write("old")
    before = world.files()
    number = 0
    while dies_before(number, MOVES, world.set_aside):
        assert world.recover() in ([], [None])
        assert world.files() == before, f"killed before move {number}"
        number += 1
    assert number == 4, "the note and three outputs"


def test_killed_while_it_runs(world: World) -> None:
    world.write("old")
    before = world.files()
    world.set_aside()
    world.write("new")
    (world.root / "a").unlink()
    assert world.recover() == [os.path.join(world.partial, "s")]
    assert world.files() == before
    assert sorted(world.files(".mlx/partial/s").values()) == ["new d/n/y", "new d/x", "new sub/b"]
    assert world.recover() == [], "once"


def test_killed_while_it_puts_back(world: World) -> None:
    """Nothing is lost, neither of the earlier outputs nor of what the stage wrote."""
    number, died = 0, True
    while died:
        world.write("old")
        before = world.files()
        kept = world.set_aside()
        world.write("new")
        shutil.rmtree(world.partial, ignore_errors=True)
        died = dies_before(number, MOVES, lambda kept=kept: put_back(kept, world.partial))  # type: ignore[misc]
        world.recover()
        assert world.files() == before, f"killed before move {number}"
        assert world.is_tidy
        assert set(world.files(".mlx/partial/s").values()) == {
            "new a", "new sub/b", "new d/x", "new d/n/y"
        }, f"killed before move {number}"  # fmt: skip
        number += 1
    assert number > 6, "three outputs each way"


def test_killed_while_it_drops(world: World) -> None:
    """The new outputs are committed: whatever happens, they stay."""
    number = 0
    while True:
        world.write("old")
        kept = world.set_aside()
        world.write("new")
        died = dies_before(number, ("unlink", "rmdir"), lambda kept=kept: drop(kept))  # type: ignore[misc]
        for left in left_behind(world.run):
            drop(left)
        assert world.files()["a"] == "new a"
        assert left_behind(world.run) == []
        if not died:
            break
        number += 1
    assert number > 4


def test_a_note_that_was_cut_is_of_a_run_that_had_moved_nothing(world: World) -> None:
    os.makedirs(os.path.join(world.run, "aside", "s"))
    Path(world.run, "aside", "s", "note.json").write_text('{"key": "s", "ou')
    assert left_behind(world.run) == []


def test_stages_of_one_run_do_not_meet(world: World) -> None:
    world.write("old")
    other = world.stage._replace(
        name="t", outs=(world.stage.outs[0]._replace(abs=str(world.root / "t")),)
    )
    (world.root / "t").write_text("old t")
    world.set_aside()
    set_aside(world.run, "t", other)
    assert [kept.slug for kept in left_behind(world.run)] == ["s", "t"]
    world.recover()
    assert world.files()["t"] == "old t"


class TestReadOnly:
    """A stage may leave folders and files without write permission."""

    def make(self, world: World, word: str) -> None:
        world.write(word)
        (world.root / "d/x").chmod(0o444)
        (world.root / "d/n").chmod(0o555)
        (world.root / "d").chmod(0o555)

    @pytest.fixture(autouse=True)
    def writable_afterwards(self, world: World) -> object:
        yield
        for path in sorted(world.root.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)

    def test_put_back(self, world: World) -> None:
        self.make(world, "old")
        before = world.files()

        def work() -> None:
            kept = world.set_aside()
            assert world.files() == {}
            put_back(kept, world.partial)

        as_plain_user(work)
        assert world.files() == before
        assert (world.root / "d").stat().st_mode & 0o777 == 0o555
        assert (world.root / "d/n").stat().st_mode & 0o777 == 0o555

    def test_what_cannot_be_moved_keeps_its_mode(self, world: World) -> None:
        """Neither the file, nor what a link in its place leads to."""
        world.write("old")
        (world.root / "sub/b").unlink()
        (world.root / "elsewhere").write_text("x")
        (world.root / "elsewhere").chmod(0o444)
        (world.root / "sub/b").symlink_to("../elsewhere")
        (world.root / "sub").chmod(0o555)

        def work() -> None:
            with suppress(OSError):
                world.set_aside()

        as_plain_user(work)
        assert (world.root / "elsewhere").stat().st_mode & 0o777 == 0o444
        assert world.files()["a"] == "old a", "what had been moved is back"
        (world.root / "sub").chmod(0o755)
        (world.root / "sub/b").unlink()
        (world.root / "sub/b").write_text("x")
        (world.root / "sub/b").chmod(0o644)
        (world.root / "sub").chmod(0o555)
        as_plain_user(work)
        assert (world.root / "sub/b").stat().st_mode & 0o777 == 0o644

    def test_dropped(self, world: World) -> None:
        def work() -> None:
            self.make(world, "old")
            kept = world.set_aside()
            world.write("new")
            drop(kept)

        as_plain_user(work)
        assert world.is_tidy
        assert world.files()["a"] == "new a"

    def test_left_by_a_failed_stage(self, world: World) -> None:
        def work() -> None:
            for word in ("first", "second"):
                kept = world.set_aside()
                self.make(world, word)
                put_back(kept, world.partial)

        as_plain_user(work)
        assert world.files() == {}
        assert set(world.files(".mlx/partial/s").values()) == {
            "second a", "second sub/b", "second d/x", "second d/n/y"
        }  # fmt: skip
