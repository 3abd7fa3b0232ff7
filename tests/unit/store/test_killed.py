"""A process that dies at any step leaves whole objects, and an old or a new workspace."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlxkit.store.checkout import checkout
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import Content, describe

STEPS = ("replace", "rename", "link", "write", "mkdir", "chmod", "unlink", "ioctl")


def die_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that ends without a word before its step number `step`.

    Returns whether it got that far; a step is a call that changes the file system.
    """
    child = os.fork()
    if child == 0:
        count = 0

        def counted(real: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **kwargs: object) -> object:
                nonlocal count
                if count == step:
                    os._exit(9)
                count += 1
                return real(*args, **kwargs)

            return call

        for name in STEPS:
            if hasattr(os, name):
                setattr(os, name, counted(getattr(os, name)))
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def files_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def described(path: Path, state: State) -> Content:
    content = describe(str(path), state)
    assert content is not None
    return content


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_killed_while_adding(tmp_path: Path, kind: str) -> None:
    for step in range(100):
        root = tmp_path / str(step)
        out = root / "out"
        (out / "sub").mkdir(parents=True)
        tree = {"a": b"a", "sub/b": b"bb"}
        for name, data in tree.items():
            (out / name).write_bytes(data)
        state = State(str(root / "state"))
        store = ObjectStore(str(root / "cache"), state=state, link_types=[kind])
        content = described(out, state)
        died = die_at(step, partial(store.add_tree, str(out), content))
        for path in Path(store.root).rglob("*"):
            if path.is_file() and not path.name.endswith(".tmp"):
                assert store.whole(path.parent.name + path.name)
        assert files_of(out) == tree
        store.add_tree(str(out), described(out, state))
        assert store.whole(content.md5)
        assert files_of(out) == tree
        if not died:
            break
    assert not died
    assert step > 10


@pytest.mark.parametrize("fresh", [True, False])
def test_killed_while_checking_out(tmp_path: Path, fresh: bool) -> None:
    state = State(str(tmp_path / "state"))
    store = ObjectStore(str(tmp_path / "cache"), state=state)
    source = tmp_path / "source"
    new = {"a": b"new", "sub/b": b"new b", "sub/c": b"c"}
    old = {} if fresh else {"a": b"old", "sub/b": b"old b", "x/y": b"y"}
    for name, data in new.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    content = described(source, state)
    store.add_tree(str(source), content)
    for step in range(100):
        dest = tmp_path / str(step) / "dest"
        dest.parent.mkdir()
        for name, data in old.items():
            (dest / name).parent.mkdir(parents=True, exist_ok=True)
            (dest / name).write_bytes(data)
        died = die_at(step, partial(checkout, content.md5, str(dest), store))
        left = files_of(dest)
        if fresh:
            assert left in ({}, new)
        else:
            assert all(data in (old.get(name), new.get(name)) for name, data in left.items())
        checkout(content.md5, str(dest), store)
        assert files_of(dest) == new
        assert os.listdir(dest.parent) == ["dest"]
        if not died:
            break
    assert not died
    assert step > 5
